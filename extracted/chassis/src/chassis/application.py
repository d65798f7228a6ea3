"""Put a service together: its routers, with ids, metrics, errors, health and documentation around them."""

import contextlib
from collections.abc import AsyncIterator, Callable, Mapping, Sequence

from fastapi import APIRouter, FastAPI
from starlette.middleware import Middleware

from chassis.correlation import CorrelationMiddleware
from chassis.docs import add_docs
from chassis.heads import HeadMiddleware
from chassis.health import Check, health_router
from chassis.observation import AccessLog, Metrics, ObservationMiddleware
from chassis.paths import ExactPathMiddleware
from chassis.problems import ProblemMiddleware, add_problem_handlers
from chassis.settings import ServiceSettings
from chassis.shadowing import ShadowingMiddleware, ShadowMetrics

Lifespan = Callable[[FastAPI], contextlib.AbstractAsyncContextManager[None]]


def create_app(
    *,
    title: str,
    version: str,
    settings: ServiceSettings,
    routers: Sequence[APIRouter],
    checks: Mapping[str, Check],
    lifespan: Lifespan,
    metrics: Metrics | None = None,
) -> FastAPI:
    """Return the application. `checks` are what `/readyz` asks; `lifespan` opens and closes what the routers use."""
    metrics = metrics or Metrics()
    access_log = AccessLog(settings.access_log) if settings.access_log else None

    @contextlib.asynccontextmanager
    async def whole_life(app: FastAPI) -> AsyncIterator[None]:
        with access_log or contextlib.nullcontext():
            async with lifespan(app):
                yield

    app = FastAPI(
        title=title,
        version=version,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        lifespan=whole_life,
        # In the order in which a request meets them.
        middleware=[
            Middleware(CorrelationMiddleware),
            Middleware(ObservationMiddleware, metrics=metrics, access_log=access_log),
            Middleware(ShadowingMiddleware, secret=settings.shadow_key, metrics=ShadowMetrics(metrics.registry)),
            Middleware(ProblemMiddleware),
            Middleware(ExactPathMiddleware),
            Middleware(HeadMiddleware),
        ],
    )
    add_problem_handlers(app)
    add_docs(app)
    app.include_router(health_router(checks))
    app.include_router(metrics.router())
    for router in routers:
        app.include_router(router)
    return app
