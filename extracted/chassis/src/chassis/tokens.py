"""Bearer tokens: EdDSA JWTs that another application signs and whose public keys it publishes."""

from collections.abc import Mapping
from typing import Any

import jwt

from chassis.keys import ALGORITHM, KeySet
from chassis.problems import Problem

# Headers by which a token names the key to believe it with. None is ever followed; a token that tries is refused.
_KEY_POINTERS = frozenset({"jku", "jwk", "x5u", "x5c"})


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

    def __init__(self, keys: KeySet, *, issuer: str, audience: str, required: frozenset[str] = frozenset()) -> None:
        self._keys = keys
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
                options={"require": self._required, "strict_aud": True},
            )
        except jwt.ExpiredSignatureError as error:
            raise TokenRefused("the token has expired") from error
        except jwt.InvalidTokenError as error:
            raise TokenRefused("the token is not valid") from error
        return claims
