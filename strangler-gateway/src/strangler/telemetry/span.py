"""One finished request as a trace shows it."""

from dataclasses import dataclass

Attribute = str | int


@dataclass(frozen=True, slots=True)
class Span:
    """Ids in lower-case hexadecimal; times in nanoseconds since the epoch."""

    name: str
    trace_id: str
    span_id: str
    parent_id: str
    """Empty at the root of a trace."""
    state: str
    """The client's ``tracestate``."""
    began: int
    ended: int
    failure: str
    """Why it failed through the gateway or an upstream; empty if it did not."""
    attributes: dict[str, Attribute]
