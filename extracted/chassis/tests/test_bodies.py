"""A body is judged by its size, then its type, then its syntax."""

from collections.abc import Iterator

import httpx
import pytest
from pydantic import BaseModel, ConfigDict

from chassis.bodies import validated
from chassis.problems import Invalid

JSON = {"Content-Type": "application/json"}


def chunks() -> Iterator[bytes]:
    yield b"[" + b" " * 60
    yield b" " * 60 + b"]"


@pytest.mark.parametrize(
    ("headers", "body", "status"),
    [
        (JSON, b'{"a":1}', 200),
        (JSON, b"[" + b" " * 98 + b"]", 200),
        (JSON, b"[" + b" " * 99 + b"]", 413),
        (JSON, chunks, 413),
        ({}, b"x" * 101, 413),
        ({"Content-Type": "application/json; charset=UTF-8"}, b"{}", 200),
        ({"Content-Type": 'Application/JSON;charset="utf-8"'}, b"{}", 200),
        ({"Content-Type": "application/json; charset=latin-1"}, b"{}", 415),
        ({"Content-Type": "text/json"}, b"{", 415),
        ({}, b"{}", 415),
        ({**JSON, "Content-Encoding": "gzip"}, b"{}", 415),
        ({**JSON, "Content-Encoding": "identity"}, b"{}", 200),
        (JSON, b"", 400),
        (JSON, b"{", 400),
        (JSON, b"NaN", 400),
        (JSON, b"\xef\xbb\xbf{}", 400),
        (JSON, b'"\\ud800"', 400),
        (JSON, b'"\xff"', 400),
    ],
)
def test_a_body_is_judged(headers: dict[str, str], body: object, status: int, client: httpx.Client) -> None:
    content = body() if callable(body) else body
    assert client.post("/api/things", headers=headers, content=content).status_code == status


class Inner(BaseModel):
    model_config = ConfigDict(strict=True, extra="forbid")
    amount: str


class Outer(BaseModel):
    model_config = ConfigDict(strict=True, extra="forbid")
    name: str
    items: list[Inner] = []


@pytest.mark.parametrize(
    ("document", "fields"),
    [
        ([], [""]),
        (None, [""]),
        ({}, ["name"]),
        ({"x": 1, "name": 2, "items": [{"amount": "1"}, {"amount": 1}]}, ["name", "items.1.amount", "x"]),
    ],
)
def test_what_is_not_valid_is_named_by_its_place(document: object, fields: list[str]) -> None:
    with pytest.raises(Invalid) as refused:
        validated(Outer, document)
    assert [error.field for error in refused.value.errors or ()] == fields
