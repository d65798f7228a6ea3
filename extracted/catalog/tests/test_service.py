"""The service beside the shop: same tables, same rules for SQLite, and tokens that it verifies by itself.

What it answers request by request is judged by the contract suite, together with the shop.
"""

import sqlite3
import threading
from pathlib import Path

import httpx
import pytest

from .conftest import STAFF, Serve, token

PRODUCT = {"sku": "A-1", "name": "Ärm chair", "description": "ﬁne", "price": {"amount": "12.5", "currency": "EUR"}}


def row(file: Path, table: str) -> dict[str, object]:
    with sqlite3.connect(file) as connection:
        connection.row_factory = sqlite3.Row
        (found,) = connection.execute(f"SELECT * FROM {table}").fetchall()
    connection.close()
    return dict(found)


def test_it_writes_rows_as_the_shop_does(client: httpx.Client, file: Path) -> None:
    created = client.post("/api/products", json=PRODUCT, headers=STAFF)
    assert created.status_code == 201, created.text
    stored = row(file, "catalog_products")
    assert (stored["name_key"], stored["search_text"]) == ("ärm chair", "ärm chair\nfine\na-1")
    assert (stored["price_minor"], stored["currency"], stored["active"], stored["version"]) == (1250, "EUR", 1, 1)
    # One form of time in the table, whoever wrote it: naive, UTC, six decimals.
    assert created.json()["created_at"] == str(stored["created_at"]).replace(" ", "T") + "Z"


def test_it_reads_times_that_the_shop_wrote(client: httpx.Client, file: Path) -> None:
    with sqlite3.connect(file) as connection:
        connection.execute(
            "INSERT INTO catalog_categories (name, name_key, slug, version, created_at, updated_at)"
            " VALUES ('Chairs', 'chairs', 'chairs', 3, '2026-01-01 00:00:00.000000', '2026-01-02 03:04:05.000600')"
        )
    connection.close()
    assert client.get("/api/categories/1").json() == {
        "id": 1,
        "name": "Chairs",
        "slug": "chairs",
        "version": 3,
        "created_at": "2026-01-01T00:00:00.000000Z",
        "updated_at": "2026-01-02T03:04:05.000600Z",
    }


def test_writers_wait_for_one_another(client: httpx.Client, file: Path) -> None:
    """A writer that began with a read lock would fail at once while another process writes."""
    other = sqlite3.connect(file, isolation_level=None, check_same_thread=False)
    other.execute("BEGIN IMMEDIATE")
    threading.Timer(0.5, other.execute, ["ROLLBACK"]).start()
    assert client.post("/api/products", json=PRODUCT, headers=STAFF).status_code == 201
    other.close()


def test_readers_do_not_wait_for_a_writer(client: httpx.Client, file: Path) -> None:
    other = sqlite3.connect(file, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    assert client.get("/api/products", timeout=2).status_code == 200
    other.execute("ROLLBACK")
    assert other.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    other.close()


def test_it_creates_no_tables_and_is_not_ready_without_them(serve: Serve, tmp_path: Path) -> None:
    empty = tmp_path / "empty.db"
    client = serve(DATABASE_URL=f"sqlite:///{empty}")
    answer = client.get("/readyz")
    assert (answer.status_code, answer.json()["checks"]) == (503, {"database": "OperationalError"})
    assert client.get("/livez").status_code == 200
    with sqlite3.connect(empty) as connection:
        assert connection.execute("SELECT name FROM sqlite_master").fetchall() == []
    connection.close()


def test_a_ready_service_says_what_it_looked_at(client: httpx.Client) -> None:
    assert client.get("/readyz").json() == {"status": "ok", "checks": {"database": "ok"}}


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 401),
        ({"Cookie": "shop_session=whatever"}, 401),
        ({"Authorization": f"Bearer {token('customer')}"}, 403),
        ({"Authorization": f"Bearer {token('staff')}"}, 201),
        ({"Authorization": f"Bearer {token('staff')}", "Cookie": "shop_session=whatever"}, 201),
    ],
    ids=["nobody", "a session cookie alone", "a customer", "staff", "staff with a cookie"],
)
def test_only_a_staff_token_writes(headers: dict[str, str], status: int, client: httpx.Client) -> None:
    """A session is a row in the shop's database that only the shop may read: here its cookie proves nothing."""
    assert client.post("/api/products", json=PRODUCT, headers=headers).status_code == status


def test_while_no_key_can_be_had_reads_go_on_and_writes_say_why(serve: Serve, tmp_path: Path) -> None:
    client = serve(jwks=str(tmp_path / "missing.json"))
    assert client.get("/api/products").status_code == 200
    assert client.get("/readyz").status_code == 200
    answer = client.post("/api/products", json=PRODUCT, headers=STAFF)
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "1")
    assert answer.json()["detail"] == "The token issuer's keys cannot be fetched."


def test_two_who_take_one_sku_at_once_are_told_apart(client: httpx.Client) -> None:
    found: list[int] = []
    threads = [
        threading.Thread(
            target=lambda: found.append(client.post("/api/products", json=PRODUCT, headers=STAFF).status_code)
        )
        for _ in range(6)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert sorted(found) == [201, *[409] * 5]
