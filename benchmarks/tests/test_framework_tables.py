"""The tables of the comparison of frameworks: equal sizes, right answers told from wrong ones, numbered requests."""

import asyncio
import json
import os
import subprocess
import sys
import time
from pathlib import Path

import jwt
import pytest
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from yardstick.frameworks.django_orm.settings import database
from yardstick.frameworks.endpoints import BY_NAME, CATALOGS, ENDPOINTS, FACES, Ask, json_ask, of, stock
from yardstick.frameworks.servers import SERVERS, Combination, combinations
from yardstick.frameworks.slow_server import BODY, serve
from yardstick.frameworks.visitors import CUSTOMERS, FIRST_CUSTOMER, Issuer, Visitors
from yardstick.gateway.running import free_ports


@pytest.fixture
def visitors() -> Visitors:
    return Visitors(Issuer(), 50, stocked=[3, 4, 5])


def test_all_combinations_have_equal_sizes_and_say_so() -> None:
    for workers, threads in ((1, 8), (2, 4)):
        for one in combinations(workers=workers, threads=threads):
            printed = one.printed()
            assert printed["workers"] == workers
            assert printed["threads"] in {threads, "none"}
            assert printed["connections to the database kept"] == threads
            told = one.environment("url", Path("keys"), "pem", "downstream")
            assert {told[f"{prefix}_POOL_SIZE"] for prefix in ("SHOP", "CATALOG")} == {str(threads)}


def test_every_implementation_is_there_with_every_server_on_both_databases() -> None:
    names = [str(one) for one in combinations()]
    assert len(names) == len(set(names)) == 2 * sum(map(len, SERVERS.values())) - len(SERVERS["django-async"])
    assert {f"{face}-{server}-sqlite" for face in FACES for server in ("gunicorn", "granian")} <= set(names)
    assert {"fastapi-uvicorn-postgresql", "catalog-service-uvicorn-sqlite", "django-orm-gunicorn-sqlite"} <= set(names)


@pytest.mark.parametrize(
    "wrong",
    [
        ("flask", "uvicorn", "sqlite", 1),
        ("flask", "gunicorn", "mysql", 1),
        ("pyramid", "gunicorn", "sqlite", 1),
        ("catalog-service", "uvicorn", "sqlite", 2),
    ],
)
def test_what_nobody_runs_or_what_would_not_be_equal_is_no_combination(wrong: tuple[str, str, str, int]) -> None:
    with pytest.raises(ValueError, match=r"no flask|no pyramid|one process"):
        Combination(*wrong)


@pytest.mark.parametrize("one", combinations(workers=2, threads=5), ids=str)
def test_the_command_line_carries_the_sizes(one: Combination) -> None:
    command = one.command(20_001)
    assert command[command.index("--workers") + 1] == "2"
    option = {"gunicorn": "--threads", "granian": "--blocking-threads"}.get(one.server)
    if one.interface == "wsgi" and option is not None:
        assert command[command.index(option) + 1] == "5"
    assert any("20001" in part for part in command)


def test_endpoints_are_those_of_the_face_or_of_the_catalog() -> None:
    for implementation in CATALOGS:
        names = [endpoint.name for endpoint in of(implementation)]
        assert names[:4] == ["read", "list", "search", "create"]
        assert (len(names) == len(ENDPOINTS)) == (implementation in FACES)
    assert of("another") == ()


@pytest.mark.parametrize("endpoint", ENDPOINTS, ids=lambda endpoint: endpoint.name)
def test_the_same_number_is_the_same_request(endpoint: object, visitors: Visitors) -> None:
    asking = BY_NAME[endpoint.name]  # type: ignore[attr-defined]
    assert asking.ask(visitors, 5) == asking.ask(visitors, 5)
    varies = asking.name in {"read", "list", "search", "create", "checkout"}
    assert (asking.ask(visitors, 5) != asking.ask(visitors, 6)) == varies


@pytest.mark.parametrize("endpoint", ENDPOINTS, ids=lambda endpoint: endpoint.name)
@pytest.mark.parametrize("body", [b"", b"{}", b"[]", b"null", b'{"items": 7}', b"Hello"])
@pytest.mark.parametrize("status", [200, 201, 404, 500])
def test_another_answer_is_wrong(endpoint: object, body: bytes, status: int, visitors: Visitors) -> None:
    assert BY_NAME[endpoint.name].wrong(visitors, 1, status, body)  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("name", "answer"),
    [
        ("read", {"id": 1, "price": {}}),
        ("list", {"items": [{"category_id": 1, "active": True, "price": {"amount": "9"}}], "total": 2}),
        ("search", {"items": [{"name": "Brass chair", "description": ""}], "total": 1}),
        ("create", {"sku": "BENCH-0-2", "version": 1}),
        ("checkout", {"items": [{"product_id": 3}]}),
        ("login", {"email": "staff@shop.example"}),
        ("json", {"id": 8}),
        ("validate", {"cents": 1, "items": 10, "quantity": 55}),
        ("slow", {"source": "another", "value": 42}),
    ],
)
def test_the_right_answer_to_another_question_is_wrong(name: str, answer: object, visitors: Visitors) -> None:
    said = BY_NAME[name].wrong(visitors, 1 if name != "search" else 0, 200, json.dumps(answer).encode())
    assert said.startswith("not the answer") or name in {"create", "checkout"}
    assert BY_NAME[name].wrong(visitors, 1 if name != "search" else 0, 201, json.dumps(answer).encode())


