"""Path parameters that every service writes in the same way, and paths that no route may take."""

from starlette.convertors import Convertor, register_url_convertor
from starlette.types import ASGIApp, Receive, Scope, Send

from chassis.problems import NotFound


class IdConvertor(Convertor[int]):
    """`{name:id}`: 1 to 18 digits without leading zero. Whatever else stands there makes it another, unknown path."""

    regex = "[1-9][0-9]{0,17}"

    def convert(self, value: str) -> int:
        return int(value)

    def to_string(self, value: int) -> str:
        return str(value)


def register_convertors() -> None:
    """Make `{name:id}` known to the router. To be called before a route uses it; calling it again changes nothing."""
    register_url_convertor("id", IdConvertor())


class ExactPathMiddleware:
    """The router's expressions end in `$`, which overlooks a newline: `/api/products%0A` would be `/api/products`."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["path"].endswith("\n"):
            await NotFound().response()(scope, receive, send)
        else:
            await self.app(scope, receive, send)
