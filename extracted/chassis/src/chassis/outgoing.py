"""Calls to others, which a shadowed request may tell of and not make.

What goes out of a service goes through here: what moves money, sends mail or is written elsewhere cannot be rolled
back.
"""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any, TypeVar

import httpx

from chassis.shadow import Outcome, current_shadow
from strangler_kit.effects import call

T = TypeVar("T")


async def outgoing(
    name: str, arguments: Mapping[str, Any], make: Callable[[], Awaitable[T]], *, stub: Callable[[], T] | None = None
) -> T:
    """Make a call, or tell of it while a request is shadowed, and answer with what `stub` gives.

    `name` is the port's (`payments.charge`), and the same on the monolith's side; `arguments` are JSON. Without a stub
    a request that makes the call cannot be shadowed: it ends, and the gateway is told.
    """
    shadow = current_shadow()
    if shadow is None:
        return await make()
    call(name, arguments)
    if stub is None:
        raise shadow.fail(Outcome.REFUSED, f"{name} has no stub for shadowed requests")
    return stub()


class OutgoingTransport(httpx.AsyncBaseTransport):
    """For an `httpx.AsyncClient`: a shadowed request that gets this far is refused, as by `outgoing` without a stub."""

    def __init__(self, inner: httpx.AsyncBaseTransport | None = None) -> None:
        self._inner = inner or httpx.AsyncHTTPTransport()

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        shadow = current_shadow()
        if shadow is None:
            return await self._inner.handle_async_request(request)
        raise shadow.fail(Outcome.REFUSED, f"{request.method} to {request.url.host} was on its way out")

    async def aclose(self) -> None:
        await self._inner.aclose()
