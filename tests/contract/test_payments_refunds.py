"""Payments and refunds: never more goes back than came in, and a refund asked for twice is made once."""

from typing import Any

import pytest

from contract.accounts import register, stocked
from contract.client import Answer, Client
from contract.judge import check_form, check_problem
from contract.race import together
from contract.world import unique

MODULE = "payments"


@pytest.fixture
def paid(staff: Client, anonymous: Client) -> tuple[str, Client]:
    """Return the target of a payment of 20.00 EUR, and the client who paid."""
    _, buyer = register(anonymous)
    product = stocked(staff, 2)
    buyer.put(f"/api/cart/items/{product['id']}", {"quantity": 2})
    order = buyer.post("/api/orders", {"payment_token": "tok_ok"}, Idempotency_Key=unique("key"))
    assert order.status == 201, order
    return f"/api/payments/{order.json()['payment_id']}", buyer


def refund(staff: Client, target: str, body: dict[str, Any], key: str | None = None) -> Answer:
    return staff.post(f"{target}/refunds", body, Idempotency_Key=key or unique("refund"))


def euros(amount: str) -> dict[str, str]:
    return {"amount": amount, "currency": "EUR"}


def test_a_payment_is_seen_by_its_owner_and_staff(paid: tuple[str, Client], staff: Client, anonymous: Client) -> None:
    target, buyer = paid
    answer = buyer.get(target)
    check_form(answer)
    payment = answer.json()
    assert list(payment) == ["id", "order_id", "status", "amount", "refunded", "created_at"]
    assert (payment["status"], payment["amount"], payment["refunded"]) == ("captured", euros("20.00"), euros("0.00"))
    assert staff.get(target).json() == payment
    check_problem(register(anonymous)[1].get(target), "not-found")


def test_refunds_add_up_to_the_payment(paid: tuple[str, Client], staff: Client) -> None:
    target, buyer = paid
    first = refund(staff, target, {"amount": "5.5"})
    check_form(first)
    assert (first.status, first.header("location")) == (201, target)
    assert list(first.json()) == ["id", "payment_id", "amount", "created_at"]
    assert first.json()["amount"] == euros("5.50")
    assert (buyer.get(target).json()["status"], buyer.get(target).json()["refunded"]) == (
        "partially_refunded", euros("5.50"))  # fmt: skip
    check_problem(refund(staff, target, {"amount": "14.51"}), "refund-exceeds-payment")
    rest = refund(staff, target, {})
    assert rest.json()["amount"] == euros("14.50")
    assert (buyer.get(target).json()["status"], buyer.get(target).json()["refunded"]) == ("refunded", euros("20.00"))
    check_problem(refund(staff, target, {"amount": None}), "refund-exceeds-payment")


def test_a_refund_that_is_asked_for_again_is_the_same_one(paid: tuple[str, Client], staff: Client) -> None:
    target, buyer = paid
    key = unique("refund")
    first, again = (refund(staff, target, {"amount": "3"}, key) for _ in range(2))
    assert (again.status, again.body) == (201, first.body)
    assert (first.header("idempotency-replayed"), again.header("idempotency-replayed")) == (None, "true")
    assert buyer.get(target).json()["refunded"] == euros("3.00")
    check_problem(refund(staff, target, {"amount": "4"}, key), "idempotency-key-reused")


def test_refunds_at_once_never_exceed_the_payment(paid: tuple[str, Client], staff: Client) -> None:
    target, buyer = paid
    answers = together(8, staff, lambda _, own: refund(own, target, {"amount": "6"}))
    assert sorted(answer.status for answer in answers) == [201] * 3 + [409] * 5
    assert buyer.get(target).json()["refunded"] == euros("18.00")
