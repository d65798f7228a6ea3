"""Errors on the wire: problem+json (RFC 9457), in one shape for everything that goes wrong."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, cast

import orjson
import structlog
from fastapi import FastAPI
from fastapi.responses import Response
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.routing import BaseRoute, Match
from starlette.types import ASGIApp, Message, Receive, Scope, Send

TYPES = "https://shop.example/problems/"
MEDIA_TYPE = "application/problem+json"
_METHODS = ("DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT")
_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class FieldError:
    """What is wrong with one field: its dotted path in the body, or the name of its query parameter or header."""

    field: str
    message: str


class Problem(Exception):
    """Raised anywhere below a route, answered as problem+json. `kind` is the last part of the type's URL."""

    def __init__(
        self,
        status: int,
        kind: str,
        title: str,
        detail: str,
        *,
        headers: Mapping[str, str] | None = None,
        errors: Sequence[FieldError] | None = None,
    ) -> None:
        super().__init__(detail)
        self.status = status
        self.kind = kind
        self.title = title
        self.detail = detail
        self.headers = dict(headers or {})
        self.errors = errors

    def body(self) -> dict[str, Any]:
        found: dict[str, Any] = {
            "type": TYPES + self.kind,
            "title": self.title,
            "status": self.status,
            "detail": self.detail,
        }
        if self.errors is not None:
            found["errors"] = [{"field": error.field, "message": error.message} for error in self.errors]
        return found

    def response(self) -> Response:
        headers = {"Cache-Control": "no-store", **self.headers}
        return Response(orjson.dumps(self.body()), self.status, headers, MEDIA_TYPE)


class Invalid(Problem):
    """422: the request is well-formed, but some of what it says is not valid."""

    def __init__(self, *errors: FieldError) -> None:
        detail = "1 field is not valid." if len(errors) == 1 else f"{len(errors)} fields are not valid."
        super().__init__(422, "validation-failed", "Validation failed", detail, errors=errors)


class NotFound(Problem):
    def __init__(self, detail: str = "There is nothing at this path.") -> None:
        super().__init__(404, "not-found", "Not found", detail)


class MethodNotAllowed(Problem):
    def __init__(self, method: str, allowed: Sequence[str]) -> None:
        detail = f"{method} is not allowed here."
        allow = ", ".join(sorted(allowed))
        super().__init__(405, "method-not-allowed", "Method not allowed", detail, headers={"Allow": allow})


class InternalError(Problem):
    def __init__(self) -> None:
        super().__init__(500, "internal-error", "Internal error", "Something went wrong on our side.")


class NotReady(Problem):
    def __init__(self, detail: str) -> None:
        super().__init__(503, "not-ready", "Not ready", detail, headers={"Retry-After": "1"})


def allowed_methods(routes: Sequence[BaseRoute], scope: Scope) -> list[str]:
    """Return the methods that some route takes at the scope's path, with HEAD beside GET."""
    allowed = {
        method
        for method in _METHODS
        if any(route.matches({**scope, "method": method})[0] is Match.FULL for route in routes)
    }
    return sorted(allowed | {"HEAD"} if "GET" in allowed else allowed)


async def _answer_problem(_request: Request, error: Exception) -> Response:
    return cast("Problem", error).response()


async def _answer_http_exception(request: Request, error: Exception) -> Response:
    """Translate what the router itself raises."""
    raised = cast("HTTPException", error)
    match raised.status_code:
        case 404:
            return NotFound().response()
        case 405:
            return MethodNotAllowed(request.method, allowed_methods(request.app.routes, request.scope)).response()
        case status:
            phrase = HTTPStatus(status).phrase
            return Problem(status, phrase.lower().replace(" ", "-"), phrase, raised.detail).response()


def add_problem_handlers(app: FastAPI) -> None:
    app.add_exception_handler(Problem, _answer_problem)
    app.add_exception_handler(HTTPException, _answer_http_exception)


class ProblemMiddleware:
    """Logs an exception that nobody caught and answers it with 500, as long as nothing has been answered yet."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        answered = False

        async def send_noting_start(message: Message) -> None:
            nonlocal answered
            answered = answered or message["type"] == "http.response.start"
            await send(message)

        try:
            await self.app(scope, receive, send_noting_start)
        except Exception:
            if scope["type"] != "http":
                raise
            _log.exception("unexpected error", method=scope["method"], path=scope["path"])
            if answered:
                raise  # the server cuts the connection, so that half an answer is not taken for a whole one
            await InternalError().response()(scope, receive, send)
