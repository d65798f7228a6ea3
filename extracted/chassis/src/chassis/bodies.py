"""Read a JSON body under a size limit and judge it by a model, each failure with its own status."""

import re
from typing import Any, TypeVar

import orjson
from pydantic import BaseModel, ValidationError
from starlette.datastructures import Headers
from starlette.requests import ClientDisconnect, Request

from chassis.problems import FieldError, Invalid, Problem

Model = TypeVar("Model", bound=BaseModel)

_JSON = re.compile(r'application/json[ \t]*(;[ \t]*charset=("utf-8"|utf-8)[ \t]*)?', re.IGNORECASE)


class ContentTooLarge(Problem):
    def __init__(self, limit: int) -> None:
        detail = f"The body is larger than {limit} bytes."
        super().__init__(413, "content-too-large", "Content too large", detail)


class UnsupportedMediaType(Problem):
    def __init__(self) -> None:
        super().__init__(415, "unsupported-media-type", "Unsupported media type", "The body must be application/json.")


class MalformedJson(Problem):
    def __init__(self) -> None:
        super().__init__(400, "malformed-json", "Malformed JSON", "The body is not valid JSON.")


async def read_json(request: Request, limit: int) -> Any:
    """Return the parsed body of at most `limit` bytes. Raises 413, then 415, then 400."""
    body = await _read(request, limit)
    if not _is_json(request.headers):
        raise UnsupportedMediaType
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise MalformedJson from error


async def _read(request: Request, limit: int) -> bytes:
    declared = request.headers.get("content-length", "")
    if declared.isascii() and declared.isdigit() and int(declared) > limit:
        raise ContentTooLarge(limit)
    body = bytearray()
    try:
        async for chunk in request.stream():
            body += chunk
            if len(body) > limit:
                raise ContentTooLarge(limit)
    except ClientDisconnect as error:
        raise MalformedJson from error
    return bytes(body)


def _is_json(headers: Headers) -> bool:
    identity = headers.get("content-encoding", "identity").strip().lower() == "identity"
    return identity and _JSON.fullmatch(headers.get("content-type", "").strip()) is not None


def validated(model: type[Model], document: Any) -> Model:
    """Return `document` as a `model`; raise Invalid with all that is wrong, unknown keys last."""
    try:
        return model.model_validate(document)
    except ValidationError as error:
        found = error.errors(include_url=False, include_context=False, include_input=False)
        raise Invalid(*(FieldError(".".join(map(str, item["loc"])), item["msg"]) for item in found)) from error


def json_body(model: type[BaseModel]) -> dict[str, Any]:
    """Return the `openapi_extra` of a route that reads its body with `read_json` and judges it by `model`."""
    schema = model.model_json_schema(ref_template="#/components/schemas/{model}")
    return {"requestBody": {"required": True, "content": {"application/json": {"schema": schema}}}}
