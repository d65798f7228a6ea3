"""Judging a request before a use case sees it: body, query, conditions and idempotency keys. No framework here."""

import re
from collections.abc import Mapping
from typing import Protocol, TypeVar

import orjson
from pydantic import BaseModel, ValidationError

from shop.kernel.errors import (
    ContentTooLarge,
    FieldError,
    MalformedJson,
    PreconditionFailed,
    UnsupportedMediaType,
    ValidationFailed,
)
from shop.web.problems import validation_failed

MAX_BODY_BYTES = 65_536
ID_PATTERN = "[1-9][0-9]{0,17}"
"""Ids in paths: what does not match is an unknown path. Eighteen digits always fit into 64 bits."""
SKU_PATTERN = "[A-Za-z0-9][A-Za-z0-9._-]{0,63}"

M = TypeVar("M", bound=BaseModel)

_MEDIA_TYPE = re.compile(r'application/json[ \t]*(;[ \t]*charset="?utf-8"?[ \t]*)?', re.IGNORECASE)
_ENTITY_TAG = re.compile(r'(W/)?("[\x21\x23-\x7e\x80-\xff]*")')  # RFC 9110 §8.8.3
_IDEMPOTENCY_KEY = re.compile(r"[!-~]{1,255}")


class Headers(Protocol):
    """Request headers as all three frameworks have them: looked up whatever the case."""

    def get(self, name: str, /) -> str | None: ...


def check_body_size(size: int) -> None:
    if size > MAX_BODY_BYTES:
        raise ContentTooLarge(MAX_BODY_BYTES)


def check_body_type(headers: Headers) -> None:
    """Refuse by its headers a body that is no JSON."""
    if not _MEDIA_TYPE.fullmatch((headers.get("Content-Type") or "").strip()):
        raise UnsupportedMediaType
    if (headers.get("Content-Encoding") or "identity").strip().lower() != "identity":
        raise UnsupportedMediaType


def parse_json(raw: bytes) -> object:
    try:
        return orjson.loads(raw)
    except orjson.JSONDecodeError as error:
        raise MalformedJson from error


def validate(model: type[M], value: object) -> M:
    """Read a body or a query into its model. Raises ValidationFailed."""
    try:
        return model.model_validate(value)
    except ValidationError as error:
        raise validation_failed(error.errors(include_url=False)) from error


def validate_query(model: type[M], values: Mapping[str, list[str]]) -> M:
    """Of a repeated parameter the last counts."""
    return validate(model, {name: given[-1] for name, given in values.items() if given})


def etag(version: int) -> str:
    return f'"{version}"'


def not_modified(headers: Headers, version: int) -> bool:
    """Whether `If-None-Match` holds the tag (weak comparison, RFC 9110 §13.1.2)."""
    given = headers.get("If-None-Match")
    if given is None:
        return False
    return given.strip() == "*" or any(tag == etag(version) for _weak, tag in _ENTITY_TAG.findall(given))


class IfMatch:
    """The precondition `If-Match`, for use once the version is locked (strong comparison, RFC 9110 §13.1.1)."""

    def __init__(self, headers: Headers) -> None:
        self._given = headers.get("If-Match")

    def __call__(self, version: int) -> None:
        if self._given is None or self._given.strip() == "*":
            return
        if not any(not weak and tag == etag(version) for weak, tag in _ENTITY_TAG.findall(self._given)):
            raise PreconditionFailed(etag(version))


def idempotency_key(headers: Headers) -> str:
    key = headers.get("Idempotency-Key")
    if key is None:
        raise ValidationFailed(FieldError("Idempotency-Key", "Field required"))
    if not _IDEMPOTENCY_KEY.fullmatch(key):
        raise ValidationFailed(FieldError("Idempotency-Key", "Should have 1 to 255 visible ASCII characters"))
    return key
