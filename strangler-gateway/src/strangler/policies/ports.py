"""What policies need from outside: time, others' answers, and work that several requests wait for together."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Protocol, TypeVar

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Clock:
    """Both in seconds."""

    wall: Callable[[], float]
    """Since the epoch, for what others have dated."""
    steady: Callable[[], float]
    """For durations; never set back."""


class Flights(Protocol):
    """Work of which there is one piece per key at a time, whoever waits for it."""

    def begin(self, key: object, work: Callable[[], Awaitable[object]]) -> None:
        """Do ``work`` in the background, unless it is under way."""

    async def join(self, key: object, work: Callable[[], Awaitable[T]]) -> T:
        """Wait for the work under way; begin it if there is none. Raises ``Crowded`` if too much is under way."""


Fetch = Callable[[], Awaitable[bytes]]
"""Gets a document, bounded in bytes and time. Raises ``Unavailable``."""


class WhoAmI(Protocol):
    """An application that knows its users."""

    async def ask(self, cookie: bytes, authorization: bytes) -> tuple[int, bytes]:
        """Status and body of its answer to a request with nothing but these. Raises ``Unavailable``."""


class Sessions(Protocol):
    """The monolith's session table."""

    def retire(self) -> None:
        """Nobody will ask any more."""

    async def read(self, key: str) -> tuple[str, float] | None:
        """A session's data and the moment at which it ends (seconds since the epoch). Raises ``Unavailable``."""
