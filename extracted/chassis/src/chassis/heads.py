"""HEAD for every GET: routed as GET, answered with its headers; the server leaves the body out."""

from starlette.types import ASGIApp, Receive, Scope, Send


class HeadMiddleware:
    """FastAPI answers HEAD with 405 unless each route names it, and each would then stand twice in the OpenAPI page."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] != "HEAD":
            await self.app(scope, receive, send)
            return
        # A copy, since the server decides by its own scope whether to send the body.
        as_get = {**scope, "method": "GET"}
        try:
            await self.app(as_get, receive, send)
        finally:
            scope["route"] = as_get.get("route")
