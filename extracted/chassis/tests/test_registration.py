"""A service registers itself; whatever the gateway does, the service serves."""

import asyncio
import json
from collections.abc import Callable

import httpx
import pytest
from fastapi import FastAPI

from chassis import registration


class Registry:
    """A gateway's registry that answers as it is told."""

    def __init__(self) -> None:
        self.status = 200
        self.heard: list[tuple[str, str, dict[str, object]]] = []
        self.tokens: set[str | None] = set()

    def answer(self, request: httpx.Request) -> httpx.Response:
        self.tokens.add(request.headers.get("authorization"))
        self.heard.append((request.method, request.url.path, json.loads(request.content or b"{}")))
        if not self.status:
            raise httpx.ConnectError("nobody there")
        return httpx.Response(self.status, json={})

    async def until(self, condition: Callable[[], bool]) -> None:
        async with asyncio.timeout(10):
            while not condition():  # noqa: ASYNC110 - the answers come from a synchronous function
                await asyncio.sleep(0.01)


@pytest.fixture(name="registry")
def registry_in_place_of_http(monkeypatch: pytest.MonkeyPatch) -> Registry:
    registry = Registry()
    real = httpx.AsyncClient

    def client(**settings: object) -> httpx.AsyncClient:
        return real(**settings, transport=httpx.MockTransport(registry.answer))  # type: ignore[arg-type]

    monkeypatch.setattr(registration.httpx, "AsyncClient", client)
    monkeypatch.setattr(registration, "OPENING_TIME", 0.01)
    return registry


def an_app(**more: str) -> FastAPI:
    app = FastAPI()
    where = {"gateway": "http://gateway", "upstream": "catalog", "address": "127.0.0.1:1", "instance": "one"}
    registration.register(app, **{**where, **more}, lease=0.06)  # type: ignore[arg-type]
    return app


def test_it_registers_renews_and_leaves(registry: Registry) -> None:
    async def live() -> None:
        app = an_app(token="secret")
        async with app.router.lifespan_context(app):
            await registry.until(lambda: len(registry.heard) >= 3)

    asyncio.run(live())
    put = ("PUT", "/api/v1/registry/catalog/one", {"address": "127.0.0.1:1", "lease": 0.06})
    assert registry.heard[:3] == [put] * 3
    assert registry.heard[-1] == ("DELETE", "/api/v1/registry/catalog/one", {})
    assert registry.tokens == {"Bearer secret"}


@pytest.mark.parametrize("status", [0, 404, 500])
def test_a_gateway_that_is_away_or_refuses_is_asked_again_and_again(registry: Registry, status: int) -> None:
    registry.status = status

    async def live() -> None:
        app = an_app()
        async with app.router.lifespan_context(app):
            await registry.until(lambda: len(registry.heard) >= 3)
            registry.status = 200
            before = len(registry.heard)
            await registry.until(lambda: len(registry.heard) >= before + 2)
            registry.status = status

    asyncio.run(live())


def test_an_instance_has_a_name_of_its_own(registry: Registry) -> None:
    async def live() -> None:
        app = FastAPI()
        registration.register(app, gateway="http://gateway", upstream="a b", address="127.0.0.1:1", lease=0.06)
        async with app.router.lifespan_context(app):
            await registry.until(lambda: bool(registry.heard))

    asyncio.run(live())
    assert registry.heard[0][1].startswith("/api/v1/registry/a b/")
    assert registry.heard[0][1] != "/api/v1/registry/a b/"


@pytest.mark.parametrize("address", ["10.0.0.5", "10.0.0.5:", ":8091", "10.0.0.5:http", "http://10.0.0.5"])
def test_an_address_where_nobody_could_ask_is_refused_at_once(address: str) -> None:
    with pytest.raises(ValueError, match="write HOST:PORT"):
        an_app(address=address)
