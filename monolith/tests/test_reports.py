"""What the shop tells a gateway of its writes: all that a request did, by whichever face, and nothing else."""

import asyncio
import json
import time
from collections import Counter
from collections.abc import Callable
from typing import Any

import httpx
import pytest
from contract.keys import SIGNING_KEY, pem, token
from pydantic import ValidationError
from werkzeug.test import Client as WsgiClient

from shop.application import Shop
from shop.kernel.caller import Caller
from shop.kernel.clock import Clock, system_clock
from shop.kernel.errors import PaymentDeclined
from shop.kernel.settings import Settings
from shop.modules.catalog.public import NewProduct
from shop.modules.inventory.public import NewAdjustment
from shop.modules.notifications.public import NotificationQuery
from shop.modules.orders.public import Checkout
from shop.modules.payments.public import NewRefund
from shop.web import django_app, fastapi_app, flask_app
from strangler_kit.effects import decode, recording
from strangler_kit.marks import make

SECRET = "the secret by which the gateway asks for reports"
PRICE = {"amount": "19.99", "currency": "EUR"}


@pytest.fixture
def clock() -> Clock:
    """The time that tokens are made by."""
    return system_clock


@pytest.fixture
def settings(database_url: str) -> Settings:
    return Settings(
        DATABASE_URL=database_url, STRANGLER_SHADOW_SECRET=SECRET, signing_key=pem(SIGNING_KEY),
        argon2_time_cost=1, argon2_memory_kib=8, argon2_parallelism=1,
    )  # fmt: skip


@pytest.fixture
def ready(shop: Shop, customer: Caller) -> Shop:
    """A customer with two lamps in the cart."""
    lamp = shop.catalog.create_product(NewProduct.model_validate({"sku": "LAMP", "name": "Lamp", "price": PRICE}))
    shop.inventory.adjust("LAMP", NewAdjustment(delta=5, reason="test"))
    shop.orders.put_in_cart(customer, lamp.id, 2)
    return shop


def told(act: Callable[[], object]) -> dict[str, Any]:
    """What is reported of one request."""
    with recording() as found:
        act()
    report: dict[str, Any] = json.loads(json.dumps(found.report()))
    assert report["complete"], report
    return report


def test_a_checkout_is_told_with_all_its_rows_its_event_and_its_charge(ready: Shop, customer: Caller) -> None:
    report = told(lambda: ready.orders.check_out(customer, "k1", Checkout(payment_token="tok_ok")))
    assert Counter((row["operation"], row["table"]) for row in report["rows"]) == {
        ("insert", "idempotency_keys"): 1,
        ("insert", "orders_orders"): 1,
        ("insert", "orders_order_items"): 1,
        ("insert", "payments_payments"): 1,
        ("insert", "inventory_reservations"): 1,
        ("insert", "inventory_reservation_items"): 1,
        ("update", "inventory_stock"): 1,
        ("delete", "orders_cart_items"): 1,
    }
    (event,) = report["events"]
    assert (event["topic"], event["payload"]["total"]) == ("order.placed", "39.98")
    (charge,) = report["calls"]
    assert (charge["name"], charge["arguments"]["minor"], charge["arguments"]["card"]) == (
        "payments.charge",
        3998,
        "tok_ok",
    )
    sent = ready.notifications.list_own(customer, NotificationQuery()).items
    assert len(sent) == 1, "the event was delivered by the same request, which is not its effect"


def test_a_checkout_that_fails_is_told_by_the_call_that_was_made(ready: Shop, customer: Caller) -> None:
    def check_out() -> None:
        with pytest.raises(PaymentDeclined):
            ready.orders.check_out(customer, "k1", Checkout(payment_token="tok_declined"))

    report = told(check_out)
    assert (report["rows"], report["events"]) == ([], [])
    assert [call["name"] for call in report["calls"]] == ["payments.charge"]


def test_a_refund_is_told_with_the_row_as_it_was(ready: Shop, customer: Caller, staff: Caller) -> None:
    order = ready.orders.check_out(customer, "k1", Checkout(payment_token="tok_ok")).answer
    assert order.payment_id is not None
    report = told(lambda: ready.payments.refund(staff, order.payment_id, "k2", NewRefund(amount="1.00")))
    (row,) = [row for row in report["rows"] if row["table"] == "payments_payments"]
    assert (row["before"]["refunded_minor"], row["after"]) == (0, {"refunded_minor": 100})
    assert [event["topic"] for event in report["events"]] == ["payment.refunded"]
    assert [call["name"] for call in report["calls"]] == ["payments.refund"]


Ask = Callable[[Shop, dict[str, str]], tuple[int, dict[str, str]]]
BODY = json.dumps({"sku": "CHAIR", "name": "Chair", "price": PRICE}).encode()


def _ask_wsgi(app: Any, headers: dict[str, str]) -> tuple[int, dict[str, str]]:
    answer = WsgiClient(app).post("/api/products", data=BODY, headers=headers)
    return answer.status_code, {name.lower(): value for name, value in answer.headers}


def _ask_flask(shop: Shop, headers: dict[str, str]) -> tuple[int, dict[str, str]]:
    return _ask_wsgi(flask_app.create_app(shop), headers)


def _ask_django(shop: Shop, headers: dict[str, str]) -> tuple[int, dict[str, str]]:
    return _ask_wsgi(django_app.create_application(shop), headers)


def _ask_fastapi(shop: Shop, headers: dict[str, str]) -> tuple[int, dict[str, str]]:
    async def ask() -> httpx.Response:
        async with httpx.AsyncClient(
            transport=httpx.ASGITransport(fastapi_app.create_app(shop)), base_url="http://shop"
        ) as client:
            return await client.post("/api/products", content=BODY, headers=headers)

    answer = asyncio.run(ask())
    return answer.status_code, dict(answer.headers)


@pytest.mark.parametrize("ask", [_ask_flask, _ask_django, _ask_fastapi], ids=["flask", "django", "fastapi"])
def test_every_face_tells_whoever_has_the_mark_and_nobody_else(ask: Ask, shop: Shop) -> None:
    headers = {"Content-Type": "application/json", "Authorization": f"Bearer {token(1, roles=('staff',))}"}
    mark = make(SECRET.encode(), "report", "POST", "/api/products", time.time(), "n" * 16)
    status, answered = ask(shop, {**headers, "X-Strangler-Report": mark})
    assert status == 201
    (row,) = decode(answered["x-strangler-effects"])["rows"]
    assert (row["table"], row["operation"], row["after"]["sku"]) == ("catalog_products", "insert", "CHAIR")
    status, answered = ask(shop, {**headers, "X-Strangler-Report": mark})
    assert (status, decode(answered["x-strangler-effects"])["rows"]) == (409, [])
    for refused in ({}, {"X-Strangler-Report": mark[:-1]}):
        assert "x-strangler-effects" not in ask(shop, {**headers, **refused})[1]


@pytest.mark.parametrize("name", ["SHOP_SHADOW_SECRET", "STRANGLER_SHADOW_SECRET"])
def test_the_secret_has_two_names_and_a_least_length(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(name, SECRET)
    assert Settings().shadow_key == SECRET.encode()
    monkeypatch.setenv(name, "too short")
    with pytest.raises(ValidationError, match="at least 32"):
        Settings()
