"""Bearer tokens: JWTs in compact form (RFC 7519), judged strictly (RFC 8725)."""

import json
import math
from collections.abc import Awaitable, Mapping
from typing import Any, Final

from strangler.model.authentication import Jwt, Names
from strangler.policies.credentials import bearer
from strangler.policies.guard import Guarded
from strangler.policies.identity import Identity, identity_of
from strangler.policies.kept import Kept
from strangler.policies.keys import KeySet, decode_part
from strangler.policies.method import Outcomes
from strangler.policies.ports import Clock
from strangler.policies.refusals import Rejected, Unavailable
from strangler.policies.remembered import NOT_KNOWN, Remembered, digest

LONGEST = 16 * 1024
"""Bytes of a token."""
_POINTERS = frozenset(("jku", "jwk", "x5u", "x5c", "crit", "b64"))
"""Headers by which a token says how to be judged. It is judged by what is configured; one that tries is refused."""
_UNKNOWN_KEY = "unknown_key"
_BEARER: Final = "the bearer token's digest"
"""What it is remembered by in a header section: it is the same for every issuer."""
_NOT_LOOKED: Final = object()


class BearerTokens:
    """``Authorization: Bearer`` with tokens of one issuer."""

    challenge = b"Bearer"

    def __init__(self, settings: Jwt, names: Names, keys: Kept[KeySet], outcomes: Outcomes, clock: Clock) -> None:
        self.outcomes = outcomes
        self._settings = settings
        self._names = names
        self._audience = frozenset(settings.audience)
        self._keys = keys
        self._now = clock.wall
        self._remembered = Remembered()

    def identify(self, request: Guarded) -> Identity | Awaitable[Identity | None] | None:
        """Who sent the token. The same token again costs two look-ups, as long as it and the keys are good."""
        fields = request.head.fields
        key = fields.memo.get(_BEARER, _NOT_LOOKED)
        if key is _NOT_LOOKED:
            token = bearer(fields)
            key = fields.memo[_BEARER] = digest(token) if token is not None else None
        if key is None:
            return None
        keys = self._keys.current()
        remembered = self._remembered
        remembered.adopt(keys)
        known = remembered.get(key, self._now())
        if known is not NOT_KNOWN and known is not None:
            self.outcomes.cached.value += 1
            return known
        token = bearer(fields)
        assert token is not None
        if keys is None:
            return self._look_again(token, key, "no keys are known")
        try:
            return self._accept(token, key, keys)
        except Rejected as rejected:
            if rejected.reason != _UNKNOWN_KEY:
                raise
            return self._look_again(token, key, str(rejected), rejected)

    def refresh(self) -> None:
        """Begin to fetch the keys again if it is time."""
        self._keys.current()

    def _look_again(
        self, token: bytes, key: bytes, why: str, rejected: Rejected | None = None
    ) -> Awaitable[Identity | None]:
        """The issuer may have new keys. Where it cannot be asked, nobody can say whether the token is good."""
        newer = self._keys.look_again()
        if newer is not None:
            return self._accept_after(newer, token, key)
        if rejected is not None and not self._keys.failing:
            raise rejected
        raise Unavailable(why)

    async def _accept_after(self, newer: Awaitable[None], token: bytes, key: bytes) -> Identity | None:
        await newer
        keys = self._keys.current()
        if keys is None:
            raise Unavailable("no keys can be had")
        self._remembered.adopt(keys)
        try:
            return self._accept(token, key, keys)
        except Rejected as rejected:
            if rejected.reason == _UNKNOWN_KEY and self._keys.failing:
                raise Unavailable("the token's key is not known, and the issuer cannot be asked for it") from None
            raise

    def _accept(self, token: bytes, key: bytes, keys: KeySet) -> Identity:
        claims = verified_claims(token, keys)
        until = self._judge(claims)
        identity = identity_of(claims, self._names, self.outcomes.authenticator, until)
        if identity is None:
            raise Rejected("malformed", f"The token has no claim {self._names.subject}.")
        self._remembered.put(key, identity, until, len(token))
        self.outcomes.accepted.value += 1
        return identity

    def _judge(self, claims: Mapping[str, Any]) -> float:
        """Whose the token is, for whom, and when; returns the moment at which it ends."""
        settings, now = self._settings, self._now()
        if claims.get("iss") != settings.issuer:
            raise Rejected("wrong_issuer", "The token is by another issuer.")
        if self._audience:
            audience = claims.get("aud")
            named = audience if isinstance(audience, list) else [audience]
            if not any(isinstance(name, str) and name in self._audience for name in named):
                raise Rejected("wrong_audience", "The token is for another audience.")
        until = _time(claims, "exp")
        if until is None:
            raise Rejected("malformed", "The token does not say when it expires.")
        until += settings.leeway
        if now >= until:
            raise Rejected("expired", "The token has expired.")
        for name in ("nbf", "iat"):
            begins = _time(claims, name)
            if begins is not None and now + settings.leeway < begins:
                raise Rejected("not_yet_valid", "The token is not valid yet.")
        return until


def verified_claims(token: bytes, keys: KeySet) -> dict[str, Any]:
    """The claims of a token that one of these keys has signed. Raises ``Rejected``."""
    if len(token) > LONGEST:
        raise Rejected("malformed", f"The token is longer than {LONGEST} bytes.")
    signed, _, last = token.rpartition(b".")
    parts = signed.split(b".")
    try:
        if len(parts) != 2:
            raise ValueError
        head, payload, signature = _object(decode_part(parts[0])), decode_part(parts[1]), decode_part(last)
    except ValueError:
        raise Rejected("malformed", "The token is malformed.") from None
    algorithm, kid = head.get("alg"), head.get("kid")
    if not _POINTERS.isdisjoint(head):
        raise Rejected("pointer", "The token says itself how to be judged.")
    if not isinstance(algorithm, str) or not isinstance(kid, str | None):
        raise Rejected("malformed", "The token is malformed.")
    candidates = keys.named(kid, algorithm)
    if candidates is None:
        raise Rejected(_UNKNOWN_KEY, "The token is signed by an unknown key.")
    if not candidates:
        raise Rejected("wrong_algorithm", "The token is not signed by the algorithm of its key.")
    if not any(key.verifies(signed, signature) for key in candidates):
        raise Rejected("bad_signature", "The token's signature is not valid.")
    try:
        return _object(payload)
    except ValueError:
        raise Rejected("malformed", "The token is malformed.") from None


def _object(data: bytes) -> dict[str, Any]:
    try:
        value = json.loads(data)
    except RecursionError:
        raise ValueError("too deep") from None
    if not isinstance(value, dict):
        raise ValueError("not a JSON object")
    return value


def _time(claims: Mapping[str, Any], name: str) -> float | None:
    value = claims.get(name)
    if value is None:
        return None
    try:
        moment = float(value) if isinstance(value, int | float) and not isinstance(value, bool) else math.nan
    except OverflowError:  # JSON's numbers have no end.
        moment = math.inf
    if not math.isfinite(moment):
        raise Rejected("malformed", f"The claim {name} is no time.")
    return moment
