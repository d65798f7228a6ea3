"""From a Django request to a use case and back: the base view, the caller, the body, the query, the answer."""

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.views import View
from pydantic import BaseModel

from shop.application import Shop
from shop.kernel.caller import Caller
from shop.kernel.errors import MethodNotAllowed, Problem
from shop.web.answers import JSON, PRIVATE
from shop.web.identity import SESSION_COOKIE, identify
from shop.web.problems import problem_body, problem_headers
from shop.web.requests import (
    MAX_BODY_BYTES,
    check_body_size,
    check_body_type,
    idempotency_key,
    parse_json,
    validate,
    validate_query,
)

M = TypeVar("M", bound=BaseModel)


def shop() -> Shop:
    return settings.SHOP


class ApiView(View):
    """A view that answers as the shop does: methods that it has not are a problem, OPTIONS too."""

    http_method_names = ("get", "post", "put", "patch", "delete", "head")

    def http_method_not_allowed(self, request: HttpRequest, *_args: Any, **_kwargs: Any) -> HttpResponse:
        raise MethodNotAllowed(request.method or "", self._allowed_methods())


def signed_in(request: HttpRequest) -> Caller:
    """Whoever asks; refuses strangers."""
    return identify(shop().customers, request.method or "", request.headers, request.COOKIES.get(SESSION_COOKIE))


def staff(request: HttpRequest) -> Caller:
    """A member of staff; refuses all others."""
    caller = signed_in(request)
    caller.require_staff()
    return caller


def json_body(request: HttpRequest) -> object:
    """The parsed body, before its model judges it."""
    length = request.headers.get("Content-Length") or "0"
    check_body_size(int(length) if length.isdecimal() else 0)
    check_body_type(request.headers)
    # Not `request.body`: it takes a chunked body, which announces no length, for an empty one. The server ends the
    # stream (`wsgi.input_terminated`).
    raw = request.META["wsgi.input"].read(MAX_BODY_BYTES + 1)
    check_body_size(len(raw))
    return parse_json(raw)


def posted(request: HttpRequest, model: type[M]) -> M:
    """The body of a public endpoint."""
    return validate(model, json_body(request))


def submitted(request: HttpRequest, model: type[M], by: Callable[[HttpRequest], Caller]) -> tuple[Caller, M]:
    """The caller, and the body: read before the caller is known, validated after."""
    raw = json_body(request)
    return by(request), validate(model, raw)


def submitted_once(request: HttpRequest, model: type[M], by: Callable[[HttpRequest], Caller]) -> tuple[Caller, str, M]:
    """The caller, the idempotency key, and the body."""
    raw = json_body(request)
    caller = by(request)
    return caller, idempotency_key(request.headers), validate(model, raw)


def query(request: HttpRequest, model: type[M]) -> M:
    return validate_query(model, dict(request.GET.lists()))


def answer(content: BaseModel, status: int = 200, headers: Mapping[str, str] = PRIVATE) -> HttpResponse:
    return HttpResponse(content.model_dump_json(), status=status, headers=dict(headers), content_type=JSON)


def nothing(status: int = 204, headers: Mapping[str, str] = PRIVATE) -> HttpResponse:
    """An answer without a body."""
    response = HttpResponse(status=status, headers=dict(headers))
    del response.headers["Content-Type"]
    return response


def problem_answer(problem: Problem) -> HttpResponse:
    return HttpResponse(problem_body(problem), status=problem.status, headers=problem_headers(problem))
