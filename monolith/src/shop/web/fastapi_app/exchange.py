"""What FastAPI's endpoints share: the strict reading of bodies, and the dependencies that say who asks."""

from collections.abc import Callable, Coroutine, Mapping
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Header, Request, Response
from fastapi.routing import APIRoute
from starlette.convertors import Convertor, register_url_convertor
from starlette.types import Receive, Scope

from shop.application import Shop
from shop.kernel.caller import Caller
from shop.web import leftovers
from shop.web.answers import PRIVATE
from shop.web.identity import SESSION_COOKIE, identify
from shop.web.problems import ProblemDocument
from shop.web.requests import (
    ID_PATTERN,
    MAX_BODY_BYTES,
    SKU_PATTERN,
    check_body_size,
    check_body_type,
    idempotency_key,
    parse_json,
)


class IdConvertor(Convertor[int]):
    """`{product_id:id}`"""

    regex = ID_PATTERN

    def convert(self, value: str) -> int:
        return int(value)

    def to_string(self, value: int) -> str:
        return str(value)


class SkuConvertor(Convertor[str]):
    """`{sku:sku}`"""

    regex = SKU_PATTERN

    def convert(self, value: str) -> str:
        return value

    def to_string(self, value: str) -> str:
        return value


# Before the first router is made: routes look the convertors up when they are declared.
register_url_convertor("id", IdConvertor())
register_url_convertor("sku", SkuConvertor())


PROBLEM_SCHEMA = {"$ref": f"#/components/schemas/{ProblemDocument.__name__}"}


NOT_MODIFIED: dict[int | str, dict[str, Any]] = {304: {"description": "Not modified"}}


def problems(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """The errors of an endpoint, for the OpenAPI document."""
    return {
        status: {"description": "Problem", "content": {"application/problem+json": {"schema": PROBLEM_SCHEMA}}}
        for status in statuses
    }


class JsonRequest(Request):
    """A request whose body has been read and parsed already."""

    def __init__(self, scope: Scope, receive: Receive, raw: bytes, parsed: object) -> None:
        super().__init__(scope, receive)
        self._body = raw
        self._parsed = parsed

    async def json(self) -> Any:
        # FastAPI takes None for "no body": any other value that is no object is reported as what it is.
        return [] if self._parsed is None else self._parsed


class StrictRoute(APIRoute):
    """Reads bodies by the shop's rules (size, type, syntax) before FastAPI validates them."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        handle = super().get_route_handler()
        if self.body_field is None:
            return handle

        async def read_and_handle(request: Request) -> Response:
            raw = await _bounded_body(request)
            check_body_type(request.headers)
            return await handle(JsonRequest(request.scope, request.receive, raw, parse_json(raw)))

        return read_and_handle


async def _bounded_body(request: Request) -> bytes:
    """The body. One that is too large is read on for a while and thrown away: a connection that is closed on a client
    which is still sending takes the answer with it."""
    body, size = bytearray(), 0
    async for chunk in request.stream():
        size += len(chunk)
        if size <= MAX_BODY_BYTES:
            body += chunk
        if size > leftovers.MAX_BYTES:
            break
    check_body_size(size)
    return bytes(body)


async def get_shop(request: Request) -> Shop:
    return request.app.state.shop


TheShop = Annotated[Shop, Depends(get_shop)]


def signed_in(request: Request, shop: TheShop) -> Caller:
    """Whoever asks; refuses strangers."""
    return identify(shop.customers, request.method, request.headers, request.cookies.get(SESSION_COOKIE))


SignedIn = Annotated[Caller, Depends(signed_in)]


async def staff(caller: SignedIn) -> Caller:
    """A member of staff; refuses all others."""
    caller.require_staff()
    return caller


Staff = Annotated[Caller, Depends(staff)]


async def required_key(
    request: Request,
    _documented: Annotated[str | None, Header(alias="Idempotency-Key", description="Required.")] = None,
) -> str:
    return idempotency_key(request.headers)


Key = Annotated[str, Depends(required_key)]


async def no_store(response: Response) -> None:
    """What is true of all answers unless an endpoint says otherwise."""
    response.headers.update(PRIVATE)


def module_router(tag: str) -> APIRouter:
    """A router by the shop's rules."""
    return APIRouter(prefix="/api", tags=[tag], route_class=StrictRoute, dependencies=[Depends(no_store)])


def nothing(status: int = 204, headers: Mapping[str, str] = PRIVATE) -> Response:
    """An answer without a body."""
    return Response(status_code=status, headers=dict(headers))
