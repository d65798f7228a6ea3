"""The three faces, asked the same odd questions over real sockets, answer alike byte for byte."""

import re
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from support.processes import free_port, running

FACES = ("flask", "django", "fastapi")
SHOP = Path(sys.executable).parent / "shop"
JSON = {"Content-Type": "application/json"}
# Of the servers, not of the shop.
NOT_COMPARED = {"date", "server", "connection", "set-cookie"}


@dataclass(frozen=True, slots=True)
class Question:
    method: str
    target: str
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes | None = None
    account: str | None = None

    def __str__(self) -> str:
        return f"{self.method} {self.target[:60]} {dict(self.headers)} {(self.body or b'')[:40]!r} {self.account or ''}"


def ask(method: str, target: str, body: bytes | None = None, by: str | None = None, **headers: str) -> Question:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Question(method, target, tuple(((JSON if body is not None else {}) | named).items()), body, by)


PATHS = [
    *("/api/products/7", "/api/products/%37", "/api/products/0", "/api/products/007", "/api/products/-1"),
    *("/api/products/1.0", "/api/products/" + "9" * 18, "/api/products/" + "9" * 19, "/api/products/" + "9" * 40),
    *("/api/products/7%0A", "/api/products/7%00", "/api/products/%D9%A3", "/api/products%0A", "/api/products/7/"),
    *(
        "/api/products/",
        "/api//products",
        "//api/products",
        "/API/products",
        "/api",
        "/",
        "/nope%20?x",
        "/api/products/7;x=1",
    ),
    *("/api/products?page=", "/api/products?q=", "/api/products?page=1&page=2&page_size=1", "/api/products?page=+1"),
    *("/api/products?page=1.0", "/api/products?page=%D9%A3", "/api/products?page=0&page_size=101&sort=x&active=1"),
    *(
        "/api/products?q=%ff",
        "/api/products?q=%00",
        "/api/products?q=CR%C3%88ME&page_size=2",
        "/api/products?q=a;page=7",
    ),
    *("/api/products?min_price=1e3&max_price=-1", "/api/products?page_size", "/api/products?" + "a=1&" * 1500),
    *("/api/stock/SKU-000001", "/api/stock/a%20b", "/api/stock/a%2Fb", "/api/stock/" + "a" * 65, "/livez", "/readyz"),
    *("/api/categories?sort=name&page_size=3", "/.well-known/jwks.json/", "/api/me"),
]
BODIES = [
    *(
        b"",
        b"null",
        b"[]",
        b"5",
        b'"x"',
        b"{",
        b"{}",
        b"\xef\xbb\xbf{}",
        b'{"name":NaN}',
        b'{"name":"\\ud800"}',
        b"[" * 2000,
    ),
    b'{"sku":1,"name":true,"price":5,"active":1,"category_id":1.0,"description":null,"colour":1}',
    b'{"sku":"a b","name":" ","price":{"amount":"12.505","currency":"eur","x":1}}',
    b'{"sku":"A","name":"a\\u0000b","price":{"amount":"1","currency":"EUR"}}',
    b'{"sku":"A","name":"x","price":{"amount":"1","currency":"EUR"},"category_id":99}',
    b'{"sku":"A","name":"x","price":{"amount":"1","currency":"EUR"},"category_id":99999999999999999999}',
    b'{"sku":"SKU-000001","name":"x","price":{"amount":"1","currency":"EUR"}}',
    b'{"sku":"new","name":"  \xf0\x9f\xa6\x80 ","price":{"amount":"9999999999.99","currency":"USD"}}',
    b" " * 65_534 + b"{}",
    b" " * 65_535 + b"{}",
]
QUESTIONS = [
    *(ask(method, path) for path in PATHS for method in ("GET", "HEAD")),
    *(
        ask(method, path)
        for path in ("/api/products", "/api/products/7", "/api/session", "/api/cart/items/7", "/nope", "/livez")
        for method in ("POST", "PUT", "PATCH", "DELETE", "OPTIONS")
    ),
    *(ask("POST", "/api/products", body, by) for body in BODIES for by in ("staff", "customer", None)),
    *(ask("PATCH", "/api/products/8", body, "staff") for body in BODIES),
    *(
        ask("PATCH", "/api/products/8", b"{}", "staff", Content_Type=kind)
        for kind in (
            "application/json; charset=utf-8",
            "APPLICATION/JSON",
            "application/json; charset=latin-1",
            "text/json",
            "",
        )
    ),
    ask("PATCH", "/api/products/8", b"{}", "staff", Content_Encoding="gzip"),
    *(
        ask(method, "/api/products/7", body, "staff", **{name: tag})
        for tag in ('"1"', 'W/"1"', '"2", "1"', "*", "1", '"2"')
        for method, body, name in (
            ("GET", None, "If_None_Match"),
            ("HEAD", None, "If_None_Match"),
            ("PATCH", b"{}", "If_Match"),
        )
    ),
    *(ask("GET", "/api/me", Authorization=value) for value in ("Bearer", "bearer x.y.z", "Basic abc", "Bearer a b")),
    *(ask("GET", "/api/me", Cookie=value) for value in ("shop_session=x", "shop_session=", "a;b;c=")),
    *(
        ask("POST", "/api/orders", b'{"payment_token":"tok_ok"}', "customer", Idempotency_Key=key)
        for key in ("a", "a b", "x" * 256)
    ),
    ask("POST", "/api/orders", b'{"payment_token":5}', "customer"),
    *(
        ask("POST", "/api/session", b'{"email":"a","password":"b"}', Origin=origin)
        for origin in ("http://evil", "null", "http://[")
    ),
    *(
        ask("POST", "/api/session", b'{"email":"a","password":"b"}', Sec_Fetch_Site=site)
        for site in ("none", "same-site")
    ),
    ask("POST", "/api/reservations", b'{"items":[{"sku":"SKU-000001","quantity":0,"z":1},5]}', "customer"),
    ask("GET", "/api/stock/SKU-000002/adjustments", by="customer"),
    ask("DELETE", "/api/products/9", by="staff"),
    ask("DELETE", "/api/products/9", by="staff"),
    ask("DELETE", "/api/categories/1", by="staff"),
]


