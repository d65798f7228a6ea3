"""The OpenAPI document of the shop, valid for all of its faces."""

from collections.abc import Iterator
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from shop.web.identity import SESSION_COOKIE
from shop.web.problems import ProblemDocument

SECURITY_SCHEMES = {
    "bearer": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"},
    "session": {"type": "apiKey", "in": "cookie", "name": SESSION_COOKIE},
}
TAGS = [
    {"name": "catalog", "description": "Products and categories"},
    {"name": "inventory", "description": "Stock, adjustments and reservations"},
    {"name": "customers", "description": "Accounts, sessions and tokens"},
    {"name": "orders", "description": "Cart, checkout and orders"},
    {"name": "payments", "description": "Payments and refunds"},
    {"name": "notifications", "description": "Messages to customers"},
    {"name": "health", "description": "For whoever runs it"},
]


def openapi_document(app: FastAPI) -> dict[str, Any]:
    """What FastAPI derives from the routers, with the shop's own problems in place of FastAPI's."""
    document = get_openapi(
        title=app.title, version=app.version, description=app.description, routes=app.routes, tags=TAGS
    )
    components = document["components"]
    components["securitySchemes"] = SECURITY_SCHEMES
    problem = ProblemDocument.model_json_schema(ref_template="#/components/schemas/{model}")
    components["schemas"] |= problem.pop("$defs") | {ProblemDocument.__name__: problem}
    for unused in ("HTTPValidationError", "ValidationError"):
        components["schemas"].pop(unused, None)
    for operation in _operations(document):
        responses = operation["responses"]
        # FastAPI adds its own 422 wherever there is a parameter; those of the shop name the problem document.
        if "HTTPValidationError" in str(responses.get("422")):
            del responses["422"]
        if "401" in responses and operation["operationId"] not in {"log_in", "issue_token"}:
            operation["security"] = [{"bearer": []}, {"session": []}]
        for parameter in operation.get("parameters", []):
            if parameter["name"] == "Idempotency-Key":  # optional to FastAPI, so that its absence is the shop's problem
                parameter |= {"required": True, "schema": {"type": "string", "pattern": "^[!-~]{1,255}$"}}
    return document


def _operations(document: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for path in document["paths"].values():
        yield from path.values()
