"""What the workers have served: totals that never go back, and a window over the last minute."""

import time
from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field

from strangler.control.meter_totals import MeterTotals, WorkerMeters, advance, merged
from strangler.model.messages import LATENCY_BOUNDS, PoolState, Series, Traffic
from strangler.telemetry.family import Family

WINDOW_SECONDS = 60
_BUCKETS = len(LATENCY_BOUNDS) + 1

Key = tuple[str, str]
"""Route and arm."""


@dataclass(slots=True)
class Tally:
    """Counts of one route's arm: totals, or what was added to them in a while."""

    statuses: Counter[int] = field(default_factory=Counter)
    reasons: Counter[str] = field(default_factory=Counter)
    buckets: list[int] = field(default_factory=lambda: [0] * _BUCKETS)
    seconds: float = 0.0
    bytes_in: int = 0
    bytes_out: int = 0

    @classmethod
    def of(cls, series: Series) -> "Tally":
        """The totals that a worker reports."""
        return cls(
            Counter(dict(series.statuses)), Counter(dict(series.reasons)), list(series.buckets), series.seconds,
            series.bytes_in, series.bytes_out,
        )  # fmt: skip

    @property
    def requests(self) -> int:
        """All of them, those without an answer too."""
        return self.statuses.total()

    @property
    def errors(self) -> int:
        """Answers of 500 and above."""
        return sum(count for status, count in self.statuses.items() if status >= 500)

    def add(self, other: "Tally") -> None:
        """Take the counts of ``other`` in."""
        self.statuses.update(other.statuses)
        self.reasons.update(other.reasons)
        self.buckets = [mine + theirs for mine, theirs in zip(self.buckets, other.buckets, strict=True)]
        self.seconds += other.seconds
        self.bytes_in += other.bytes_in
        self.bytes_out += other.bytes_out

    def since(self, earlier: "Tally") -> "Tally":
        """What came since; the whole if a count went back, which is a new start of the worker."""
        if self.requests < earlier.requests or self.seconds < earlier.seconds:
            return self
        return Tally(
            self.statuses - earlier.statuses,
            self.reasons - earlier.reasons,
            [mine - theirs for mine, theirs in zip(self.buckets, earlier.buckets, strict=True)],
            self.seconds - earlier.seconds,
            self.bytes_in - earlier.bytes_in,
            self.bytes_out - earlier.bytes_out,
        )


@dataclass(slots=True)
class _WorkerTotals:
    """The last totals of one worker process. ``counted`` is False while what it served before is to be left out."""

    pid: int
    counted: bool
    series: dict[Key, Tally] = field(default_factory=dict)
    failures: dict[str, float] = field(default_factory=dict)
    opened: dict[tuple[str, str], float] = field(default_factory=dict)
    pools: tuple[PoolState, ...] = ()
    meters: WorkerMeters = field(default_factory=WorkerMeters)


class TrafficTotals:
    """Adds up what workers report as totals since their start, whatever restarts."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._workers: dict[int, _WorkerTotals] = {}
        self._seconds: deque[tuple[int, dict[Key, Tally]]] = deque()
        self.series: dict[Key, Tally] = {}
        self.failures: dict[str, float] = {}
        self.opened: dict[tuple[str, str], float] = {}
        """Upstream connections by upstream and endpoint."""
        self.meters = MeterTotals()

    @property
    def pools(self) -> dict[int, tuple[PoolState, ...]]:
        """The upstream connections of each slot's worker, as last reported."""
        return {slot: worker.pools for slot, worker in self._workers.items()}

    def join(self, slot: int, pid: int, *, has_served: bool) -> None:
        """A worker connected. One that control sees for the first time, but that served before (control restarted),
        counts from its next report on; one that is known goes on where it was."""
        known = self._workers.get(slot)
        if known is None or known.pid != pid:
            self._workers[slot] = _WorkerTotals(pid, counted=not has_served)

    def leave(self, slot: int, pid: int) -> None:
        """A worker is gone: its connections are no more. What it served stays counted."""
        known = self._workers.get(slot)
        if known is not None and known.pid == pid:
            known.pools = ()
            known.meters.gauges.clear()

    def add(self, slot: int, pid: int, traffic: Traffic) -> None:
        """Take a report in."""
        worker = self._workers.get(slot)
        if worker is None or worker.pid != pid:
            return  # a predecessor that is still draining: its slot is counted for its successor
        second = self._second()
        for series in traffic.series:
            key = (series.route, series.arm)
            total = Tally.of(series)
            delta = total.since(worker.series.get(key, Tally()))
            worker.series[key] = total
            self.series.setdefault(key, Tally()).add(delta)
            if worker.counted and delta.requests:
                second.setdefault(key, Tally()).add(delta)
        worker.counted = True
        advance(self.failures, worker.failures, traffic.failures)
        advance(self.opened, worker.opened, (((pool.upstream, pool.endpoint), pool.opened) for pool in traffic.pools))
        worker.pools = traffic.pools
        self.meters.add(slot, worker.meters, traffic)

    def gauge(self, family: Family) -> Iterator[tuple[tuple[str, ...], float]]:
        """How it is now, over all workers that are connected."""
        return merged(family, (worker.meters for worker in self._workers.values()))

    def recent(self) -> dict[Key, Tally]:
        """The counts of the last ``WINDOW_SECONDS``."""
        self._second()
        result: dict[Key, Tally] = {}
        for _, tallies in self._seconds:
            for key, tally in tallies.items():
                result.setdefault(key, Tally()).add(tally)
        return result

    def _second(self) -> dict[Key, Tally]:
        now = int(self._clock())
        while self._seconds and self._seconds[0][0] <= now - WINDOW_SECONDS:
            self._seconds.popleft()
        if not self._seconds or self._seconds[-1][0] != now:
            self._seconds.append((now, {}))
        return self._seconds[-1][1]


def quantile(buckets: Iterable[int], share: float) -> float | None:
    """The latency in seconds below which ``share`` of the requests were; None without requests.

    Within a bucket requests are taken as evenly spread; beyond the last bound it is the last bound.
    """
    counts = list(buckets)
    wanted = sum(counts) * share
    if not wanted:
        return None
    below, lower = 0, 0.0
    for count, upper in zip(counts, LATENCY_BOUNDS, strict=False):
        if count and below + count >= wanted:
            return lower + (upper - lower) * (wanted - below) / count
        below, lower = below + count, upper
    return LATENCY_BOUNDS[-1]
