"""The endpoints that are timed: what each isolates, who has it, how it is asked, and which answer is right."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from yardstick.frameworks.apps.documents import DOCUMENT, TEXT
from yardstick.frameworks.slow_server import BODY as SLOW_BODY
from yardstick.frameworks.visitors import Visitors

FACES = ("flask", "django", "fastapi")
"""The shop, whole, on its own use cases."""
CATALOGS = (*FACES, "django-orm", "catalog-service")
"""All that have the catalog's endpoints."""
FRAMEWORKS = (*FACES, "django-async")
"""All that have the endpoints which isolate a framework."""
_WORDS = ("oak", "brass", "walnut", "linen", "copper", "felt")
_STOCKED = 64


@dataclass(frozen=True, slots=True)
class Ask:
    """One request."""

    method: str
    target: str
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""


Send = Callable[[Ask], tuple[int, bytes]]
"""Sends a request and returns status and body."""
Asking = Callable[[Visitors, int], Ask]
Judging = Callable[[Visitors, int, int, bytes], str]
"""Is given the visitors, the number of the request, the status and the body; says what is wrong, or nothing."""


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One endpoint. The number of a request says which it is: the same number always gives the same request."""

    name: str
    isolates: str
    ask: Asking
    wrong: Judging
    implementations: tuple[str, ...] = FACES
    before: Asking | None = None
    """What the same visitor must have asked just before, which is not timed."""
    once: Callable[[Visitors, Send], None] | None = None
    """What must be done once per database, before the first request."""
    makes: bool = False
    """Whether it makes something, so that no two requests may be the same."""


def json_ask(method: str, target: str, document: object, headers: Mapping[str, str] | None = None) -> Ask:
    """A request with a JSON body."""
    body = json.dumps(document, separators=(",", ":")).encode()
    return Ask(method, target, {"Content-Type": "application/json", **(headers or {})}, body)


def stock(visitors: Visitors, send: Send) -> None:
    """Put a million pieces of each of some products on hand, so that no checkout finds its shelf empty."""
    status, body = send(Ask("GET", f"/api/products?active=true&page_size={_STOCKED}"))
    if status != 200:
        raise RuntimeError(f"no products to stock: {status} {body!r}")
    found = json.loads(body)["items"]
    for product in found:
        target, delta = f"/api/stock/{product['sku']}/adjustments", {"delta": 1_000_000, "reason": "benchmark"}
        status, body = send(json_ask("POST", target, delta, visitors.staff))
        if status != 201:
            raise RuntimeError(f"{product['sku']} cannot be stocked: {status} {body!r}")
    visitors.stocked = [product["id"] for product in found]


def _read(visitors: Visitors, number: int) -> Ask:
    return Ask("GET", f"/api/products/{visitors.product(number)}")


def _wrong_read(visitors: Visitors, number: int, status: int, body: bytes) -> str:
    return _unless(status, 200, body, lambda found: found["id"] == visitors.product(number) and "price" in found)


def _list(_visitors: Visitors, number: int) -> Ask:
    category = 1 + number % 12
    return Ask("GET", f"/api/products?category_id={category}&active=true&min_price=20&sort=-price&page_size=20")


def _wrong_list(_visitors: Visitors, number: int, status: int, body: bytes) -> str:
    def right(found: Any) -> bool:
        prices = [float(item["price"]["amount"]) for item in found["items"]]
        inside = all(item["category_id"] == 1 + number % 12 and item["active"] for item in found["items"])
        return inside and prices == sorted(prices, reverse=True) and len(prices) == min(found["total"], 20)

    return _unless(status, 200, body, right)


def _search(_visitors: Visitors, number: int) -> Ask:
    return Ask("GET", f"/api/products?q={_WORDS[number % len(_WORDS)].upper()}&page_size=20")


def _wrong_search(_visitors: Visitors, number: int, status: int, body: bytes) -> str:
    def right(found: Any) -> bool:
        word = _WORDS[number % len(_WORDS)]
        inside = all(word in f"{item['name']} {item['description']}".casefold() for item in found["items"])
        return inside and len(found["items"]) == min(found["total"], 20)

    return _unless(status, 200, body, right)


def _create(visitors: Visitors, number: int) -> Ask:
    document = {
        "sku": _sku(visitors, number),
        "name": "Oak chair",
        "description": "Made for a benchmark.",
        "category_id": 1 + number % 12,
        "price": {"amount": "12.90", "currency": "EUR"},
    }
    return json_ask("POST", "/api/products", document, visitors.staff)


def _sku(visitors: Visitors, number: int) -> str:
    return f"BENCH-{visitors.mark}-{number}"


def _wrong_create(visitors: Visitors, number: int, status: int, body: bytes) -> str:
    return _unless(status, 201, body, lambda found: found["sku"] == _sku(visitors, number) and found["version"] == 1)


def _fill_cart(visitors: Visitors, number: int) -> Ask:
    product = visitors.stocked[number % len(visitors.stocked)]
    return json_ask("PUT", f"/api/cart/items/{product}", {"quantity": 1}, visitors.customer(number))


def _check_out(visitors: Visitors, number: int) -> Ask:
    headers = {**visitors.customer(number), "Idempotency-Key": f"{visitors.mark}-{number}"}
    return json_ask("POST", "/api/orders", {"payment_token": "tok_ok"}, headers)


def _wrong_order(visitors: Visitors, number: int, status: int, body: bytes) -> str:
    product = visitors.stocked[number % len(visitors.stocked)]
    return _unless(status, 201, body, lambda found: [item["product_id"] for item in found["items"]] == [product])


PASSWORDS = {"SHOP_ARGON2_TIME_COST": "2", "SHOP_ARGON2_MEMORY_KIB": "19456", "SHOP_ARGON2_PARALLELISM": "1"}
"""How they are hashed: the least that OWASP's Password Storage Cheat Sheet recommends. The shop's own takes six times
as long, and so would all that is measured of it."""


def _log_in(_visitors: Visitors, _number: int) -> Ask:
    credentials = {"email": "customer@shop.example", "password": "customer-password"}  # documented, of `shop seed`
    return json_ask("POST", "/api/session", credentials)


def _wrong_login(_visitors: Visitors, _number: int, status: int, body: bytes) -> str:
    return _unless(status, 200, body, lambda found: found["email"] == "customer@shop.example")


ORDER = {
    "customer": "Ada Lovelace",
    "express": True,
    "items": [
        {
            "sku": f"SKU-{number:06}",
            "name": f"Oak chair number {number}",
            "quantity": number,
            "price": {"cents": 1290, "currency": "EUR"},
        }
        for number in range(1, 11)
    ],
}
"""What is posted to ``/bench/validate``: ten items, each with a price."""
_SUM = {"cents": 55 * 1290, "items": 10, "quantity": 55}


def _always(ask: Ask) -> Asking:
    return lambda _visitors, _number: ask


def _exactly(document: object) -> Judging:
    return lambda _visitors, _number, status, body: _unless(status, 200, body, lambda found: found == document)


def _unless(status: int, expected: int, body: bytes, right: Callable[[Any], bool]) -> str:
    if status != expected:
        return f"{status} where {expected} is right: {body[:300]!r}"
    try:
        return "" if right(json.loads(body)) else f"not the answer to this question: {body[:300]!r}"
    except (ValueError, LookupError, TypeError) as error:
        return f"not the answer that was expected ({error!r}): {body[:300]!r}"


def _wrong_text(_visitors: Visitors, _number: int, status: int, body: bytes) -> str:
    return "" if (status, body) == (200, TEXT.encode()) else f"{status} {body[:300]!r}"


ENDPOINTS = (
    Endpoint("read", "one row by its key", _read, _wrong_read, CATALOGS),
    Endpoint("list", "filters, order, a count and a page of 20", _list, _wrong_list, CATALOGS),
    Endpoint("search", "a substring in every row", _search, _wrong_search, CATALOGS),
    Endpoint("create", "a token, validation, and one row written", _create, _wrong_create, CATALOGS, makes=True),
    Endpoint(
        "checkout",
        "one transaction over five modules",
        _check_out,
        _wrong_order,
        before=_fill_cart,
        once=stock,
        makes=True,
    ),
    Endpoint(
        "login",
        "a password's hash (argon2id, 19 MiB, 2 passes): processor time outside the framework",
        _log_in,
        _wrong_login,
    ),
    Endpoint("plaintext", "routing", _always(Ask("GET", "/bench/plaintext")), _wrong_text, FRAMEWORKS),
    Endpoint("json", "a document made into JSON", _always(Ask("GET", "/bench/json")), _exactly(DOCUMENT), FRAMEWORKS),
    Endpoint(
        "validate",
        "a nested document judged",
        _always(json_ask("POST", "/bench/validate", ORDER)),
        _exactly(_SUM),
        FRAMEWORKS,
    ),
    Endpoint(
        "slow",
        "waiting for another server",
        _always(Ask("GET", "/bench/slow")),
        _exactly(json.loads(SLOW_BODY)),
        FRAMEWORKS,
    ),
)
BY_NAME = {endpoint.name: endpoint for endpoint in ENDPOINTS}


def of(implementation: str) -> tuple[Endpoint, ...]:
    """Those that an implementation has, in the order of the table."""
    return tuple(endpoint for endpoint in ENDPOINTS if implementation in endpoint.implementations)