@dataclass(frozen=True, slots=True)
class Face:
    client: httpx.Client
    tokens: dict[str, str]

    def answer(self, question: Question) -> tuple[int, list[tuple[str, str]], bytes]:
        headers = list(question.headers)
        if question.account is not None:
            headers.append(("Authorization", f"Bearer {self.tokens[question.account]}"))
        # httpx would tidy the path up: its target goes out as it is written here.
        request = self.client.build_request(question.method, "/", headers=headers, content=question.body)
        request.extensions["target"] = question.target.encode()
        answer = self.client.send(request)
        compared = sorted(pair for pair in answer.headers.items() if pair[0] not in NOT_COMPARED)
        return answer.status_code, compared, re.sub(rb"20\d\d-(?!01)\d\d-\d\dT[0-9:.]+Z", b"<now>", answer.content)


@pytest.fixture(scope="module")
def faces(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Face]]:
    with ExitStack() as stack:
        yield {name: stack.enter_context(_served(name, tmp_path_factory.mktemp(name))) for name in FACES}


@contextmanager
def _served(name: str, folder: Path) -> Iterator[Face]:
    """One face on a seeded database of its own."""
    cheap = {"SHOP_ARGON2_TIME_COST": "1", "SHOP_ARGON2_MEMORY_KIB": "8", "SHOP_ARGON2_PARALLELISM": "1"}
    env = {"DATABASE_URL": f"sqlite:///{folder / 'shop.db'}", **cheap}
    with running("seed", [str(SHOP), "seed", "--products", "50"], log=folder / "seed.log", env=env) as seeding:
        assert seeding.wait(60) == 0, seeding.output()
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    serve = [str(SHOP), "serve", "--framework", name, "--port", str(port), "--workers", "1"]
    with (
        running(name, serve, log=folder / "log", env=env, ready=f"{url}/readyz"),
        httpx.Client(base_url=url, timeout=20) as client,
    ):
        accounts = {"staff": "staff-password", "customer": "customer-password"}
        yield Face(client, {who: _token(client, who, password) for who, password in accounts.items()})


def _token(client: httpx.Client, who: str, password: str) -> str:
    answer = client.post("/api/tokens", json={"email": f"{who}@shop.example", "password": password})
    return answer.json()["access_token"]


@pytest.mark.parametrize("question", QUESTIONS, ids=str)
def test_all_faces_give_the_same_answer(faces: dict[str, Face], question: Question) -> None:
    answers = {name: face.answer(question) for name, face in faces.items()}
    assert answers["django"] == answers["flask"]
    assert answers["fastapi"] == answers["flask"]
    assert answers["flask"][0] < 500