def test_stocking_fails_loudly(visitors: Visitors) -> None:
    with pytest.raises(RuntimeError, match="no products"):
        stock(visitors, lambda _: (500, b"oops"))
    listed = json.dumps({"items": [{"id": 9, "sku": "A"}]}).encode()
    with pytest.raises(RuntimeError, match="A cannot be stocked"):
        stock(visitors, lambda ask: (200, listed) if ask.method == "GET" else (403, b"no"))
    stock(visitors, lambda ask: (200, listed) if ask.method == "GET" else (201, b""))
    assert visitors.stocked == [9]


def test_products_are_asked_for_in_turn_all_of_them(visitors: Visitors) -> None:
    assert {visitors.product(number) for number in range(50)} == set(range(1, 51))


def test_tokens_are_verified_by_the_published_key(visitors: Visitors) -> None:
    (jwk,) = json.loads(visitors.issuer.key_set)["keys"]
    token = visitors.customer(CUSTOMERS + 7)["Authorization"].removeprefix("Bearer ")
    key = jwt.PyJWK(jwk).key
    claims = jwt.decode(token, key, algorithms=["EdDSA"], audience="shop", issuer="https://shop.example")
    assert (claims["sub"], claims["roles"]) == (str(FIRST_CUSTOMER + 7), ["customer"])
    assert jwt.get_unverified_header(token)["kid"] == jwk["kid"]
    assert load_pem_private_key(visitors.issuer.private_pem.encode(), None) is not None
    assert visitors.customer(7) == visitors.customer(CUSTOMERS + 7)


def test_a_body_is_sent_with_its_type() -> None:
    assert json_ask("POST", "/x", {"a": 1}, {"B": "c"}) == Ask(
        "POST", "/x", {"Content-Type": "application/json", "B": "c"}, b'{"a":1}'
    )


@pytest.mark.parametrize(
    ("url", "named"),
    [
        ("sqlite:///relative.db", {"NAME": "relative.db"}),
        ("sqlite:////var/shop%20one.db", {"NAME": "/var/shop one.db"}),
        (
            "postgresql://ada:se%40cret@db.example:6432/shop",
            {"NAME": "shop", "USER": "ada", "PASSWORD": "se@cret", "HOST": "db.example", "PORT": "6432"},
        ),
        (
            "postgresql://postgres@/shop?host=/run/pg",
            {"NAME": "shop", "USER": "postgres", "HOST": "/run/pg", "PORT": ""},
        ),
    ],
)
def test_django_takes_the_databases_that_the_shop_takes(url: str, named: dict[str, str]) -> None:
    found = database(url)
    assert {name: found[name] for name in named} == named
    assert found["CONN_MAX_AGE"] is None


_STORED = """
import django
from datetime import UTC, datetime
from django.db import connection
django.setup()
from yardstick.frameworks.django_orm.models import Instant
print(Instant().get_db_prep_value(datetime(2026, 1, 31, 9, 30, tzinfo=UTC), connection))
"""


def test_django_stores_times_in_sqlite_as_the_shop_does() -> None:
    environment = os.environ | {"DJANGO_SETTINGS_MODULE": "yardstick.frameworks.django_orm.settings"}
    environment["DATABASE_URL"] = "sqlite:///:memory:"
    done = subprocess.run([sys.executable, "-c", _STORED], env=environment, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "2026-01-31 09:30:00.000000", "texts sort as times do"


def test_the_slow_server_lets_all_wait_at_the_same_time() -> None:
    asyncio.run(_ask_together(count=50, seconds=0.2))


async def _ask_together(count: int, seconds: float) -> None:
    (port,) = free_ports(1)
    server = asyncio.create_task(serve(port, seconds))
    await asyncio.sleep(0)
    began = time.monotonic()
    bodies = await asyncio.gather(*(_ask_twice(port) for _ in range(count)))
    took = time.monotonic() - began
    server.cancel()
    assert bodies == [BODY * 2] * count
    assert 2 * seconds <= took < 2 * seconds + 5, "one after the other they would wait for 20 s"


async def _ask_twice(port: int) -> bytes:
    while True:
        try:
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            break
        except ConnectionError:
            await asyncio.sleep(0.01)
    found = b""
    for _ in range(2):
        writer.write(b"GET / HTTP/1.1\r\nHost: x\r\n")
        await writer.drain()
        writer.write(b"\r\n")  # a head may come in pieces
        head = await reader.readuntil(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 200 OK\r\n")
        found += await reader.readexactly(len(BODY))
    writer.close()
    return found
