"""What a ledger holds of one run of one route, as it is read: values without a file behind them."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

from strangler.model.shadow import UNANSWERED, Heading
from strangler.shadow.comparison import Difference
from strangler.shadow.evidence import Evidence


@dataclass(frozen=True, slots=True)
class Side:
    """One arm's answer as it may be kept: redacted already."""

    status: int
    headers: tuple[tuple[str, str], ...]
    body: str
    """JSON (any, also indented) if it is a document, otherwise text; cut to what may be kept."""
    seconds: float = 0.0
    effects: str = ""
    """JSON; empty where none were reported."""


@dataclass(frozen=True, slots=True)
class Sample:
    """One pair of answers that differ. Everything in it is redacted already; texts are cut by whoever makes it."""

    at: float
    """When the primary had answered: seconds since the epoch."""
    question: str
    """The request line, and under it headers and body as far as they may be kept."""
    primary: Side
    candidate: Side
    differences: tuple[Difference, ...]
    finding: str
    """``Finding``."""


@dataclass(frozen=True, slots=True)
class Latencies:
    """How long one arm took, as counts in buckets (``BOUNDS``)."""

    counts: tuple[int, ...] = ()

    @property
    def total(self) -> int:
        """Answers."""
        return sum(self.counts)

    def quantile(self, share: float) -> float | None:
        """Seconds within which that share of the answers came, rounded up to a bucket; None without answers.
        Infinite beyond the last."""
        needed, seen = share * self.total, 0
        for count, bound in zip(self.counts, (*BOUNDS, math.inf), strict=False):
            seen += count
            if count and seen >= needed:
                return bound
        return None


BOUNDS: tuple[float, ...] = tuple(0.0001 * 2 ** (step / 4) for step in range(80))
"""Upper bounds of the buckets in seconds, four to each doubling, from 0.1 ms to 88 s; one more takes what is longer."""


@dataclass(frozen=True, slots=True)
class RunRecord:
    """One run. ``requests`` is the sum of ``headings`` and ``pending``, always."""

    route: str
    number: int
    """The route's first run has 1."""
    fingerprint: str
    """Of the rules by which it was compared."""
    rules: str
    """``Comparing`` as JSON, as it was when the run began."""
    began: float
    """Seconds since the epoch."""
    ended: float | None
    """When the next run began; None for the one that is going on."""
    reason: str
    """Why it began."""
    flushed: float
    """When the comparator last wrote."""
    requests: int
    headings: Mapping[Heading, int]
    """All that are not 0."""
    pending: int
    """Not settled yet: they wait in a worker or in the comparator."""
    evidence: Evidence
    normalised: Mapping[str, int] = field(default_factory=dict)
    """Normaliser and how often it made two values equal."""
    ignored: Mapping[str, int] = field(default_factory=dict)
    """Ignore rule and how many differences it took away."""
    cut: Mapping[str, int] = field(default_factory=dict)
    """What was not looked at, and in how many exchanges."""
    primary: Latencies = Latencies()
    candidate: Latencies = Latencies()
    samples: tuple[Sample, ...] = ()
    """The newest first."""

    @property
    def unanswered(self) -> int:
        """Questions that the candidate gave no answer to which can be compared."""
        return sum(self.headings.get(heading, 0) for heading in UNANSWERED)
