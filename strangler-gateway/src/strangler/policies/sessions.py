"""The monolith's own sessions: in a signed cookie, in its table, or known by asking it."""

import json
import logging
from collections.abc import Awaitable, Mapping
from typing import Any, Final, Protocol

from strangler.model.authentication import Ask, Names
from strangler.policies.credentials import cookie, header, sent_cookies
from strangler.policies.cross_site import is_cross_site
from strangler.policies.guard import Guarded
from strangler.policies.identity import Identity, identity_of
from strangler.policies.method import Outcomes
from strangler.policies.ports import Clock, Flights, Sessions, WhoAmI
from strangler.policies.refusals import Crowded, Rejected, Unavailable
from strangler.policies.remembered import NOT_KNOWN, Remembered, digest
from strangler.routing.fields import Fields

logger = logging.getLogger("strangler.policies")
REST = 1.0
"""Seconds for which nobody is asked after a question that was not answered; of one that was answered with an error or
nonsense, this is for its credential alone: whoever sends what the monolith chokes on is not to lock out the others."""
UNSURE: Final = Identity("", "", 0.0)
"""Is remembered of such a credential."""


class Reader(Protocol):
    """Reads what a framework has signed."""

    def read(self, cookie: bytes, now: float) -> tuple[Mapping[str, Any], float]:
        """The session and its end. Raises ``Rejected``."""


class _Remembering:
    """What the kinds of sessions have in common: a credential that was judged is not judged again for a while."""

    challenge: bytes

    def __init__(self, names: Names, outcomes: Outcomes, clock: Clock) -> None:
        self.outcomes = outcomes
        self.origins: frozenset[bytes] = frozenset()
        """Other sites whose pages may send unsafe requests with a cookie."""
        self._names = names
        self._now = clock.wall
        self._remembered = Remembered()
        self._failing = False

    def identify(self, request: Guarded) -> Identity | Awaitable[Identity | None] | None:
        """Who is signed in."""
        credential = self._credential(request.head.fields)
        if not credential:
            return None
        if self._is_cookie(credential) and is_cross_site(request.head, self.origins):
            raise Rejected("cross_site", "A page of another site has sent this.", browser=True)
        key = digest(credential)
        known = self._remembered.get(key, self._now())
        if known is NOT_KNOWN:
            return self._judge(request.head.fields, credential, key)
        if known is None:
            raise self._nobody(request.head.fields)
        if known is UNSURE:
            raise Unavailable("it could not be said just now who that is")
        self.outcomes.cached.value += 1
        return known

    def _credential(self, fields: Fields) -> bytes | None:
        raise NotImplementedError

    def _is_cookie(self, credential: bytes) -> bool:
        """Whether browsers send it unasked."""
        return True

    def _judge(self, fields: Fields, credential: bytes, key: bytes) -> Identity | Awaitable[Identity | None] | None:
        raise NotImplementedError

    def _nobody(self, fields: Fields) -> Rejected:
        return Rejected("anonymous", "Nobody is signed in.", browser=True)

    def _note(self, error: Unavailable | None) -> None:
        """Say once that nobody can say who asks, and once that it can be said again."""
        if error is not None and not self._failing:
            logger.warning("%s: who asks cannot be found out: %s", self.outcomes.authenticator, error)
        elif error is None and self._failing:
            logger.info("%s: who asks can be found out again", self.outcomes.authenticator)
        self._failing = error is not None

    def _found(self, values: Mapping[str, Any], key: bytes, until: float, size: int, fields: Fields) -> Identity:
        identity = identity_of(values, self._names, self.outcomes.authenticator, until)
        self._remembered.put(key, identity, until, size)
        if identity is None:
            raise self._nobody(fields)
        self.outcomes.accepted.value += 1
        return identity


class CookieSession(_Remembering):
    """A session that is in the cookie itself."""

    def __init__(self, name: str, reader: Reader, names: Names, outcomes: Outcomes, clock: Clock) -> None:
        super().__init__(names, outcomes, clock)
        self.challenge = b'Cookie cookie-name="%b"' % name.encode()
        self._name = name.encode()
        self._reader = reader

    def _credential(self, fields: Fields) -> bytes | None:
        return cookie(fields, self._name)

    def _judge(self, fields: Fields, credential: bytes, key: bytes) -> Identity:
        values, until = self._reader.read(credential, self._now())
        return self._found(values, key, until, len(credential), fields)


