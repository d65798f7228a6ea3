"""What has been seen of one route so far, in counts and e-values: a value that each compared exchange turns into the
next, and that can be written down. docs/explanation/shadow-statistics.md says why it may be looked at at any time."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from strangler.model.shadow import Heading
from strangler.shadow.comparison import Comparison

OTHERS = "body.…(others)"
"""Stands for all fields beyond ``MOST_FIELDS``."""
MOST_FIELDS = 200


class Finding(StrEnum):
    """What one compared exchange says. P is the primary's answer, C the candidate's, S the primary's second."""

    SAME = "same"
    """Nothing differs."""
    CANDIDATE_ODD = "candidate_odd"
    """S is like P, and C is not."""
    PRIMARY_ODD = "primary_odd"
    """S is like C, and P is not: noise, or data that changed between the two questions."""
    UNCLEAR = "unclear"
    """All three differ."""
    UNASKED = "unasked"
    """P and C differ, and there is no S."""
    NOISE = "noise"
    """Only fields differ that are known to differ from themselves."""

    @property
    def heading(self) -> Heading:
        """Under which the exchange goes into the ledger."""
        harmless = self in {Finding.SAME, Finding.PRIMARY_ODD, Finding.NOISE}
        return Heading.EQUIVALENT if harmless else Heading.DIFFERENT


@dataclass(frozen=True, slots=True)
class Observation:
    """One compared exchange. The primary's second answer must have been asked for after the candidate's."""

    differing: Mapping[str, frozenset[str]]
    """The fields in which candidate and primary differ, each with its ``Kind``s (``kinds_of``)."""
    second: frozenset[str] | None = None
    """The fields in which the primary's second answer differs from its first; None if there is none."""
    against: frozenset[str] | None = None
    """The fields in which the candidate differs from the primary's second answer. None if there is no second answer; or
    if nothing in ``differing``, and it was not looked for."""
    sampled: bool = False
    """Whether the second answer was asked for by ``Asking.SAMPLED``: whatever the candidate had answered."""
    repeatable: bool = True
    """False for a write, of which there can be no second answer."""


class Asking(StrEnum):
    """Whether the primary is asked again about one exchange."""

    NO = "no"
    DIFFERS = "differs"
    """Because the candidate's answer differs."""
    SAMPLED = "sampled"
    """By chance, or among the first of a run: that says how often the primary differs from itself."""


@dataclass(frozen=True, slots=True)
class FieldEvidence:
    """One field that has differed, between the arms or from itself."""

    order: int
    """The first field to appear has 1."""
    first: int
    """The number of the compared exchange in which it appeared, from 1."""
    differing: int = 0
    """Exchanges in which candidate and primary differ here."""
    candidate_odd: int = 0
    primary_odd: int = 0
    unclear: int = 0
    noise: int = 0
    """Second answers, of those asked for by chance, that differ here from the first."""
    unlike: int = 0
    """Second answers that do, of all."""
    kinds: Mapping[str, int] = field(default_factory=dict)
    """``Kind`` and how often."""
    wins: int = 0
    """Bets of the route's process on this field that were won."""
    stake: float = 0.0
    """The share of the route's wealth that was put on it at its first bet; 0 before that."""
    lost: bool = False
    """Whether the primary was odd once after that: the stake is gone."""
    ones: int = 0
    zeros: int = 0
    """Since its first appearance: candidate odd, primary odd, of the field's own process."""
    peak: float = 0.0
    """The largest natural logarithm of its own e-value so far."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """One run of one route. Start with ``Evidence()``."""

    compared: int = 0
    differing: int = 0
    """Exchanges in which any field differs, noise or not."""
    findings: Mapping[str, int] = field(default_factory=dict)
    """``Finding`` and how often; they add up to ``compared``."""
    seconds: int = 0
    """Second answers of the primary that were had."""
    sampled: int = 0
    """Of these, asked for by chance."""
    noisy: int = 0
    """Of ``sampled``, those that differ from the first answer anywhere."""
    unrepeatable: int = 0
    """Writes compared."""
    unrepeatable_differing: int = 0
    peak: float = 0.0
    """The largest natural logarithm of the route's e-value so far."""
    fields: Mapping[str, FieldEvidence] = field(default_factory=dict)

    def observe(self, observation: Observation, at_most: float) -> tuple["Evidence", Finding]:
        """The evidence after one more exchange, and what that one says. ``at_most`` is ``Shadow.at_most``."""
        raise NotImplementedError

    def asking(self, differing: frozenset[str], chance: float, noise: float) -> Asking:
        """Whether to ask the primary again, after the candidate has answered (never about a write). ``chance`` is a
        random number in [0, 1), ``noise`` is ``Shadow.noise``. A caller that may not ask so often (a cap) or
        gets no answer passes an ``Observation`` without a second answer, for ``SAMPLED`` and ``DIFFERS`` alike."""
        raise NotImplementedError


def kinds_of(comparison: Comparison) -> dict[str, frozenset[str]]:
    """``Observation.differing`` of a comparison."""
    raise NotImplementedError


def encode(evidence: Evidence) -> bytes:
    """JSON."""
    raise NotImplementedError


def decode(text: bytes) -> Evidence:
    """What ``encode`` has written. Raises ``EvidenceUnreadable``."""
    raise NotImplementedError
