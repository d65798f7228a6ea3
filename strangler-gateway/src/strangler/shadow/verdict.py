"""What may be said of a route by what was seen, with bounds that hold at every look."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from strangler.model.shadow import Shadow
from strangler.shadow.betting import interval, upper_bound
from strangler.shadow.evidence import Evidence, FieldEvidence

CONFIDENCE = 0.95
"""Of every bound and interval; for all looks together."""
ROUTE_SHARE = 0.98
"""Of ``alpha``, for the route's wealth; the rest is for the fields' own processes. With so much, and alpha at 0.1 %,
eleven findings and no doubt are enough: 2^11 / 2 > 1 / (0.98 · 0.001)."""
_MOST_NEEDED = 10_000_000
"""Exchanges; who needs more is not told how many."""


class Judgement(StrEnum):
    """The values are stable."""

    EQUIVALENT = "equivalent"
    DIFFERENT = "different"
    UNDECIDED = "not_enough_seen"


@dataclass(frozen=True, slots=True)
class Rate:
    """Of how many, how many; and between which shares the truth is."""

    seen: int
    of: int
    low: float
    high: float

    @property
    def share(self) -> float:
        """0 of nothing."""
        return self.seen / self.of if self.of else 0.0


@dataclass(frozen=True, slots=True)
class FieldVerdict:
    """What may be said of one field."""

    judgement: Judgement
    differing: Rate
    """Candidate and primary differ, of the compared."""
    noise: Rate
    """The primary differs from itself, of the second answers that were asked for by chance."""
    loud: bool
    """Whether it differs from itself so often that the verdict of the route leaves it out."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What may be said of one route."""

    judgement: Judgement
    compared: int
    real: Rate
    """Exchanges that differ and are not explained by noise, of the compared."""
    upper: float
    """At most this share of the requests differ, at ``CONFIDENCE``. Unlike ``real.high`` it may be relied on also if
    the rate has changed in the meantime, as far as being under ``at_most`` goes."""
    at_most: float
    """The share that has to be ruled out."""
    alpha: float
    fields: Mapping[str, FieldVerdict]
    """The most telling first."""
    apart_from: tuple[str, ...]
    """Fields that are left out because they differ from themselves."""
    needed: int | None
    """So many more without a difference would make it equivalent; None if that is not what is missing, or too many."""
    doubtful: tuple[str, ...]
    """Of ``apart_from``, those that differ more between the arms than they do from themselves, not yet surely."""
    unanswered: int = 0
    """Questions that the candidate gave no answer to which can be compared."""

    @property
    def is_silent(self) -> bool:
        """Whether it left more without an answer than may differ: a client would have met that, too."""
        return _is_silent(self.unanswered, self.compared, self.at_most)


def judge(evidence: Evidence, shadow: Shadow, unanswered: int = 0) -> Verdict:
    """The verdict by ``shadow.at_most`` and ``shadow.alpha``.

    Different: the route's wealth, or that of a field, has at any time reached what it reaches in at most ``alpha`` of
    all runs in which nothing differs. It stays different. Equivalent: the rate of differences that noise does not
    explain is at most ``at_most``, at ``CONFIDENCE``, no field that is left out looks as if it hid one, and no
    larger share of the questions is ``unanswered``.
    """
    different = frozenset(name for name, field in evidence.fields.items() if _field_differs(field, shadow.alpha))
    loud = tuple(
        name
        for name, field in sorted(evidence.fields.items())
        if field.is_loud(evidence.compared, shadow.at_most) and name not in different
    )
    doubtful = tuple(
        name for name in loud if evidence.fields[name].log_own(evidence.writes) >= -math.log(1 - CONFIDENCE)
    )
    upper = upper_bound(evidence.real, evidence.compared, CONFIDENCE)
    if is_different(evidence, shadow.alpha):
        judgement = Judgement.DIFFERENT
    elif _is_silent(unanswered, evidence.compared, shadow.at_most):
        judgement = Judgement.UNDECIDED
    elif upper <= shadow.at_most and not doubtful:
        judgement = Judgement.EQUIVALENT
    else:
        judgement = Judgement.UNDECIDED
    return Verdict(
        judgement=judgement,
        compared=evidence.compared,
        real=_rate(evidence.real, evidence.compared),
        upper=upper,
        at_most=shadow.at_most,
        alpha=shadow.alpha,
        fields={name: _field_verdict(evidence, name, different, loud, shadow) for name in _ranked(evidence, different)},
        apart_from=loud,
        needed=_needed(evidence, shadow.at_most)
        if judgement is Judgement.UNDECIDED and upper > shadow.at_most
        else None,
        doubtful=doubtful,
        unanswered=unanswered,
    )


def _is_silent(unanswered: int, compared: int, at_most: float) -> bool:
    return unanswered > at_most * (unanswered + compared)


def is_different(evidence: Evidence, alpha: float) -> bool:
    """Whether the judgement is «different»: quicker than ``judge``, for who asks often."""
    if evidence.peak >= -math.log(ROUTE_SHARE * alpha):
        return True
    return any(_field_differs(field, alpha) for field in evidence.fields.values())


def _field_differs(field: FieldEvidence, alpha: float) -> bool:
    """By the route's wealth, as far as it speaks of this field; or by its own, for which the j-th field to appear gets
    1 / (j (j + 1)) of what is left of ``alpha``: together no more than that."""
    own = (1 - ROUTE_SHARE) * alpha / (field.order * (field.order + 1))
    return field.staked_peak >= -math.log(ROUTE_SHARE * alpha) or field.peak >= -math.log(own)


def _field_verdict(
    evidence: Evidence, name: str, different: frozenset[str], loud: tuple[str, ...], shadow: Shadow
) -> FieldVerdict:
    field = evidence.fields[name]
    if name in different:
        judgement = Judgement.DIFFERENT
    elif name not in loud and upper_bound(field.differing, evidence.compared, CONFIDENCE) <= shadow.at_most:
        judgement = Judgement.EQUIVALENT
    else:
        judgement = Judgement.UNDECIDED
    return FieldVerdict(
        judgement=judgement,
        differing=_rate(field.differing, evidence.compared),
        noise=_rate(field.noise, evidence.sampled),
        loud=name in loud,
    )


def _ranked(evidence: Evidence, different: frozenset[str]) -> list[str]:
    """Different ones first, then by how much more often the candidate is odd, then by how often they differ."""

    def key(name: str) -> tuple[bool, int, int, str]:
        field = evidence.fields[name]
        return name not in different, field.primary_odd - field.candidate_odd, -field.differing, name

    return sorted(evidence.fields, key=key)


def _rate(seen: int, of: int) -> Rate:
    return Rate(seen, of, *interval(seen, of, CONFIDENCE))


def _needed(evidence: Evidence, at_most: float) -> int | None:
    """By halving: the bound falls with every exchange that does not differ."""
    low, high = evidence.compared, max(1, evidence.compared)
    while upper_bound(evidence.real, high, CONFIDENCE) > at_most:
        low, high = high, 2 * high
        if high > _MOST_NEEDED:
            return None
    while high - low > 1:
        middle = (low + high) // 2
        if upper_bound(evidence.real, middle, CONFIDENCE) > at_most:
            low = middle
        else:
            high = middle
    return high - evidence.compared
