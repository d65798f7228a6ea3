"""What a worker has served, counted where it costs next to nothing; control turns it into metrics."""

from bisect import bisect_left
from collections import Counter

from strangler.model.decision import Arm, Reason
from strangler.model.failure import Failure
from strangler.model.messages import LATENCY_BOUNDS, Series


class ArmCounters:
    """Totals of one route's arm since the worker started."""

    __slots__ = ("arm", "buckets", "bytes_in", "bytes_out", "reasons", "route", "seconds", "statuses")

    def __init__(self, route: str, arm: Arm) -> None:
        self.route = route
        self.arm = arm
        self.statuses: dict[int, int] = {}
        self.reasons: dict[Reason, int] = {}
        self.buckets = [0] * (len(LATENCY_BOUNDS) + 1)
        self.seconds = 0.0
        self.bytes_in = 0
        self.bytes_out = 0

    def count(self, status: int, reason: Reason, seconds: float, bytes_in: int, bytes_out: int) -> None:
        """Add one request; status 0 if the client left before there was an answer."""
        try:  # Nearly always it is there, and an attempt that succeeds costs nothing.
            self.statuses[status] += 1
        except KeyError:
            self.statuses[status] = 1
        try:
            self.reasons[reason] += 1
        except KeyError:
            self.reasons[reason] = 1
        self.buckets[bisect_left(LATENCY_BOUNDS, seconds)] += 1
        self.seconds += seconds
        self.bytes_in += bytes_in
        self.bytes_out += bytes_out

    def series(self) -> Series:
        """The totals as they go to control."""
        return Series(
            route=self.route,
            arm=self.arm,
            statuses=tuple(self.statuses.items()),
            reasons=tuple((reason.value, count) for reason, count in self.reasons.items()),
            buckets=tuple(self.buckets),
            seconds=self.seconds,
            bytes_in=self.bytes_in,
            bytes_out=self.bytes_out,
        )


class Counters:
    """All counters of a worker. They outlive snapshots."""

    def __init__(self) -> None:
        self.failures: Counter[Failure] = Counter()
        self._arms: dict[tuple[str, Arm], ArmCounters] = {}

    def of(self, route: str, arm: Arm) -> ArmCounters:
        """The counters of one route's arm, made at their first use."""
        counters = self._arms.get((route, arm))
        if counters is None:
            counters = self._arms[route, arm] = ArmCounters(route, arm)
        return counters

    def series(self) -> tuple[Series, ...]:
        """Every arm that has served something."""
        return tuple(counters.series() for counters in self._arms.values() if counters.statuses)
