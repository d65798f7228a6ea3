"""Build the service from its settings: database, keys and routes, opened and closed together."""

import contextlib
from collections.abc import AsyncIterator

from fastapi import FastAPI

from catalog_service import __version__
from catalog_service.routes import router
from catalog_service.service import Catalog
from catalog_service.settings import Settings
from catalog_service.tables import metadata
from chassis.application import create_app
from chassis.callers import REQUIRED_CLAIMS, Callers
from chassis.database import Database
from chassis.keys import KeySet, fetcher
from chassis.registration import register
from chassis.tokens import TokenVerifier


def build(settings: Settings) -> FastAPI:
    """Return the application. The keys are no readiness check: reads go on while their issuer is down."""
    database = Database(
        settings.async_database_url,
        pool_size=settings.pool_size,
        tables=metadata,
        shadow_share=settings.shadow_share,
    )
    catalog = Catalog(database)
    keys = KeySet(fetcher(settings.jwks))
    verifier = TokenVerifier(
        keys, issuer=settings.token_issuer, audience=settings.token_audience, required=REQUIRED_CLAIMS
    )

    @contextlib.asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        app.state.catalog = catalog
        app.state.callers = Callers(verifier, realm="shop")
        app.state.max_body_bytes = settings.max_body_bytes
        try:
            yield
        finally:
            await keys.aclose()
            await database.dispose()

    app = create_app(
        title="Catalog service",
        version=__version__,
        settings=settings,
        routers=[router],
        checks={"database": catalog.check},
        lifespan=lifespan,
    )
    if settings.register_with is not None:
        register(
            app,
            gateway=settings.register_with,
            upstream="catalog",
            address=settings.address,
            lease=settings.register_lease,
        )
    return app
