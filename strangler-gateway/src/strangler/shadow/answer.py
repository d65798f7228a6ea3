"""An answer as it is compared: the client's view of it, whole."""

from dataclasses import dataclass

from strangler.shadow.effects import Effects

Fields = tuple[tuple[bytes, bytes], ...]
"""Header fields in their order, names as they were sent. Never a dict: Set-Cookie comes more than once."""


@dataclass(frozen=True, slots=True)
class Answer:
    """One side's answer."""

    status: int
    fields: Fields
    body: bytes
    """As it came, still encoded."""
    seconds: float = 0.0
    """From the question's last byte to the answer's last byte."""
    effects: Effects | None = None
    """What the request did, where that was reported."""
    authority: str = ""
    """The endpoint that answered, ``host:port``: redirects of its own making may name it."""


@dataclass(frozen=True, slots=True)
class Question:
    """The request that both sides were asked."""

    method: bytes
    target: bytes
    fields: Fields
    body: bytes
