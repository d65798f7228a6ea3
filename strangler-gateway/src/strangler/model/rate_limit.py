"""How often a route may be asked: by whom that is counted, where, and what to do while it cannot be counted."""

from dataclasses import dataclass
from enum import StrEnum

from strangler.model.authentication import Secret


class LimitKind(StrEnum):
    """By what requests are told apart."""

    IDENTITY = "identity"
    HEADER = "header"
    ADDRESS = "address"
    ROUTE = "route"
    """Not at all: the route has one allowance for everybody."""


@dataclass(frozen=True, slots=True)
class LimitKey:
    """One way of telling requests apart; ``name`` is the header's, in lower case, else empty."""

    kind: LimitKind
    name: str = ""


@dataclass(frozen=True, slots=True)
class RateLimit:
    """An allowance of ``burst`` requests that fills again by ``requests`` in ``per`` seconds."""

    name: str
    requests: int
    per: int
    burst: int
    by: tuple[LimitKey, ...] = (LimitKey(LimitKind.ADDRESS),)
    """The first that a request has; one without any of them is counted by its address."""
    shared: bool = False
    """Whether all workers and replicas count together, in the limit store; else each worker for itself."""
    when_unavailable: str = "open"
    """``open`` or ``closed`` while the limit store does not answer: each worker counts for itself, or nobody passes."""


@dataclass(frozen=True, slots=True)
class LimitStore:
    """The Redis or Valkey server in which shared limits are counted. Times in seconds."""

    url: str
    """``redis://``, ``rediss://`` or ``unix://``, without a password."""
    username: str = ""
    password: Secret | None = None
    ca_file: str = ""
    """Certificates that the server is verified by; empty for the system's."""
    prefix: str = "strangler:"
    """Before every key."""
    timeout: float = 0.1
    """For one call as a whole, connecting included."""
    connections: int = 16
    """Per worker."""
