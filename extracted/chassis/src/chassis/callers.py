"""Who is asking: the caller that a bearer token names, for routes to depend on."""

from dataclasses import dataclass

import structlog
from starlette.requests import Request

from chassis.keys import KeysUnavailable
from chassis.problems import NotReady
from chassis.tokens import Forbidden, TokenRefused, TokenVerifier, Unauthenticated

REQUIRED_CLAIMS = frozenset({"iss", "aud", "sub", "roles", "iat", "exp", "jti"})
_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Caller:
    """A signed-in customer."""

    id: int
    roles: frozenset[str]


class Callers:
    """Tells callers by their bearer tokens. A session cookie means nothing here: only its issuer can read it."""

    def __init__(self, verifier: TokenVerifier, *, realm: str) -> None:
        self._verifier = verifier
        self._realm = realm

    async def signed_in(self, request: Request) -> Caller:
        """Return the caller; raise 401 if there is none, and 503 if nobody can say."""
        authorization = request.headers.get("authorization")
        if authorization is None:
            raise Unauthenticated("This needs a signed-in caller.", realm=self._realm, invalid=False)
        scheme, _, token = authorization.strip().partition(" ")
        try:
            if scheme.lower() != "bearer":
                raise TokenRefused(f"the scheme is {scheme[:20]!r}")
            claims = await self._verifier.verify(token.strip())
            return Caller(_customer_id(claims["sub"]), _roles(claims["roles"]))
        except TokenRefused as error:
            _log.info("token refused", why=str(error))
            raise Unauthenticated("The token is not valid.", realm=self._realm, invalid=True) from error
        except KeysUnavailable as error:
            raise NotReady("The token issuer's keys cannot be fetched.") from error

    async def having(self, role: str, request: Request) -> Caller:
        """Return the caller if it has `role`; raise 403 otherwise."""
        caller = await self.signed_in(request)
        if role not in caller.roles:
            raise Forbidden(role)
        return caller


def _customer_id(claim: str) -> int:
    if not (claim.isascii() and claim.isdigit() and len(claim) <= 18):
        raise TokenRefused("the claim `sub` is no customer id")
    return int(claim)


def _roles(claim: object) -> frozenset[str]:
    if not isinstance(claim, list) or not all(isinstance(role, str) for role in claim):
        raise TokenRefused("the claim `roles` is no list of names")
    return frozenset(claim)
