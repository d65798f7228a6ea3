"""What the comparator tells the ledger of one exchange."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from strangler.model.shadow import Heading
from strangler.shadow.evidence import Evidence
from strangler.shadow.record import Sample


@dataclass(frozen=True, slots=True)
class Outcome:
    """The end of one exchange, under one heading."""

    heading: Heading
    """Any but ``LOST``, which is derived."""
    evidence: Evidence | None = None
    """The run's, with this exchange in it; None if it was not compared."""
    normalised: Mapping[str, int] = field(default_factory=dict)
    ignored: Mapping[str, int] = field(default_factory=dict)
    cut: tuple[str, ...] = ()
    primary: float | None = None
    """Seconds that the primary took."""
    candidate: float | None = None
    """Seconds that the candidate took."""
    sample: Sample | None = None
