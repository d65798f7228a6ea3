"""What the workers' meters say together: totals that never go back, and gauges as they were last reported."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import TypeVar

from strangler.model.messages import Traffic
from strangler.telemetry.families import BY_NAME
from strangler.telemetry.family import Family

Labels = tuple[str, ...]
_K = TypeVar("_K")
_MERGES: dict[str, Callable[[list[float]], float]] = {"sum": sum, "max": max, "min": min}


@dataclass(slots=True)
class Spread:
    """A histogram: counts per bucket, not cumulated, and the sum of the values."""

    buckets: tuple[int, ...]
    sum: float = 0.0

    def since(self, earlier: "Spread | None") -> "Spread":
        """What came since; the whole if a count went back, which is a new start of the worker."""
        if earlier is None:
            return self
        added = tuple(mine - theirs for mine, theirs in zip(self.buckets, earlier.buckets, strict=True))
        return self if min(added) < 0 else Spread(added, self.sum - earlier.sum)

    def plus(self, other: "Spread | None") -> "Spread":
        """Both together."""
        if other is None:
            return self
        buckets = tuple(mine + theirs for mine, theirs in zip(self.buckets, other.buckets, strict=True))
        return Spread(buckets, self.sum + other.sum)


@dataclass(slots=True)
class WorkerMeters:
    """The last report of one worker process, by name and labels."""

    counters: defaultdict[str, dict[Labels, float]] = field(default_factory=lambda: defaultdict(dict))
    spreads: defaultdict[str, dict[Labels, Spread]] = field(default_factory=lambda: defaultdict(dict))
    gauges: defaultdict[str, dict[Labels, float]] = field(default_factory=lambda: defaultdict(dict))


class MeterTotals:
    """Adds up what the workers' meters report. What is not declared as a family is left out."""

    def __init__(self) -> None:
        self._counters: defaultdict[str, dict[Labels, float]] = defaultdict(dict)
        self._spreads: defaultdict[str, dict[Labels, Spread]] = defaultdict(dict)

    def add(self, slot: int, worker: WorkerMeters, traffic: Traffic) -> None:
        """Take a report in; ``worker`` is what the same process said before."""
        for name, labels, value in traffic.counters:
            key = _labels(name, slot, labels)
            advance(self._counters[name], worker.counters[name], ((key, value),))
        for name, labels, buckets, total in traffic.distributions:
            key = _labels(name, slot, labels)
            spread = Spread(buckets, total)
            added = spread.since(worker.spreads[name].get(key))
            self._spreads[name][key] = added.plus(self._spreads[name].get(key))
            worker.spreads[name][key] = spread
        worker.gauges.clear()
        for name, labels, value in traffic.gauges:
            worker.gauges[name][_labels(name, slot, labels)] = value

    def counts(self, family: Family) -> dict[Labels, float]:
        """A counter's samples."""
        return self._counters.get(family.name, {})

    def spreads(self, family: Family) -> dict[Labels, Spread]:
        """A histogram's samples."""
        return self._spreads.get(family.name, {})


def merged(family: Family, workers: Iterable[WorkerMeters]) -> Iterator[tuple[Labels, float]]:
    """A gauge's samples, over all workers."""
    values: defaultdict[Labels, list[float]] = defaultdict(list)
    for worker in workers:
        for labels, value in worker.gauges.get(family.name, {}).items():
            values[labels].append(value)
    return ((labels, _MERGES[family.merge](found)) for labels, found in values.items())


def advance(total: dict[_K, float], known: dict[_K, float], reported: Iterable[tuple[_K, float]]) -> None:
    """Add to ``total`` what ``reported`` has more than ``known``; a count that went back began anew."""
    for key, count in reported:
        before = known.get(key, 0)
        total[key] = total.get(key, 0) + (count - before if count >= before else count)
        known[key] = count


def _labels(name: str, slot: int, labels: Labels) -> Labels:
    family = BY_NAME.get(name)
    return (str(slot), *labels) if family is not None and family.per_slot else labels
