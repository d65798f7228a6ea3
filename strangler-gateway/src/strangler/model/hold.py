"""A hold: the writes of one module wait for a moment, within bounds that end it whatever happens."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Hold:
    """At most ``most`` requests per worker wait for at most ``seconds``; then they are answered 503."""

    number: int
    """Grows by one with every hold of one supervisor."""
    module: str
    author: str
    reason: str
    at: str
    """When it began: RFC 3339, UTC."""
    seconds: float
    """Told to a worker: what is left of it. Elsewhere: its whole length."""
    most: int


@dataclass(frozen=True, slots=True)
class HoldAt:
    """How far a hold is in one worker."""

    slot: int
    drained: bool
    """Whether none of the module's writes is in flight there."""
    in_flight: int
    held: int
    seconds: float
    """From the hold's beginning until none was in flight; until now where some are."""


@dataclass(frozen=True, slots=True)
class HoldState:
    """A hold that is in force, and how far it is in every worker that may serve requests."""

    hold: Hold
    workers: tuple[HoldAt, ...]
