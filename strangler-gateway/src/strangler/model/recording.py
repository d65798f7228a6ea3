"""What is asked for when exchanges of a route are to be recorded."""

from dataclasses import dataclass, field

from strangler.model.shadow import Redaction


@dataclass(frozen=True, slots=True)
class Recording:
    """A route of which exchanges are kept: whatever its stage, and whether or not it has a service."""

    id: str
    """Of this one, unlike that of any other: lower-case letters and digits."""
    route: str
    count: int
    """Exchanges, at most."""
    size: int
    """Bytes of them as they are kept, at most."""
    until: float
    """Seconds since the epoch."""
    redaction: Redaction = field(default_factory=Redaction)
