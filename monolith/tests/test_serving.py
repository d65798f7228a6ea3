"""`shop serve`, `seed` and `worker` as processes: start, address, signals, access log."""

import json
import signal
import socket
import sqlite3
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from support.processes import Running, free_port, running

SHOP = str(Path(sys.executable).parent / "shop")
FACES = ("flask", "django", "fastapi")


@pytest.fixture
def env(tmp_path: Path) -> dict[str, str]:
    cheap = {"SHOP_ARGON2_TIME_COST": "1", "SHOP_ARGON2_MEMORY_KIB": "8", "SHOP_ARGON2_PARALLELISM": "1"}
    return {"DATABASE_URL": f"sqlite:///{tmp_path / 'shop.db'}", **cheap}


def run(env: dict[str, str], log: Path, *arguments: object) -> tuple[int, str]:
    with running("shop", [SHOP, *map(str, arguments)], log=log, env=env) as process:
        return process.wait(60), process.output()


@pytest.fixture(params=FACES)
def served(request: pytest.FixtureRequest, tmp_path: Path, env: dict[str, str]) -> Iterator[tuple[Running, str]]:
    """A face on an empty shop, with two workers and an access log."""
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    command = [SHOP, "serve", "--framework", request.param, "--port", str(port), "--workers", "2"]
    command += ["--access-log", str(tmp_path / "access.log")]
    with running(request.param, command, log=tmp_path / "shop.log", env=env, ready=f"{url}/readyz") as process:
        yield process, url


def test_a_request_in_flight_is_finished_after_sigterm(served: tuple[Running, str]) -> None:
    process, url = served
    host, port = url.removeprefix("http://").split(":")
    body = b'{"email":"ada@example.org","password":"correct horse","name":"Ada"}'
    with socket.create_connection((host, int(port)), timeout=20) as connection:
        head = "POST /api/customers HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: %d\r\n"
        connection.sendall(head.encode() % len(body) + b"Expect: 100-continue\r\n\r\n")
        # The worker has read the head when it says so.
        assert connection.recv(65_536) == b"HTTP/1.1 100 Continue\r\n\r\n"
        process.signal(signal.SIGTERM)
        connection.sendall(body)
        assert connection.recv(65_536).startswith(b"HTTP/1.1 201")
    assert process.wait(20) == 0


def test_the_workers_share_sessions_and_keys(served: tuple[Running, str]) -> None:
    _, url = served
    ada = {"email": "ada@example.org", "password": "correct horse"}
    assert httpx.post(f"{url}/api/customers", json=ada | {"name": "Ada"}).status_code == 201
    token = httpx.post(f"{url}/api/tokens", json=ada).json()["access_token"]
    keys = set()
    for _ in range(12):  # a new connection each, so that both workers get some
        assert httpx.get(f"{url}/api/me", headers={"Authorization": f"Bearer {token}"}).json()["name"] == "Ada"
        keys.add(httpx.get(f"{url}/.well-known/jwks.json").text)
    assert len(keys) == 1


def test_the_access_log_says_who_was_served_what_and_when(served: tuple[Running, str], tmp_path: Path) -> None:
    _, url = served
    answer = httpx.get(f"{url}/api/products?page=2&q=%C3%A9", headers={"X-Request-ID": "r-1"})
    lines = [json.loads(line) for line in (tmp_path / "access.log").read_text().splitlines()]
    (line,) = [line for line in lines if line["request_id"] == "r-1"]
    assert answer.status_code == 200
    assert (line["method"], line["target"], line["status"]) == ("GET", "/api/products?page=2&q=%C3%A9", 200)
    assert line["start"].endswith("Z")
    assert line["seconds"] >= 0


@pytest.mark.parametrize("face", FACES)
def test_a_taken_port_is_named_in_one_line(face: str, tmp_path: Path, env: dict[str, str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        code, output = run(env, tmp_path / "log", "serve", "--framework", face, "--port", port)
    assert code == 2
    assert output.count("\n") == 1
    assert f"127.0.0.1:{port}" in output


def test_seeding_is_the_same_everywhere(tmp_path: Path, env: dict[str, str]) -> None:
    contents = []
    for name in ("one.db", "two.db"):
        code, output = run(
            env | {"DATABASE_URL": f"sqlite:///{tmp_path / name}"}, tmp_path / "log", "seed", "--products", 300
        )
        assert code == 0, output
        with sqlite3.connect(tmp_path / name) as database:
            contents.append(
                [
                    database.execute(f"SELECT * FROM {table} ORDER BY 1").fetchall()
                    for table in ("catalog_products", "catalog_categories", "inventory_stock")
                ]
                + [database.execute("SELECT id, email, role FROM customers_customers ORDER BY 1").fetchall()]
            )
    assert contents[0] == contents[1]
    assert contents[0][0][-1][0] == 300
    assert contents[0][3] == [(1, "staff@shop.example", "staff"), (2, "customer@shop.example", "customer")]


def test_a_seeded_shop_is_left_alone(tmp_path: Path, env: dict[str, str]) -> None:
    assert run(env, tmp_path / "log", "seed", "--products", 5)[0] == 0
    assert run(env, tmp_path / "log", "seed", "--products", 5)[0] == 2
    assert run(env, tmp_path / "log", "seed", "--products", 5, "--if-empty")[0] == 0
    with sqlite3.connect(tmp_path / "shop.db") as database:
        assert database.execute("SELECT count(*) FROM catalog_products").fetchone() == (5,)


def test_the_worker_delivers_what_was_left_in_the_outbox(tmp_path: Path, env: dict[str, str]) -> None:
    run(env, tmp_path / "log", "seed", "--products", 1)
    with sqlite3.connect(tmp_path / "shop.db") as database:
        # As if the process had died between the commit and the delivery.
        database.execute("DELETE FROM notifications_notifications")
        database.execute("DELETE FROM inbox_messages")
        database.execute("UPDATE outbox_messages SET dispatched_at = NULL")
    assert run(env, tmp_path / "log", "worker", "--once")[0] == 0
    assert run(env, tmp_path / "log", "worker", "--once")[0] == 0
    with sqlite3.connect(tmp_path / "shop.db") as database:
        assert database.execute("SELECT kind FROM notifications_notifications").fetchall() == [("welcome",)] * 2


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("POST", "/api/products", 413),
        ("POST", "/nope", 404),
        ("PUT", "/api/products", 405),
        ("DELETE", "/api/cart", 401),
    ],
)
def test_a_connection_outlives_a_body_that_nobody_wanted(
    served: tuple[Running, str], method: str, path: str, status: int
) -> None:
    """Otherwise a proxy that uses it again at once would lose its next request."""
    _, url = served
    host, port = url.removeprefix("http://").split(":")
    body = b" " * 1_000_000
    head = (
        f"{method} {path} HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    with socket.create_connection((host, int(port)), timeout=20) as connection, connection.makefile("rb") as answers:
        for _ in range(3):
            connection.sendall(head.encode() + body)
            assert answers.readline().split()[1] == str(status).encode()
            length = 0
            while (line := answers.readline()) != b"\r\n":
                name, _, value = line.decode().partition(":")
                length = int(value) if name.lower() == "content-length" else length
            answers.read(length)
