"""Whether the candidate is slower: groups of four blocks A B, B A, each two of which run side by side.

The ratio of a group is the geometric mean of b1 / a1 and b2 / a2. Its null is that of a1 / b1 and b2 / a2, which is 1
whatever B is beside A: how far the interval of that reaches from 1 is what this machine makes of nothing, in this job.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from math import sqrt

from strangler.bench.judging import LEAST_ROUNDS, verdict
from strangler.bench.judging import Verdict as Beside
from strangler.bench.statistics import Estimate, median_interval

LEAST_GROUPS = LEAST_ROUNDS
THRESHOLD = 0.05


@dataclass(frozen=True, slots=True)
class Group:
    """Seconds of two pairs of blocks: base and candidate, of which base began; candidate and base, the other way."""

    a1: float
    b1: float
    b2: float
    a2: float

    @property
    def ratio(self) -> float:
        """Candidate to base."""
        return sqrt(self.b1 / self.a1 * self.b2 / self.a2)

    @property
    def null(self) -> float:
        """Who began to who did not: once it was base, once the candidate."""
        return sqrt(self.a1 / self.b1 * self.b2 / self.a2)


class Verdict(StrEnum):
    """Of one benchmark."""

    SLOWER = "slower"
    FASTER = "faster"
    UNCHANGED = "unchanged"
    """As far as can be told: it may have changed by less than the floor or the threshold."""
    UNKNOWN = "unknown"
    """Too few groups."""


_OF_TIME = {
    Beside.MORE: Verdict.SLOWER,
    Beside.LESS: Verdict.FASTER,
    Beside.INDISTINGUISHABLE: Verdict.UNCHANGED,
    Beside.UNKNOWN: Verdict.UNKNOWN,
}


@dataclass(frozen=True, slots=True)
class Judged:
    """One benchmark."""

    name: str
    ratio: Estimate
    floor: float
    groups: int
    verdict: Verdict


def judge(name: str, groups: Sequence[Group], threshold: float = THRESHOLD) -> Judged:
    """Slower only if all of the interval lies beyond both the noise floor and the threshold.

    Raises ``ValueError`` without groups.
    """
    ratio = median_interval([group.ratio for group in groups])
    floor = median_interval([group.null for group in groups]).reach
    said = _OF_TIME[verdict(ratio, max(floor, threshold), len(groups))]
    return Judged(name, ratio, floor, len(groups), said)


def markdown(judged: Sequence[Judged], base: str, candidate: str, threshold: float) -> str:
    """For a pull request: what is slower first."""
    order = list(Verdict)
    lines = [
        f"# {candidate} beside {base}",
        "",
        _said(judged, threshold),
        "",
        "| benchmark | × base | 95 % interval | noise floor | |",
        "| --- | --- | --- | --- | --- |",
    ]
    for one in sorted(judged, key=lambda each: (order.index(each.verdict), -each.ratio.median)):
        interval = f"{one.ratio.low:.3f}–{one.ratio.high:.3f}"
        lines.append(f"| {one.name} | {one.ratio.median:.3f} | {interval} | {one.floor:.1%} | {one.verdict.value} |")
    return "\n".join(lines) + "\n"


def _said(judged: Sequence[Judged], threshold: float) -> str:
    slower = [one.name for one in judged if one.verdict is Verdict.SLOWER]
    if slower:
        return f"**Slower by more than {threshold:.0%}, beyond the noise of this job: {', '.join(slower)}.**"
    if any(one.verdict is Verdict.UNKNOWN for one in judged):
        return f"Nothing can be said: {LEAST_GROUPS} groups are needed."
    return f"Nothing is slower by more than {threshold:.0%} beyond the noise of this job."
