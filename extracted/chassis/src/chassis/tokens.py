"""Bearer tokens: EdDSA JWTs that another application signs and whose public keys it publishes."""

import time
from collections.abc import Callable, Mapping
from typing import Any

import jwt

from chassis.keys import ALGORITHM, KeySet
from chassis.problems import Problem

# Headers by which a token names the key to believe it with. None is ever followed; a token that tries is refused.
_KEY_POINTERS = frozenset({"jku", "jwk", "x5u", "x5c"})


CLOCK_SKEW_SECONDS = 5
"""How far in the future `iat` and `nbf` may lie: machines' clocks differ a little."""


class Unauthenticated(Problem):
    """401. `invalid` says that credentials were sent and are not good, as RFC 6750 §3.1 wants to be told."""

    def __init__(self, detail: str, *, realm: str, invalid: bool) -> None:
        challenge = f'Bearer realm="{realm}"' + (', error="invalid_token"' if invalid else "")
        headers = {"WWW-Authenticate": challenge}
        super().__init__(401, "unauthenticated", "Authentication required", detail, headers=headers)


class Forbidden(Problem):
    """403: the caller is known, and lacks a role."""

    def __init__(self, role: str) -> None:
        super().__init__(403, "forbidden", "Forbidden", f"This needs the role {role}.")


class TokenRefused(Exception):
    """The token does not prove who sends it. The message is for the log: it helps whoever forges one."""


class TokenVerifier:
    """Judges tokens by signature, times, issuer, audience, and by whether they carry all `required` claims."""

    def __init__(
        self,
        keys: KeySet,
        *,
        issuer: str,
        audience: str,
        required: frozenset[str] = frozenset(),
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._keys = keys
        self._clock = clock
        self._issuer = issuer
        self._audience = audience
        self._required = sorted(required | {"exp", "iss", "aud", "sub"})

    async def verify(self, token: str) -> Mapping[str, Any]:
        """Return the claims of a good token. Raises TokenRefused, or KeysUnavailable when nothing can be judged."""
        try:
            header = jwt.get_unverified_header(token)
        except jwt.InvalidTokenError as error:
            raise TokenRefused("the token is malformed") from error
        if header.get("alg") != ALGORITHM:
            raise TokenRefused(f"the token must be signed with {ALGORITHM}")
        if _KEY_POINTERS & header.keys():
            raise TokenRefused("the token names a key of its own")
        kid = header.get("kid")
        key = await self._keys.get(kid) if isinstance(kid, str) else None
        if key is None:
            raise TokenRefused("the token is signed with an unknown key")
        try:
            claims: dict[str, Any] = jwt.decode(
                token,
                key,
                algorithms=[ALGORITHM],
                issuer=self._issuer,
                audience=self._audience,
                # The times are judged below, by a clock that tests can set.
                options={"require": self._required, "verify_exp": False, "verify_iat": False, "verify_nbf": False},
            )
        except jwt.InvalidTokenError as error:
            raise TokenRefused(f"the token is not valid: {error}") from error
        self._check_times(claims)
        return claims

    def _check_times(self, claims: Mapping[str, Any]) -> None:
        now = self._clock()
        times = {name: claims[name] for name in ("iat", "nbf", "exp") if name in claims}
        if not all(isinstance(value, int | float) and not isinstance(value, bool) for value in times.values()):
            raise TokenRefused("a time in the token is no number")
        if now >= times["exp"]:
            raise TokenRefused("the token has expired")
        if now + CLOCK_SKEW_SECONDS < max(times.get("iat", now), times.get("nbf", now)):
            raise TokenRefused("the token is from the future")