class TableSession(CookieSession):
    """A session of which the cookie holds only the key to a row of the monolith's table."""

    def __init__(
        self,
        name: str,
        reader: Reader,
        names: Names,
        outcomes: Outcomes,
        clock: Clock,
        *,
        table: Sessions,
        flights: Flights,
        cache: float,
    ) -> None:
        super().__init__(name, reader, names, outcomes, clock)
        self._table = table
        self._flights = flights
        self._cache = cache

    def retire(self) -> None:
        """Let go of the table."""
        self._table.retire()

    def _judge(self, fields: Fields, credential: bytes, key: bytes) -> Awaitable[Identity]:  # type: ignore[override]  # it waits
        if not (8 <= len(credential) <= 64 and credential.isalnum()):
            raise Rejected("malformed", "The session is malformed.", browser=True)
        return self._look_up(fields, credential.decode("ascii"), key)

    async def _look_up(self, fields: Fields, session: str, key: bytes) -> Identity:
        try:
            row = await self._flights.join((self, key), lambda: self._table.read(session))
        except Unavailable as error:
            self._note(error)
            raise
        self._note(None)
        now = self._now()
        if row is None or row[1] <= now:
            self._remembered.put(key, None, now + self._cache, len(session))
            raise self._nobody(fields)
        values, _ = self._reader.read(row[0].encode("latin-1", "replace"), now)
        return self._found(values, key, min(now + self._cache, row[1]), len(row[0]), fields)


class AskedSession(_Remembering):
    """A session that only the monolith understands: it is asked who that is."""

    challenge = b"Bearer"

    def __init__(
        self, settings: Ask, names: Names, outcomes: Outcomes, clock: Clock, *, monolith: WhoAmI, flights: Flights
    ) -> None:
        super().__init__(names, outcomes, clock)
        if settings.cookies:
            self.challenge = b'Cookie cookie-name="%b"' % settings.cookies[0].encode()
        self._cookies = tuple(name.encode() for name in settings.cookies)
        self._authorization = settings.authorization
        self._cache = settings.cache
        self._monolith = monolith
        self._flights = flights
        self._steady = clock.steady
        self._rests_until = float("-inf")

    def _credential(self, fields: Fields) -> bytes | None:
        cookies = sent_cookies(fields, self._cookies)
        authorization = self._sent_authorization(fields)
        return cookies + b"\0" + authorization if cookies or authorization else None

    def _is_cookie(self, credential: bytes) -> bool:
        return not credential.startswith(b"\0")

    def _sent_authorization(self, fields: Fields) -> bytes:
        return (header(fields, b"authorization") or b"") if self._authorization else b""

    def _nobody(self, fields: Fields) -> Rejected:
        browser = not self._sent_authorization(fields)
        return Rejected("anonymous", "Nobody is signed in with this credential.", browser=browser)

    def _judge(self, fields: Fields, credential: bytes, key: bytes) -> Awaitable[Identity]:
        if self._steady() < self._rests_until:
            raise Unavailable("a question was not answered just now")
        return self._ask(fields, credential, key)

    async def _ask(self, fields: Fields, credential: bytes, key: bytes) -> Identity:
        cookies, _, authorization = credential.partition(b"\0")
        try:
            status, body = await self._flights.join((self, key), lambda: self._monolith.ask(cookies, authorization))
        except Crowded:  # It is they who ask too much, which must not keep all others from being known.
            raise
        except Unavailable as error:
            self._rests_until = self._steady() + REST
            self._note(error)
            raise
        try:
            values = _answered(status, body)
        except Unavailable as error:
            self._note(error)
            self._remembered.put(key, UNSURE, self._now() + REST, len(credential))
            raise
        self._note(None)
        return self._found(values, key, self._now() + self._cache, len(credential) + len(body), fields)


def _answered(status: int, body: bytes) -> Mapping[str, Any]:
    """What the application says; nothing for nobody. Many send whoever is not signed in to a login page elsewhere."""
    if status in {204, 301, 302, 303, 307, 308, 401, 403, 404}:
        return {}
    if status != 200:
        raise Unavailable(f"the answer to who that is has the status {status}")
    try:
        values = json.loads(body) if body.strip() else None
    except (ValueError, RecursionError):
        raise Unavailable("the answer to who that is is not JSON") from None
    return values if isinstance(values, dict) else {}
