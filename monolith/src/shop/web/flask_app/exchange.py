"""From a Flask request to a use case and back: the caller, the body, the query, the answer."""

from collections.abc import Callable, Mapping
from typing import TypeVar

from flask import Response, current_app, request
from pydantic import BaseModel

from shop.application import Shop
from shop.kernel.caller import Caller
from shop.kernel.errors import Problem
from shop.web.answers import JSON, PRIVATE
from shop.web.identity import SESSION_COOKIE, identify
from shop.web.problems import problem_body, problem_headers
from shop.web.requests import check_body_size, check_body_type, idempotency_key, parse_json, validate, validate_query

M = TypeVar("M", bound=BaseModel)


def shop() -> Shop:
    return current_app.extensions["shop"]


def signed_in() -> Caller:
    """Whoever asks; refuses strangers."""
    return identify(shop().customers, request.method, request.headers, request.cookies.get(SESSION_COOKIE))


def staff() -> Caller:
    """A member of staff; refuses all others."""
    caller = signed_in()
    caller.require_staff()
    return caller


def json_body() -> object:
    """The parsed body, before its model judges it."""
    check_body_size(request.content_length or 0)
    check_body_type(request.headers)
    raw = request.get_data(cache=False)
    check_body_size(len(raw))
    return parse_json(raw)


def posted(model: type[M]) -> M:
    """The body of a public endpoint."""
    return validate(model, json_body())


def submitted(model: type[M], by: Callable[[], Caller]) -> tuple[Caller, M]:
    """The caller, and the body: read before the caller is known, validated after."""
    raw = json_body()
    return by(), validate(model, raw)


def submitted_once(model: type[M], by: Callable[[], Caller]) -> tuple[Caller, str, M]:
    """The caller, the idempotency key, and the body."""
    raw = json_body()
    caller = by()
    return caller, idempotency_key(request.headers), validate(model, raw)


def query(model: type[M]) -> M:
    return validate_query(model, request.args.to_dict(flat=False))


def answer(content: BaseModel, status: int = 200, headers: Mapping[str, str] = PRIVATE) -> Response:
    return Response(content.model_dump_json(), status, headers, content_type=JSON)


def nothing(status: int = 204, headers: Mapping[str, str] = PRIVATE) -> Response:
    """An answer without a body."""
    response = Response(status=status, headers=headers)
    del response.headers["Content-Type"]
    return response


def problem_answer(problem: Problem) -> Response:
    return Response(problem_body(problem), problem.status, problem_headers(problem))
