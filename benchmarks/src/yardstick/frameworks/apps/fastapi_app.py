"""The shop in FastAPI with the endpoints that isolate the framework: ``create_app``."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, TypedDict

import httpx
from fastapi import APIRouter, FastAPI, Request
from fastapi.responses import PlainTextResponse

from shop.application import Shop
from shop.web.fastapi_app import create_app as create_shop
from shop.web.fastapi_app.exchange import StrictRoute
from yardstick.frameworks.apps.documents import DOCUMENT, TEXT, Order, Sum, add_up
from yardstick.frameworks.apps.downstream import LIMITS, TIMEOUT, address


class State(TypedDict):
    downstream: httpx.AsyncClient


@asynccontextmanager
async def _lifespan(_app: FastAPI) -> AsyncIterator[State]:
    async with httpx.AsyncClient(limits=LIMITS, timeout=TIMEOUT, trust_env=False) as client:
        yield {"downstream": client}


router = APIRouter(prefix="/bench", tags=["bench"], route_class=StrictRoute, lifespan=_lifespan)


@router.get("/plaintext", response_class=PlainTextResponse)
async def plaintext() -> str:
    return TEXT


@router.get("/json")
async def json() -> dict[str, Any]:
    return DOCUMENT


@router.post("/validate")
async def validate(order: Order) -> Sum:
    return add_up(order)


@router.get("/slow")
async def slow(request: Request) -> dict[str, Any]:
    downstream: httpx.AsyncClient = request.state.downstream
    answer: dict[str, Any] = (await downstream.get(address())).raise_for_status().json()
    return answer


def create_app(shop: Shop | None = None) -> FastAPI:
    """The ASGI application. Without a shop one is built from the environment."""
    app = create_shop(shop)
    app.include_router(router)
    return app
