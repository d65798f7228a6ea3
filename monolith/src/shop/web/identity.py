"""Who is asking: the bearer token or the session cookie, and whether a browser was sent here by another site."""

from urllib.parse import urlsplit

from shop.kernel.caller import Caller
from shop.kernel.errors import CrossSiteRequest, InvalidToken, SignInRequired
from shop.modules.customers.public import Customers
from shop.web.requests import Headers

SESSION_COOKIE = "shop_session"
SAFE_METHODS = frozenset({"GET", "HEAD"})


def identify(customers: Customers, method: str, headers: Headers, session_token: str | None) -> Caller:
    """The caller. Raises SignInRequired, InvalidToken or CrossSiteRequest.

    A cookie goes with every request that a browser makes, whoever made it ask; so unsafe requests that it
    authenticates must come from the shop's own pages. A bearer token is never sent unasked.
    """
    authorization = headers.get("Authorization")
    if authorization is not None:
        scheme, _, token = authorization.partition(" ")
        if scheme.lower() != "bearer":
            raise InvalidToken
        return customers.caller_of_token(token.strip())
    caller = customers.caller_of_session(session_token) if session_token else None
    if caller is None:
        raise SignInRequired
    if method not in SAFE_METHODS:
        refuse_cross_site(headers)
    return caller


def refuse_cross_site(headers: Headers) -> None:
    """Let pass what comes from the same origin, or from no browser: browsers always send one of the two headers."""
    site = headers.get("Sec-Fetch-Site")
    if site is not None:
        if site not in {"same-origin", "none"}:
            raise CrossSiteRequest
        return
    origin = headers.get("Origin")
    if origin is not None and _authority(origin) != (headers.get("Host") or "").lower():
        raise CrossSiteRequest


def _authority(origin: str) -> str | None:
    try:
        return urlsplit(origin).netloc.lower()
    except ValueError:  # an unfinished IPv6 address
        return None
