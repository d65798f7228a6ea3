"""The shop in FastAPI: an application factory, and a router per module."""

import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from anyio.to_thread import current_default_thread_limiter
from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Receive, Scope, Send

from shop.application import Shop, build
from shop.kernel import errors
from shop.web.access_log import AccessLog, AsgiAccessLog
from shop.web.fastapi_app import catalog, customers, health, inventory, notifications, orders, payments
from shop.web.problems import problem_body, problem_headers, validation_failed
from strangler_kit.reporting import AsgiReport

log = logging.getLogger(__name__)


ROUTERS = (
    catalog.router,
    inventory.router,
    customers.router,
    customers.well_known,
    orders.router,
    payments.router,
    notifications.router,
    health.router,
)


class HttpRules:
    """Corrects two habits: FastAPI refuses HEAD where it serves GET; Starlette's patterns let a final newline pass."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        app = self._app
        if scope["type"] == "http" and scope["path"].endswith("\n"):
            app = problem_answer(errors.UnknownPath())
        elif scope["type"] == "http" and scope["method"] == "HEAD":
            # The server still knows that it was HEAD, and leaves the body out.
            scope = {**scope, "method": "GET", "shop.method": "HEAD"}
        await app(scope, receive, send)


def create_app(shop: Shop | None = None) -> FastAPI:
    """The ASGI application. Without a shop one is built from the environment."""
    shop = shop or build()
    app = FastAPI(
        title="Shop",
        version="1.0.0",
        description="The reference monolith. Its rules for all endpoints stand in docs/reference/shop-api.md.",
        lifespan=_lifespan,
        openapi_url=None,
        redirect_slashes=False,
        generate_unique_id_function=lambda route: route.name,
    )
    app.state.shop = shop
    for router in ROUTERS:
        app.include_router(router)
    app.add_exception_handler(errors.Problem, _problem)
    app.add_exception_handler(HTTPException, _refused_by_starlette)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(Exception, _unforeseen)
    app.add_middleware(HttpRules)
    app.add_middleware(AsgiReport, secret=shop.settings.shadow_key)
    if shop.settings.access_log is not None:
        app.add_middleware(AsgiAccessLog, log=AccessLog(shop.settings.access_log))
    return app


@asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncIterator[None]:
    shop: Shop = app.state.shop
    # Endpoints are plain functions: as many run at once as the other faces have threads.
    current_default_thread_limiter().total_tokens = shop.settings.threads
    yield
    shop.database.dispose()


def problem_answer(problem: errors.Problem) -> Response:
    return Response(problem_body(problem), problem.status, problem_headers(problem))


def _problem(_request: Request, problem: Exception) -> Response:
    assert isinstance(problem, errors.Problem)
    return problem_answer(problem)


def _refused_by_starlette(request: Request, refusal: Exception) -> Response:
    assert isinstance(refusal, HTTPException)
    match refusal.status_code:
        case 404:
            return problem_answer(errors.UnknownPath())
        case 405:
            method = request.scope.get("shop.method", request.method)
            return problem_answer(errors.MethodNotAllowed(method, _allowed(request)))
        case 400:
            return problem_answer(errors.MalformedJson())
        case _:
            return problem_answer(errors.InternalError())


def _allowed(request: Request) -> set[str]:
    """Every method of the path: Starlette itself names those of the first route that it finds."""
    path = request.scope["path"]
    allowed = {
        method
        for router in ROUTERS
        for route in router.routes
        if route.path_regex.match(path)
        for method in route.methods
    }
    return allowed | {"HEAD"} if "GET" in allowed else allowed


def _invalid(_request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    # FastAPI puts the part of the request in front of each place: body, query.
    return problem_answer(validation_failed({**found, "loc": found["loc"][1:]} for found in error.errors()))


def _unforeseen(_request: Request, error: Exception) -> Response:
    log.error("unforeseen failure", exc_info=error)
    return problem_answer(errors.InternalError())
