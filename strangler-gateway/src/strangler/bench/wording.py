"""Judgements in words that claim no more than their intervals carry."""

from strangler.bench.judging import LEAST_ROUNDS, Judged, Judgement, Metric, Verdict

NAMES = {
    Metric.RATE: "requests per second",
    Metric.P50: "median latency",
    Metric.P99: "p99 latency",
    Metric.CPU: "CPU seconds per 1,000 requests",
}
_MOST_AT_ONCE = 3


def duration(seconds: float) -> str:
    """``850 µs``, ``12.3 ms``, ``1.20 s``: three figures."""
    for limit, factor, unit in ((1e-3, 1e6, "µs"), (1.0, 1e3, "ms")):
        if seconds < limit:
            return f"{three(seconds * factor)} {unit}"
    return f"{seconds:.2f} s"


def three(number: float) -> str:
    """Three figures, and separators: ``1,234``, ``12.3``, ``0.123``."""
    if number >= 100:
        return f"{number:,.0f}"
    return f"{number:.1f}" if number >= 10 else f"{number:.2f}" if number >= 1 else f"{number:.3f}"


def size(number: float) -> str:
    """``48 MiB``."""
    return f"{number / 2**20:,.0f} MiB"


def value(judged: Judged) -> str:
    """What was measured, with its unit."""
    middle = judged.value.median
    match judged.metric:
        case Metric.RATE:
            return three(middle)
        case Metric.CPU:
            return f"{three(middle)} s"
        case _:
            return duration(middle)


def ratio(judged: Judged) -> str:
    """``1.92 (1.85–2.01)``; a dash where there is none."""
    its = judged.ratio
    return f"{its.median:.2f} ({its.low:.2f}–{its.high:.2f})" if its else "–"


def verdict(judged: Judged) -> str:
    """``more``, ``less``, ``indistinguishable``; why where nothing can be said."""
    if judged.ratio is None:
        return ""
    if judged.verdict is Verdict.UNKNOWN:
        return f"{judged.rounds} rounds: too few to tell"
    return judged.verdict.value


def conclusions(judgement: Judgement) -> list[str]:
    """A sentence per metric and server, or servers where the same can be said of them."""
    found = []
    for metric in (Metric.RATE, Metric.CPU, Metric.P99):
        alike: dict[str, list[str]] = {}
        for target in judgement.targets:
            if target != judgement.baseline and (said := _said(judgement, target, metric)):
                alike.setdefault(said, []).append(target)
        found += [f"{_begun(NAMES[metric])} of {_listed(targets)}: {said}." for said, targets in alike.items()]
    return found


def _said(judgement: Judgement, target: str, metric: Metric) -> str:
    """What is to be said of one server; empty where nothing was to be had."""
    found = [
        one
        for endpoint in judgement.endpoints
        if (one := judgement.of(target, endpoint, metric)) is not None and one.ratio is not None
    ]
    told = [one for one in found if one.verdict is not Verdict.UNKNOWN]
    if not told:
        return f"{LEAST_ROUNDS} rounds that count are needed to say anything" if found else ""
    parts = []
    for its in (Verdict.MORE, Verdict.LESS):
        those = [one for one in told if one.verdict is its]
        if those:
            parts.append(f"{_span(those)} those of {judgement.baseline} for {_named(those, len(found))}")
    same = [one for one in told if one.verdict is Verdict.INDISTINGUISHABLE]
    if same:
        parts.append(f"indistinguishable for {_named(same, len(found))}")
    return "; ".join(parts)


def _span(those: list[Judged]) -> str:
    """From the least bound to the greatest: what holds of each of them."""
    low = min(one.ratio.low for one in those if one.ratio)
    high = max(one.ratio.high for one in those if one.ratio)
    return f"{low:.2f} to {high:.2f} ×"


def _named(those: list[Judged], of: int) -> str:
    names = [f"«{one.endpoint}»" for one in those]
    if len(those) == of and of > 1:
        return f"all {of} endpoints"
    if len(names) > _MOST_AT_ONCE:
        return f"{len(names)} of {of} endpoints"
    return _listed(names)


def _listed(names: list[str]) -> str:
    return " and ".join((", ".join(names[:-1]), names[-1])) if len(names) > 1 else names[0]


def _begun(words: str) -> str:
    return words[:1].upper() + words[1:]
