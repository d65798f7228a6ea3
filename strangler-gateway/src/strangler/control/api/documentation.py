"""``/docs`` without the internet: the page's assets come from an installed package."""

from typing import Any

from fastapi import FastAPI
from fastapi.openapi.docs import get_swagger_ui_html
from fastapi.responses import HTMLResponse
from starlette.staticfiles import StaticFiles
from swagger_ui_bundle import swagger_ui_path


def install(app: FastAPI) -> None:
    """Add the page, its assets and its reading of the schema."""
    app.mount("/docs/assets", StaticFiles(directory=swagger_ui_path), name="docs-assets")

    @app.get("/docs", include_in_schema=False)
    async def docs() -> HTMLResponse:
        return get_swagger_ui_html(
            openapi_url="/docs/openapi.json",
            title=app.title,
            swagger_js_url="/docs/assets/swagger-ui-bundle.js",
            swagger_css_url="/docs/assets/swagger-ui.css",
            swagger_favicon_url="/docs/assets/favicon-32x32.png",
        )

    @app.get("/docs/openapi.json", include_in_schema=False)
    async def schema_for_the_page() -> dict[str, Any]:
        # The packaged Swagger UI 4 shows OpenAPI 3.1 documents only if they call themselves 3.0. Programs read
        # /openapi.json.
        return app.openapi() | {"openapi": "3.0.3"}
