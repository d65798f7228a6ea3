"""Puts the resources together."""

from typing import Any

from fastapi import APIRouter, FastAPI

from strangler.control.api import (
    config,
    documentation,
    explain,
    flips,
    health,
    history,
    holds,
    kills,
    problems,
    recordings,
    registry,
    routes,
    shadow,
    status,
)
from strangler.control.api import metrics as metrics_resource
from strangler.control.api.access import AccessRule
from strangler.control.plane import ControlPlane
from strangler.control.version import VERSION

DESCRIPTION = """Moves routes between the monolith and its services. Every change has an author and a reason, is in
the history, and is answered when every worker has it. Errors are `application/problem+json`."""


class AdminApi(FastAPI):
    """FastAPI, whose schema shows errors as what they are."""

    def openapi(self) -> dict[str, Any]:
        """The schema; a response's model would be shown as plain JSON beside problem+json."""
        is_new = self.openapi_schema is None
        schema = super().openapi()
        if is_new:
            for path in schema["paths"].values():
                for operation in path.values():
                    for response in operation["responses"].values():
                        content = response.get("content", {})
                        if problems.MEDIA_TYPE in content:
                            content.pop("application/json", None)
        return schema


def create_app(plane: ControlPlane, token: str | None = None) -> FastAPI:
    """The application. With a token every call under ``/api`` needs it; without one only this machine may call."""
    app = AdminApi(
        title="strangler admin API",
        version=VERSION,
        description=DESCRIPTION,
        docs_url=None,
        redoc_url=None,
    )
    app.state.plane = plane
    problems.install(app)
    app.add_middleware(AccessRule, token=token)
    api = APIRouter(prefix="/api/v1")
    for resource in (status, routes, flips, kills, holds, shadow, recordings, history, explain, config, registry):
        api.include_router(resource.router)
    app.include_router(api)
    for resource in (metrics_resource, health):
        app.include_router(resource.router)
    documentation.install(app)
    return app
