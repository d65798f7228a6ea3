"""The meters of one worker: the one way in which its parts get counters, gauges and histograms to control.

How to add one:

1. Declare a ``Family`` in the file of ``telemetry/families`` that it belongs to. That puts it into the exporter and the
   reference: ``python -m strangler.control.metrics_reference > docs/reference/metrics.md``.
2. Where your part is built (not per request), take the meter and keep it: ``self._retried = meters.of(RETRIES, name)``.
3. Where it happens: ``self._retried.value += 1``; a histogram is ``meters.histogram(HELD)`` and ``.observe(seconds)``.

What is already known elsewhere (the size of a pool, the state of a breaker) is not kept twice: give ``ask`` a function
that yields readings; it is called once per report.

Label values come from the configuration or from small fixed sets, never from what a client sent: each one is a series
in Prometheus for ever. ``MAX_SERIES`` per family is the net below that rule. Meters outlive snapshots: whoever asks for
the same labels after a reload gets the same meter. Control adds workers up, over restarts too.
"""

from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator, Mapping

from strangler.model.messages import Distribution, Value
from strangler.telemetry.family import Family

Reading = tuple[Family, tuple[str, ...], float]
"""Family, label values in their order (without ``slot``), value."""

MAX_SERIES = 10_000
"""Meters per family. What is asked for beyond it is counted together, under ``OVERFLOW``."""
OVERFLOW = "(others)"


class Meter:
    """A counter or a gauge: who holds it changes ``value``. A counter only grows."""

    __slots__ = ("value",)

    def __init__(self) -> None:
        self.value: float = 0


class Histogram:
    """Counts of values by size."""

    __slots__ = ("_bounds", "buckets", "sum")

    def __init__(self, bounds: tuple[float, ...]) -> None:
        self._bounds = bounds
        self.buckets = [0] * (len(bounds) + 1)
        self.sum = 0.0

    def observe(self, value: float) -> None:
        """Add one value."""
        self.buckets[bisect_left(self._bounds, value)] += 1
        self.sum += value


class Meters:
    """All meters of a worker."""

    def __init__(self) -> None:
        self._meters: dict[Family, dict[tuple[str, ...], Meter]] = {}
        self._histograms: dict[Family, dict[tuple[str, ...], Histogram]] = {}
        self._sources: list[Callable[[], Iterable[Reading]]] = []

    def of(self, family: Family, *labels: str) -> Meter:
        """The counter or gauge with these label values, made at its first use."""
        assert family.kind != "histogram", f"{family.name} is a histogram"
        meters = self._meters.setdefault(family, {})
        labels = _bounded(family, labels, meters)
        return meters.get(labels) or meters.setdefault(labels, Meter())

    def histogram(self, family: Family, *labels: str) -> Histogram:
        """The histogram with these label values, made at its first use."""
        assert family.kind == "histogram", f"{family.name} is no histogram"
        histograms = self._histograms.setdefault(family, {})
        labels = _bounded(family, labels, histograms)
        return histograms.get(labels) or histograms.setdefault(labels, Histogram(family.bounds))

    def ask(self, source: Callable[[], Iterable[Reading]]) -> None:
        """Ask ``source`` for further readings at each report, once a second."""
        self._sources.append(source)

    # What goes to control

    def values(self) -> tuple[tuple[Value, ...], tuple[Value, ...]]:
        """Counters and gauges. Counters that nothing has happened to are left out."""
        counters, gauges = [], []
        for family, labels, value in self._readings():
            if family.kind == "gauge":
                gauges.append((family.name, labels, value))
            elif value:
                counters.append((family.name, labels, value))
        return tuple(counters), tuple(gauges)

    def distributions(self) -> tuple[Distribution, ...]:
        """Totals of the histograms that have values."""
        return tuple(
            (family.name, labels, tuple(histogram.buckets), histogram.sum)
            for family, histograms in self._histograms.items()
            for labels, histogram in histograms.items()
            if any(histogram.buckets)
        )

    def _readings(self) -> Iterator[Reading]:
        for family, meters in self._meters.items():
            for labels, meter in meters.items():
                yield family, labels, meter.value
        for source in self._sources:
            yield from source()


def _bounded(family: Family, labels: tuple[str, ...], known: Mapping[tuple[str, ...], object]) -> tuple[str, ...]:
    assert len(labels) == len(family.worker_labels), f"{family.name} has the labels {family.worker_labels}"
    if labels in known or len(known) < MAX_SERIES:
        return labels
    return (OVERFLOW,) * len(labels)
