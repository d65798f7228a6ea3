"""A certificate: what a server has shown beside the baseline, in a form that a rollout's gate can require."""

import hashlib
import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any

from strangler.bench.judging import LEAST_ROUNDS, MORE_IS_BETTER, Judged, Metric
from strangler.bench.report import Report
from strangler.bench.wording import NAMES, ratio

FORM = 1


class Standing(StrEnum):
    """Whether it is what was asked for."""

    HOLDS = "holds"
    FAILS = "fails"
    UNDECIDED = "undecided"


@dataclass(frozen=True, slots=True)
class Certificate:
    """One server beside the baseline."""

    candidate: str
    baseline: str
    at_most: float
    """How many times slower it may be: in p99 latency, and in requests per second."""
    standing: Standing
    because: tuple[str, ...]
    """What speaks against it, or leaves it open."""
    compared: int
    """Answers that were found to be alike before."""
    ratios: tuple[Judged, ...]
    at: str
    commit: str

    def document(self) -> dict[str, Any]:
        """With a digest over all else: that it was not changed by accident, not who made it."""
        found: dict[str, Any] = {"form": FORM} | asdict(self)
        return found | {"sha256": _digest(found)}


def is_intact(document: dict[str, Any]) -> bool:
    """Whether it is as it was made."""
    return document.get("sha256") == _digest({name: value for name, value in document.items() if name != "sha256"})


def certify(report: Report, candidate: str, at_most: float) -> Certificate:
    """Judge a server: it holds where all of each interval lies within, and fails where all of one lies beyond."""
    judgement = report.judgement
    ratios = [
        found
        for endpoint in judgement.endpoints
        for metric in (Metric.RATE, Metric.P99)
        if (found := judgement.of(candidate, endpoint, metric)) is not None
    ]
    agreements = [one for one in report.agreements if one.target == candidate]
    against = [f"«{one.endpoint}»: it does not answer alike" for one in agreements if not one.is_equal]
    against += [_said(one) for one in ratios if _slowness(one)[0] > at_most and one.rounds >= LEAST_ROUNDS]
    left = list(_open(report, candidate, ratios, at_most))
    standing = Standing.FAILS if against else Standing.UNDECIDED if left else Standing.HOLDS
    return Certificate(
        candidate=candidate,
        baseline=judgement.baseline,
        at_most=at_most,
        standing=standing,
        because=tuple(against or left),
        compared=sum(one.compared for one in agreements),
        ratios=tuple(ratios),
        at=report.conditions.at,
        commit=report.conditions.commit,
    )


def _open(report: Report, candidate: str, ratios: list[Judged], at_most: float) -> Iterable[str]:
    """What cannot be told."""
    judgement = report.judgement
    for endpoint in judgement.endpoints:
        if judgement.of(candidate, endpoint, Metric.RATE) is None:
            yield f"«{endpoint}»: no block of it counts"
    for one in ratios:
        if one.ratio is None or one.rounds < LEAST_ROUNDS:
            yield f"«{one.endpoint}»: {one.rounds} rounds count, {LEAST_ROUNDS} are needed"
        elif _slowness(one)[1] > at_most:
            yield _said(one)


def _slowness(one: Judged) -> tuple[float, float]:
    """How many times slower than the baseline it is, at least and at most."""
    if one.ratio is None:
        return 0.0, 0.0
    if one.metric in MORE_IS_BETTER:
        return (1 / one.ratio.high, 1 / one.ratio.low) if one.ratio.low else (0.0, float("inf"))
    return one.ratio.low, one.ratio.high


def _said(one: Judged) -> str:
    return f"«{one.endpoint}»: {NAMES[one.metric]} {ratio(one)} × the baseline"


def _digest(document: dict[str, Any]) -> str:
    return hashlib.sha256(json.dumps(document, sort_keys=True).encode()).hexdigest()
