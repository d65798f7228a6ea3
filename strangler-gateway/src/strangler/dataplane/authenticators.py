"""The authenticators of a worker, built from a snapshot; those that did not change keep what they know."""

import ssl
import time
from collections.abc import Callable
from functools import partial
from typing import TypeVar

from strangler.adapters.secrets import read_file, read_secret
from strangler.dataplane.flights import TaskFlights
from strangler.dataplane.secrets import fetch_file
from strangler.dataplane.who_am_i import AskingUpstream
from strangler.model.authentication import ApiKeys, Authenticator, Jwt
from strangler.model.errors import StranglerError
from strangler.model.route import Route
from strangler.model.snapshot import Snapshot
from strangler.policies.api_keys import KeyTable, KnownKeys, read_key_file
from strangler.policies.authentication import Authentication
from strangler.policies.authorization import Authorization
from strangler.policies.guard import Guard
from strangler.policies.kept import Kept, Pace
from strangler.policies.keys import KeySet, key_from_secret, keys_in
from strangler.policies.method import Method, Outcomes
from strangler.policies.onward import Onward
from strangler.policies.ports import Clock
from strangler.policies.refusals import Unavailable
from strangler.policies.sessions import AskedSession, CookieSession, TableSession
from strangler.policies.signed_cookies import COOKIE_SALT, TABLE_SALT, DjangoCookies, FlaskCookies
from strangler.policies.signing import signer
from strangler.policies.tokens import BearerTokens
from strangler.telemetry.meters import Meters
from strangler.upstream.asking import Unanswered, fetch
from strangler.upstream.balancers import Balancers

T = TypeVar("T")
FILE_PACE = Pace(refresh=5.0, look_again=1.0, retry=5.0)
"""A key file is looked at every few seconds, from a thread."""
UNKNOWN_KEY_PAUSE = 60.0
"""Seconds between two fetches because of tokens that name a key which is not known."""
RETRY = 5.0
"""Seconds before an issuer that did not answer is asked again."""


