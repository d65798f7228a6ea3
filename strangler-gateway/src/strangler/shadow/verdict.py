"""What may be said of a route by what was seen, with bounds that hold at every look."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from strangler.model.shadow import Shadow
from strangler.shadow.evidence import Evidence

CONFIDENCE = 0.95
"""Of every bound and interval; for all looks together."""


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
    excess: tuple[float, float]
    """Between which shares of the compared the candidate is odd more often than the primary."""
    loud: bool
    """Whether it differs from itself so often that the verdict of the route leaves it out."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What may be said of one route."""

    judgement: Judgement
    compared: int
    real: int
    """Exchanges that differ and are not explained by noise."""
    upper: float
    """At most this share of the requests differ, at ``CONFIDENCE``."""
    at_most: float
    """The share that had to be ruled out."""
    alpha: float
    fields: Mapping[str, FieldVerdict]
    """The most telling first."""
    apart_from: tuple[str, ...]
    """Fields that are left out because they differ from themselves."""
    because: str
    """The reason in words, such as «another 412 without a difference are needed»."""


def judge(evidence: Evidence, shadow: Shadow) -> Verdict:
    """The verdict by ``shadow.at_most`` and ``shadow.alpha``."""
    raise NotImplementedError
