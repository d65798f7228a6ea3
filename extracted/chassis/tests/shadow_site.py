"""A database as somebody else sees it, and requests with the gateway's mark."""

import time
from typing import Any

import httpx
import pytest
from sqlalchemy import Engine, create_engine, make_url, text

from strangler_kit.effects import decode, encode
from strangler_kit.marks import make

from .shadowed_service import SECRET, metadata

State = dict[str, list[Any]]
Before = list[dict[str, Any]]


on_postgresql = pytest.mark.parametrize(
    "url", [pytest.param("postgresql", marks=pytest.mark.postgresql)], indirect=True
)


class Site:
    """The database as somebody else sees it."""

    def __init__(self, url: str) -> None:
        parsed = make_url(url)
        if parsed.get_backend_name() != "sqlite":
            parsed = parsed.set(drivername="postgresql+psycopg")
        self.engine: Engine = create_engine(parsed)
        metadata.create_all(self.engine)
        with self.engine.begin() as connection:
            rows = ", ".join(f"({number}, 't{number}', {number})" for number in (1, 2, 3))
            connection.execute(text(f"INSERT INTO things (id, name, size) VALUES {rows}"))
            if self.engine.dialect.name == "postgresql":
                connection.execute(text("SELECT setval('things_id_seq', 4)"))

    def state(self) -> State:
        with self.engine.connect() as connection:
            return {
                name: [tuple(row) for row in connection.execute(text(f"SELECT * FROM {name} ORDER BY id"))]
                for name in metadata.tables
            }


def marks(method: str, target: str, before: Before | None = None, **changes: Any) -> dict[str, str]:
    """The headers of a shadowed request."""
    given: dict[str, Any] = {"purpose": "shadow", "secret": SECRET, "age": 0} | changes
    made = time.time() - given["age"]
    mark = make(given["secret"].encode(), given["purpose"], method, target, made, "n" * 16)
    headers = {"X-Strangler-Shadow": mark}
    return headers if before is None else headers | {"X-Strangler-Before": encode({"v": 1, "rows": before})}


def shadow(client: httpx.Client, method: str, target: str, before: Before | None = None, **more: Any) -> httpx.Response:
    return client.request(method, target, headers=marks(method, target, before), **more)


def effects(answer: httpx.Response) -> dict[str, Any]:
    assert answer.headers["x-strangler-shadowed"] == "rolled-back", (answer.headers, answer.text)
    report = decode(answer.headers["x-strangler-effects"])
    assert report["complete"], report
    return report
