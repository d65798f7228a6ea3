"""A document that is fetched again from time to time, and kept while that fails: keys from a URL or a file."""

import logging
import math
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

from strangler.model.errors import StranglerError
from strangler.policies.ports import Clock, Fetch, Flights
from strangler.policies.refusals import Unavailable

T = TypeVar("T")
logger = logging.getLogger("strangler.policies")


@dataclass(frozen=True, slots=True)
class Pace:
    """How often to fetch, in seconds between two attempts."""

    refresh: float
    """After a fetch that succeeded, of its own accord."""
    look_again: float
    """At the least, when somebody asks for something that is not in the document."""
    retry: float
    """After a fetch that failed."""
    max_stale: float = math.inf
    """Age at which a document is used no more."""


class Kept(Generic[T]):
    """Nobody waits for it but who finds nothing, or not what they look for. Equal documents give the same value."""

    def __init__(
        self, what: str, fetch: Fetch, parse: Callable[[bytes], T], pace: Pace, flights: Flights, clock: Clock
    ) -> None:
        """``parse`` raises ``StranglerError`` for a document that cannot be used."""
        self._what = what
        self._fetch = fetch
        self._parse = parse
        self._pace = pace
        self._flights = flights
        self._now = clock.steady
        self._document: bytes | None = None
        self._value: T | None = None
        self._fetched = -math.inf
        self._due = -math.inf
        self._tried = -math.inf
        self._under_way = False
        self.failing = False
        """Whether the last attempt failed."""

    def take(self, document: bytes) -> None:
        """Use this document from now on. Raises ``StranglerError``, and keeps the old one, if it cannot be used."""
        if document != self._document:
            self._value = self._parse(document)
            self._document = document
        self._fetched = self._now()
        self._due = self._fetched + self._pace.refresh

    def current(self) -> T | None:
        """The value; None if there is none or it is too old. Begins to fetch a newer one where that is due."""
        now = self._now()
        if now >= self._due and not self._under_way:
            self._flights.begin(self, self._attempt)
        return self._value if self._usable(now) else None

    def look_again(self) -> Awaitable[None] | None:
        """What to wait for before the next look; None if the last look is too recent for another."""
        now = self._now()
        pause = self._pace.look_again if self._usable(now) else self._pace.retry
        if self._under_way or now - self._tried >= pause:
            return self._flights.join(self, self._attempt)
        return None

    def _usable(self, now: float) -> bool:
        return self._value is not None and now - self._fetched <= self._pace.max_stale

    async def _attempt(self) -> None:
        self._under_way = True
        self._tried = self._now()
        try:
            self.take(await self._fetch())
        except (Unavailable, StranglerError) as error:
            self._due = self._now() + self._pace.retry
            if not self.failing:
                logger.warning("%s cannot be had: %s; what was known is used on", self._what, error)
            self.failing = True
        else:
            if self.failing:
                logger.info("%s can be had again", self._what)
            self.failing = False
        finally:
            self._under_way = False