class Authenticators:
    """By name. What ``prepare`` makes ready changes nothing before it is adopted."""

    def __init__(self, balancers: Balancers, meters: Meters) -> None:
        self._balancers = balancers
        self._meters = meters
        self._flights = TaskFlights()
        self._clock = Clock(time.time, time.monotonic)
        self._by_name: dict[str, tuple[Authenticator, Method]] = {}

    def prepare(self, snapshot: Snapshot) -> "Prepared":
        """Make ready what a snapshot asks for. Raises ``StranglerError`` where a secret or key cannot be used."""
        by_name: dict[str, tuple[Authenticator, Method]] = {}
        for settings in snapshot.authenticators:
            known = self._by_name.get(settings.name)
            by_name[settings.name] = known if known and known[0] == settings else (settings, self._built(settings))
        sign = None
        token = snapshot.identity.token
        if token is not None:
            sign = _naming("identity.token", lambda: signer(read_secret(token.key)))
        return Prepared(by_name, Onward(snapshot.identity, sign, self._clock.wall))

    def adopt(self, prepared: "Prepared | None") -> None:
        """Keep these from now on, or none; the others are not asked any more."""
        by_name = prepared.by_name if prepared is not None else {}
        for name, (_, method) in self._by_name.items():
            if isinstance(method, TableSession) and by_name.get(name, (None, None))[1] is not method:
                method.retire()
        self._by_name = by_name

    def look_again(self) -> None:
        """Have keys fetched that are due, though nobody asks: one that was taken away is not good for once more after a
        quiet night. Called twice a second."""
        for _, method in self._by_name.values():
            if isinstance(method, BearerTokens | KnownKeys):
                method.refresh()

    def _built(self, settings: Authenticator) -> Method:
        return _naming(f"authentication.{settings.name}", lambda: self._build(settings))

    def _build(self, settings: Authenticator) -> Method:
        outcomes = Outcomes(settings.name, self._meters)
        if settings.jwt is not None:
            keys = self._token_keys(settings.name, settings.jwt)
            return BearerTokens(settings.jwt, settings.names, keys, outcomes, self._clock)
        if settings.api_keys is not None:
            return KnownKeys(settings.api_keys, self._key_file(settings.name, settings.api_keys), outcomes)
        session = self._session(settings, outcomes)
        session.origins = frozenset(origin.encode() for origin in settings.origins)
        return session

    def _session(self, settings: Authenticator, outcomes: Outcomes) -> CookieSession | AskedSession:
        flask, django, ask, names = settings.flask_session, settings.django_session, settings.ask, settings.names
        if flask is not None:
            cookies = FlaskCookies([read_secret(secret) for secret in flask.secrets], flask.salt, flask.max_age)
            return CookieSession(flask.cookie, cookies, names, outcomes, self._clock)
        if ask is not None:
            monolith = AskingUpstream(ask, partial(self._balancers.named, ask.upstream))
            return AskedSession(ask, names, outcomes, self._clock, monolith=monolith, flights=self._flights)
        assert django is not None
        secrets = [read_secret(secret) for secret in django.secrets]
        if django.database is None:
            reader = DjangoCookies(secrets, COOKIE_SALT, django.max_age)
            return CookieSession(django.cookie, reader, names, outcomes, self._clock)
        from strangler.dataplane.session_table import ThreadedSessions  # noqa: PLC0415 - it loads SQLAlchemy

        url = read_secret(django.database).decode("utf-8", "replace")
        return TableSession(
            django.cookie,
            DjangoCookies(secrets, TABLE_SALT, None),
            names,
            outcomes,
            self._clock,
            table=ThreadedSessions(url, django.table, django.timeout),
            flights=self._flights,
            cache=django.cache,
        )

    def _key_file(self, name: str, settings: ApiKeys) -> Kept[KeyTable] | None:
        if not settings.file:
            return None
        what = f"the API keys of {name}"
        kept = Kept(what, partial(fetch_file, settings.file), read_key_file, FILE_PACE, self._flights, self._clock)
        kept.take(read_file(settings.file))
        return kept

    def _token_keys(self, name: str, settings: Jwt) -> Kept[KeySet]:
        keys, what = settings.keys, f"the keys of {name}"
        if keys.url:
            tls = ssl.create_default_context(cafile=keys.ca_file or None) if keys.url.startswith("https:") else None
            fetching = partial(_document, keys.url, keys.timeout, tls)
            pace = Pace(keys.refresh, UNKNOWN_KEY_PAUSE, RETRY, keys.max_stale)
            kept = Kept(
                what, fetching, partial(keys_in, algorithms=settings.algorithms), pace, self._flights, self._clock
            )
            kept.current()  # Begin to fetch, so that the first request need not wait for it.
            return kept
        path = keys.file
        parse: Callable[[bytes], KeySet] = partial(keys_in, algorithms=settings.algorithms)
        if keys.secret is not None and keys.secret.env:
            return self._fixed(what, read_secret(keys.secret), settings)
        if keys.secret is not None:
            path = keys.secret.file
            parse = _secret_keys(settings)
        kept = Kept(what, partial(fetch_file, path), parse, FILE_PACE, self._flights, self._clock)
        kept.take(read_file(path))
        return kept

    def _fixed(self, what: str, secret: bytes, settings: Jwt) -> Kept[KeySet]:
        async def again() -> bytes:
            return secret  # An environment does not change while a process runs.

        kept = Kept(what, again, _secret_keys(settings), Pace(3600.0, 3600.0, 3600.0), self._flights, self._clock)
        kept.take(secret)
        return kept


class Prepared:
    """What the routes of one snapshot are guarded by."""

    def __init__(self, by_name: dict[str, tuple[Authenticator, Method]], onward: Onward) -> None:
        self.by_name = by_name
        self.onward = onward

    def guards(self, route: Route) -> tuple[Guard, ...]:
        """Who asks, and whether they may: nothing for a route that does not want to know."""
        wanted = route.authentication
        if wanted is None:
            return ()
        methods = [self.by_name[name][1] for name in wanted.by]
        anonymous = wanted.when_unavailable == "anonymous"
        first = Authentication(methods, required=wanted.required, anonymous_if_unavailable=anonymous)
        return (first,) if route.authorization is None else (first, Authorization(route.authorization))


async def _document(url: str, timeout: float, tls: ssl.SSLContext | None) -> bytes:  # noqa: ASYNC109
    try:
        return await fetch(url, timeout=timeout, tls=tls)
    except Unanswered as why:
        raise Unavailable(str(why)) from None


def _secret_keys(settings: Jwt) -> Callable[[bytes], KeySet]:
    return lambda document: key_from_secret(document.rstrip(b"\r\n"), settings.algorithms)


def _naming(place: str, build: Callable[[], T]) -> T:
    try:
        return build()
    except (StranglerError, OSError) as error:
        raise AuthenticatorUnusable(f"{place}: {error}") from error


class AuthenticatorUnusable(StranglerError):
    """An authenticator that cannot be set up, with the place in the configuration and what is wrong."""
