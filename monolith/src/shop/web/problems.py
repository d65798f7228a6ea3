"""Problems as they go over the wire (RFC 9457), the same for every face."""

from collections.abc import Iterable, Mapping
from typing import Any

from pydantic import BaseModel
from pydantic_core import to_json

from shop.kernel.errors import FieldError, InvalidToken, MethodNotAllowed, Problem, Unauthenticated, ValidationFailed

PROBLEM_JSON = "application/problem+json"
TYPE_BASE = "https://shop.example/problems/"


class FieldProblem(BaseModel):
    """One invalid field. Here for the OpenAPI document."""

    field: str
    message: str


class ProblemDocument(BaseModel):
    """The shape of every error. Here for the OpenAPI document."""

    type: str
    title: str
    status: int
    detail: str
    errors: list[FieldProblem] | None = None


def problem_body(problem: Problem) -> bytes:
    document: dict[str, Any] = {
        "type": TYPE_BASE + problem.slug,
        "title": problem.title,
        "status": problem.status,
        "detail": problem.detail,
    }
    if isinstance(problem, ValidationFailed):
        document["errors"] = [{"field": error.field, "message": error.message} for error in problem.errors]
    return to_json(document)


def problem_headers(problem: Problem) -> dict[str, str]:
    """The headers that go with it, `Content-Type` included."""
    headers = {"Content-Type": PROBLEM_JSON, "Cache-Control": "no-store"}
    if isinstance(problem, MethodNotAllowed):
        headers["Allow"] = ", ".join(problem.allowed)
    if isinstance(problem, InvalidToken):
        headers["WWW-Authenticate"] = 'Bearer realm="shop", error="invalid_token"'
    elif isinstance(problem, Unauthenticated):
        headers["WWW-Authenticate"] = 'Bearer realm="shop"'
    return headers


def validation_failed(found: Iterable[Mapping[str, Any]]) -> ValidationFailed:
    """What Pydantic found (`ValidationError.errors()`), as a problem."""
    return ValidationFailed(*(FieldError(".".join(map(str, each["loc"])), _message(each)) for each in found))


def _message(found: Mapping[str, Any]) -> str:
    # Pydantic's own text for these names the model, which is nothing to the caller, and varies with how it was called.
    return "Input should be an object" if found["type"] in {"model_type", "model_attributes_type"} else found["msg"]
