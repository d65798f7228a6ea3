"""Who may use the admin API: whoever has the token; without one, programs on this machine that mean it."""

import hmac
from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from strangler.control.admin_address import is_loopback
from strangler.control.api.problems import problem


class AccessRule:
    """An ASGI application that lets through to another what may pass."""

    def __init__(self, app: ASGIApp, token: str | None) -> None:
        self._app = app
        self._token = token.encode() if token is not None else None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer 401 or 403, or pass the request on."""
        if scope["type"] == "http":
            headers = Headers(scope=scope)
            refusal = self._refuse_without_token(headers) if self._token is None else self._refuse(scope, headers)
            if refusal is not None:
                status, detail = refusal
                challenge = {"WWW-Authenticate": 'Bearer realm="strangler"'} if status == 401 else None
                await problem(status, detail, challenge)(scope, receive, send)
                return
        await self._app(scope, receive, send)

    def _refuse(self, scope: Scope, headers: Headers) -> tuple[int, str] | None:
        if not scope["path"].startswith("/api/"):
            return None
        scheme, _, given = headers.get("authorization", "").partition(" ")
        assert self._token is not None
        if scheme.lower() == "bearer" and hmac.compare_digest(given.strip().encode(), self._token):
            return None
        return 401, "this needs «Authorization: Bearer TOKEN», with the token that the gateway was started with"

    @staticmethod
    def _refuse_without_token(headers: Headers) -> tuple[int, str] | None:
        """A web page in a browser on this machine can reach loopback. It cannot choose its Host (DNS rebinding:
        the name is its own) or hide its Origin."""
        host = _host(headers.get("host", ""))
        if host is None or not is_loopback(host):
            return 403, f"the Host «{headers.get('host', '')}» is not this machine's; use 127.0.0.1 or localhost"
        origin = headers.get("origin")
        if origin is not None and origin.partition("://")[2] != headers["host"]:
            return 403, f"requests from pages of {origin} are refused"
        return None


def _host(authority: str) -> str | None:
    try:
        return urlsplit(f"//{authority}").hostname
    except ValueError:
        return None
