"""Notifications: each event tells its customer once, shortly after it happened."""

import time
from collections.abc import Callable
from typing import Any

from contract.accounts import register, stocked
from contract.client import Client
from contract.judge import check_form, check_problem
from contract.world import unique

MODULE = "notifications"


def until(found: Callable[[], list[Any]], count: int, seconds: float = 15.0) -> list[Any]:
    """Ask until there are `count`; they come from a queue, so a moment later than what they tell of."""
    deadline = time.monotonic() + seconds
    while len(items := found()) < count:
        assert time.monotonic() < deadline, f"only {items}"
        time.sleep(0.05)
    return items


def listed(client: Client, query: str = "") -> list[Any]:
    answer = client.get(f"/api/notifications{query}")
    assert answer.status == 200, answer
    check_form(answer)
    items: list[Any] = answer.json()["items"]
    return items


def test_a_customer_is_told_of_what_happens(staff: Client, anonymous: Client) -> None:
    _, buyer = register(anonymous)
    product = stocked(staff, 5)
    buyer.put(f"/api/cart/items/{product['id']}", {"quantity": 1})
    order = buyer.post("/api/orders", {"payment_token": "tok_ok"}, Idempotency_Key=unique("key")).json()
    refund = {"amount": "1"}
    staff.post(f"/api/payments/{order['payment_id']}/refunds", refund, Idempotency_Key=unique("refund"))
    buyer.post(f"/api/orders/{order['id']}/cancel")
    items = until(lambda: listed(buyer), 4)
    kinds = {item["kind"] for item in items}
    assert {"welcome", "order_placed", "order_cancelled", "payment_refunded"} == kinds
    assert [item["id"] for item in items] == sorted((item["id"] for item in items), reverse=True)
    placed = next(item for item in items if item["kind"] == "order_placed")
    assert list(placed) == ["id", "kind", "subject", "body", "read_at", "created_at"]
    assert (placed["subject"], placed["read_at"]) == (f"Order {order['id']} is placed", None)
    assert placed["body"]


def test_a_notification_is_read_once(anonymous: Client) -> None:
    _, reader = register(anonymous)
    (welcome,) = until(lambda: listed(reader), 1)
    target = f"/api/notifications/{welcome['id']}/read"
    first, again = reader.post(target), reader.post(target)
    check_form(first)
    assert (first.status, again.status) == (200, 200)
    assert first.json() == again.json() == {**welcome, "read_at": first.json()["read_at"]}
    assert first.json()["read_at"] is not None
    assert listed(reader, "?unread=true") == []
    assert listed(reader, "?unread=false") == [first.json()]


def test_notifications_are_seen_by_their_owner_alone(staff: Client, anonymous: Client) -> None:
    _, reader = register(anonymous)
    _, other = register(anonymous)
    (welcome,) = until(lambda: listed(reader), 1)
    assert welcome["id"] not in {item["id"] for item in listed(other)}
    for client in (other, staff):
        check_problem(client.post(f"/api/notifications/{welcome['id']}/read"), "not-found")
