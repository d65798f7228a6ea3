"""The shop in FastAPI with the endpoints that isolate the framework: ``create_app``."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, TypedDict

import aiohttp
from fastapi import APIRouter, FastAPI, Request
from fastapi.responses import PlainTextResponse

from shop.application import Shop
from shop.web.fastapi_app import create_app as create_shop
from shop.web.fastapi_app.exchange import StrictRoute
from yardstick.frameworks.apps.documents import DOCUMENT, TEXT, Order, Sum, add_up
from yardstick.frameworks.apps.downstream import address, for_coroutines


class State(TypedDict):
    downstream: aiohttp.ClientSession


@asynccontextmanager
async def _lifespan(_app: FastAPI) -> AsyncIterator[State]:
    async with for_coroutines() as session:
        yield {"downstream": session}


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
    downstream: aiohttp.ClientSession = request.state.downstream
    async with downstream.get(address()) as answer:
        document: dict[str, Any] = await answer.json()
    return document


def create_app(shop: Shop | None = None) -> FastAPI:
    """The ASGI application. Without a shop one is built from the environment."""
    app = create_shop(shop)
    app.include_router(router)
    return app
