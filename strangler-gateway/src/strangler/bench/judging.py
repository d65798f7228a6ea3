"""What the samples say: each server beside the baseline, in ratios taken within a round; no more than they carry."""

import statistics
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from strangler.bench.rounds import AGAIN, Sample
from strangler.bench.statistics import Estimate, median_interval

LEAST_FLOOR = 0.02
"""No machine that people have is quieter, whatever few rounds of one server beside itself say."""
LEAST_ROUNDS = 5
"""With fewer, the interval of a median is no 95 % interval: 2 of 16 times all four rounds lie on one side of it."""


class Metric(StrEnum):
    """What is measured of a server."""

    RATE = "rate"
    P50 = "p50"
    P99 = "p99"
    CPU = "cpu"


MORE_IS_BETTER = frozenset((Metric.RATE,))
_VALUE: dict[Metric, Callable[[Sample], float | None]] = {
    Metric.RATE: lambda sample: sample.rate,
    Metric.P50: lambda sample: sample.quantile(0.5),
    Metric.P99: lambda sample: sample.quantile(0.99),
    Metric.CPU: lambda sample: sample.cpu_seconds,
}


class Verdict(StrEnum):
    """Of one server beside the baseline."""

    MORE = "more"
    LESS = "less"
    INDISTINGUISHABLE = "indistinguishable"
    """The interval of the ratio reaches into what the baseline differs from itself."""
    UNKNOWN = "unknown"
    """Too few rounds that count."""


@dataclass(frozen=True, slots=True)
class Judged:
    """One server, one endpoint, one metric."""

    target: str
    endpoint: str
    metric: Metric
    value: Estimate
    """Over the rounds: requests per second, seconds, or CPU seconds per 1,000 requests."""
    rounds: int
    ratio: Estimate | None = None
    """To the baseline in the same round; None for the baseline itself."""
    floor: float = 0.0
    """How far the ratio of the baseline to itself reaches from 1."""
    verdict: Verdict = Verdict.UNKNOWN


@dataclass(frozen=True, slots=True)
class Judgement:
    """All of it."""

    baseline: str
    targets: tuple[str, ...]
    endpoints: tuple[str, ...]
    every: tuple[Judged, ...]
    refused: tuple[Sample, ...]
    """Samples with errors: they count for nothing."""

    def of(self, target: str, endpoint: str, metric: Metric) -> Judged | None:
        """None where nothing of it counts, or was to be had."""
        for one in self.every:
            if (one.target, one.endpoint, one.metric) == (target, endpoint, metric):
                return one
        return None


def judge(samples: Sequence[Sample]) -> Judgement:
    """Sum samples up; the first of them is of the baseline, or of its second. Raises ``ValueError`` without samples."""
    if not samples:
        raise ValueError("nothing was measured")
    baseline = samples[0].target.removesuffix(AGAIN)
    targets = tuple(dict.fromkeys(sample.target for sample in samples if not sample.target.endswith(AGAIN)))
    endpoints = tuple(dict.fromkeys(sample.endpoint for sample in samples if sample.round == samples[0].round))
    every = [
        judged
        for endpoint in endpoints
        for metric in Metric
        for judged in _judged(samples, baseline, targets, endpoint, metric)
    ]
    return Judgement(baseline, targets, endpoints, tuple(every), tuple(sample for sample in samples if sample.errors))


def _judged(
    samples: Sequence[Sample], baseline: str, targets: Sequence[str], endpoint: str, metric: Metric
) -> list[Judged]:
    values = {name: _values(samples, name, endpoint, metric) for name in (*targets, baseline + AGAIN)}
    floor = _floor(_ratios(values[baseline + AGAIN], values[baseline]))
    found = []
    for target in targets:
        its = values[target]
        if not its:
            continue
        value = median_interval(list(its.values()))
        ratios = _ratios(its, values[baseline])
        if target == baseline or not ratios:
            found.append(Judged(target, endpoint, metric, value, len(its), floor=floor))
            continue
        ratio = median_interval(ratios)
        found.append(
            Judged(target, endpoint, metric, value, len(ratios), ratio, floor, verdict(ratio, floor, len(ratios)))
        )
    return found


def verdict(ratio: Estimate, floor: float, rounds: int) -> Verdict:
    """Different only if the whole interval lies beyond the floor."""
    if rounds < LEAST_ROUNDS:
        return Verdict.UNKNOWN
    if ratio.low > 1 + floor:
        return Verdict.MORE
    if ratio.high < 1 / (1 + floor):
        return Verdict.LESS
    return Verdict.INDISTINGUISHABLE


def _values(samples: Sequence[Sample], target: str, endpoint: str, metric: Metric) -> dict[int, float]:
    found = {}
    for sample in samples:
        if (sample.target, sample.endpoint) == (target, endpoint) and not sample.errors:
            value = _VALUE[metric](sample)
            if value is not None:
                found[sample.round] = value
    return found


def _ratios(its: dict[int, float], baseline: dict[int, float]) -> list[float]:
    return [value / baseline[number] for number, value in its.items() if baseline.get(number)]


def _floor(ratios: Sequence[float]) -> float:
    """What one server differs from itself: how far the interval of that ratio reaches."""
    return max(LEAST_FLOOR, median_interval(ratios).reach) if ratios else LEAST_FLOOR


def median_of(samples: Sequence[Sample], target: str, value: Callable[[Sample], float | None]) -> float | None:
    """The median of what is no matter of an endpoint, such as memory; None where it is not known."""
    found = [its for sample in samples if sample.target == target and (its := value(sample)) is not None]
    return statistics.median(found) if found else None
