"""Exchanges of the shop as a comparator would have them: asked in this process, of the Flask face, by a frozen clock.

Reads of catalog and orders, and checkouts with their effects: a report of the rows, events and calls that the shop's
own tables then hold.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import product
from pathlib import Path
from typing import Any

from contract.keys import SIGNING_KEY, pem, token

from shop.application import build
from shop.kernel.settings import Settings
from shop.seed import seed
from shop.web.flask_app import create_app
from strangler.shadow.answer import Answer, Question
from strangler.shadow.effects import Called, Effects, Published, Row, RowWrite

NOW = datetime(2026, 5, 17, 12, 0, tzinfo=UTC)
PRODUCTS = 40
ORDERS = 12
JSON = {"Content-Type": "application/json"}


@dataclass(frozen=True, slots=True)
class Exchange:
    """One question and the primary's answer to it."""

    number: int
    question: Question
    answer: Answer

    @property
    def path(self) -> str:
        return self.question.target.decode().partition("?")[0]

    @property
    def repeatable(self) -> bool:
        return self.question.method in {b"GET", b"HEAD"}

    def document(self) -> Any:
        """The answer's JSON; None if it has none."""
        return json.loads(self.answer.body) if self.answer.body else None


def exchanges(folder: Path) -> list[Exchange]:
    """All of them, in the order in which they were asked."""
    settings = Settings(
        DATABASE_URL=f"sqlite:///{folder / 'shop.db'}",
        signing_key=pem(SIGNING_KEY),
        argon2_time_cost=1,
        argon2_memory_kib=8,
        argon2_parallelism=1,
    )
    seed(settings, PRODUCTS)
    shop = build(settings, clock=lambda: NOW)
    shop.customers.prepare()
    client = create_app(shop).test_client()
    times = {"iat": int(NOW.timestamp()) - 10, "exp": int(NOW.timestamp()) + 3600}
    customer = {"Authorization": f"Bearer {token(2, **times)}"}
    found: list[Exchange] = []

    def ask(method: str, target: str, headers: dict[str, str], body: bytes = b"") -> Answer:
        response = client.open(target, method=method, headers=headers, data=body or None)
        fields = tuple((name.encode(), value.encode("latin-1")) for name, value in response.headers)
        answer = Answer(response.status_code, fields, response.data, 0.01)
        sent = tuple((name.encode(), value.encode()) for name, value in headers.items())
        effects = _effects_of(json.loads(answer.body)) if target == "/api/orders" and answer.status == 201 else None
        if effects is not None:
            answer = Answer(answer.status, answer.fields, answer.body, answer.seconds, effects)
        found.append(Exchange(len(found), Question(method.encode(), target.encode(), sent, body), answer))
        return answer

    try:
        for number in range(ORDERS):
            _order(ask, customer, number)
        ask("PUT", "/api/cart/items/1", {**customer, **JSON}, b'{"quantity":2}')
        for method, target, headers in _reads(customer):
            ask(method, target, headers)
    finally:
        shop.database.dispose()
    return found


def _order(ask: Any, customer: dict[str, str], number: int) -> None:
    """Fill a cart and check out."""
    for offset in range(1 + number % 3):
        product_id = 1 + (number * 3 + offset) % PRODUCTS
        ask("PUT", f"/api/cart/items/{product_id}", {**customer, **JSON}, b'{"quantity":%d}' % (1 + offset))
    key = {"Idempotency-Key": f"order-{number}"}
    ask("POST", "/api/orders", {**customer, **JSON, **key}, b'{"payment_token":"tok_ok"}')


def _reads(customer: dict[str, str]) -> Iterator[tuple[str, str, dict[str, str]]]:
    orders = ("id", "-id", "name", "-name", "price", "-price", "created_at")
    for sort, page in product(orders, (1, 2, 3)):
        yield "GET", f"/api/products?sort={sort}&page={page}&page_size=10", {}
    for query in (
        "",
        "?page=99",
        "?category_id=3",
        "?active=true&page_size=5",
        "?q=oak",
        "?min_price=100&max_price=300",
    ):
        yield "GET", f"/api/products{query}", {}
    for number in range(1, PRODUCTS + 1):
        yield "GET", f"/api/products/{number}", {}
    for number in range(1, 13):
        yield "GET", f"/api/categories/{number}", {}
    yield "GET", "/api/categories?sort=name", {}
    for target in ("/api/products/999", "/api/products/0", "/api/products?page=0&sort=x", "/api/nothing"):
        yield "GET", target, {}
    yield "GET", "/api/products/1", {"If-None-Match": '"1"'}
    yield "HEAD", "/api/products/1", {}
    yield "GET", "/api/orders", customer
    yield "GET", "/api/orders?page_size=5&page=2", customer
    for number in range(1, ORDERS + 1):
        yield "GET", f"/api/orders/{number}", customer
    yield "GET", "/api/orders/1", {}
    yield "GET", "/api/orders/1", {"Authorization": "Bearer x.y.z"}
    yield "GET", "/api/orders/999", customer
    yield "GET", "/api/cart", customer
    yield "GET", "/api/payments/1", customer


def _effects_of(order: dict[str, Any]) -> Effects:
    """What a checkout writes, tells and calls (``shop.modules.orders.service``)."""
    number, lines, total = order["id"], order["items"], order["total"]
    minor = round(float(total["amount"]) * 100)
    customer = order["customer_id"]
    head = {"customer_id": customer, "status": "placed", "total_minor": minor, "currency": total["currency"]}
    rows = [RowWrite("orders_orders", "insert", _row(id=number), _row(**head))]
    for line in lines:
        unit = round(float(line["unit_price"]["amount"]) * 100)
        key = _row(order_id=number, product_id=line["product_id"])
        rows.append(
            RowWrite(
                "orders_order_items", "insert", key, _row(sku=line["sku"], quantity=line["quantity"], unit_minor=unit)
            )
        )
        rows.append(RowWrite("inventory_stock", "update", _row(sku=line["sku"]), _row(on_hand=100 - line["quantity"])))
        rows.append(
            RowWrite("orders_cart_items", "delete", _row(customer_id=customer, product_id=line["product_id"]), ())
        )
    rows.append(RowWrite("payments_payments", "insert", _row(id=order["payment_id"]), _row(amount_minor=minor)))
    told = {"order_id": number, "customer_id": customer, "total": total["amount"], "currency": total["currency"]}
    charge = {"amount": total["amount"], "currency": total["currency"], "key": f"checkout-{customer}-{number}"}
    return Effects(
        tuple(rows),
        (Published("order.placed", json.dumps(told)),),
        (Called("payments.charge", json.dumps(charge)),),
    )


def _row(**columns: str | int) -> Row:
    return tuple(sorted(columns.items()))
