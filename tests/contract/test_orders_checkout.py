"""From the cart to the order: one transaction over prices, stock and payment, done once however often it is sent."""

from typing import Any

import pytest

from contract.accounts import register, stock, stocked
from contract.client import Answer, Client
from contract.judge import check_form, check_problem
from contract.race import together
from contract.world import unique

MODULE = "orders"
OK = {"payment_token": "tok_ok"}


@pytest.fixture
def buyer(anonymous: Client) -> Client:
    return register(anonymous)[1]


def put(client: Client, product: dict[str, Any], quantity: int = 1) -> Answer:
    return client.put(f"/api/cart/items/{product['id']}", {"quantity": quantity})


def checkout(client: Client, key: str | None = None, payment: str = "tok_ok") -> Answer:
    return client.post("/api/orders", {"payment_token": payment}, Idempotency_Key=key or unique("key"))


def euros(amount: str) -> dict[str, str]:
    return {"amount": amount, "currency": "EUR"}


def test_a_cart_shows_what_is_in_it_at_todays_price(staff: Client, buyer: Client) -> None:
    assert buyer.get("/api/cart").json() == {"items": [], "total": None}
    first, second = stocked(staff, 0), stocked(staff, 0, price=euros("2.55"))
    put(buyer, second, 3)
    answer = put(buyer, first, 2)
    check_form(answer)
    assert answer.json() == buyer.get("/api/cart").json() == {
        "items": [
            {"product_id": first["id"], "quantity": 2, "sku": first["sku"], "name": "Oak chair",
             "unit_price": euros("10.00"), "total": euros("20.00"), "orderable": True},
            {"product_id": second["id"], "quantity": 3, "sku": second["sku"], "name": "Oak chair",
             "unit_price": euros("2.55"), "total": euros("7.65"), "orderable": True},
        ],
        "total": euros("27.65"),
    }  # fmt: skip
    staff.patch(f"/api/products/{first['id']}", {"price": euros("11"), "name": "Ash chair"})
    after = put(buyer, first, 1).json()
    assert (after["items"][0]["name"], after["total"]) == ("Ash chair", euros("18.65"))


def test_what_cannot_be_ordered_stays_in_the_cart_and_says_so(staff: Client, buyer: Client) -> None:
    gone, inactive, foreign, good = (stocked(staff, 1) for _ in range(4))
    for product in (gone, inactive, good):
        put(buyer, product)
    staff.delete(f"/api/products/{gone['id']}")
    staff.patch(f"/api/products/{inactive['id']}", {"active": False})
    items = buyer.get("/api/cart").json()
    assert items["total"] == euros("10.00")
    assert items["items"][0] == {"product_id": gone["id"], "quantity": 1, "sku": None, "name": None,
                                 "unit_price": None, "total": None, "orderable": False}  # fmt: skip
    assert (items["items"][1]["orderable"], items["items"][1]["sku"]) == (False, inactive["sku"])
    check_problem(checkout(buyer), "product-unavailable")
    check_problem(put(buyer, inactive), "product-unavailable", detail=f"Product {inactive['id']} cannot be ordered.")
    check_problem(put(buyer, gone), "not-found", detail=f"There is no product {gone['id']}.")
    staff.patch(f"/api/products/{foreign['id']}", {"price": {"amount": "1", "currency": "USD"}})
    put(buyer, foreign)
    assert buyer.get("/api/cart").json()["total"] is None


def test_items_leave_the_cart_one_by_one_and_all_at_once(staff: Client, buyer: Client) -> None:
    first, second = stocked(staff, 0), stocked(staff, 0)
    put(buyer, first)
    put(buyer, second)
    removed = buyer.delete(f"/api/cart/items/{first['id']}")
    check_form(removed)
    assert removed.status == 204
    check_problem(
        buyer.delete(f"/api/cart/items/{first['id']}"),
        "not-found",
        detail=f"There is no item {first['id']} in the cart.",
    )
    for _ in range(2):
        assert buyer.delete("/api/cart").status == 204
        assert buyer.get("/api/cart").json()["items"] == []


def test_each_caller_has_a_cart_of_their_own(staff: Client, buyer: Client, anonymous: Client) -> None:
    put(buyer, stocked(staff, 0))
    _, other = register(anonymous)
    assert other.get("/api/cart").json()["items"] == []


def test_an_order_keeps_what_was_bought_and_empties_the_cart(staff: Client, anonymous: Client) -> None:
    customer, buyer = register(anonymous)
    product = stocked(staff, 5)
    put(buyer, product, 2)
    placed = checkout(buyer)
    check_form(placed)
    order = placed.json()
    assert list(order) == ["id", "customer_id", "status", "items", "total", "payment_id", "created_at", "updated_at"]
    assert (placed.status, placed.header("location")) == (201, f"/api/orders/{order['id']}")
    assert placed.header("idempotency-replayed") is None
    assert (order["customer_id"], order["status"], order["total"]) == (customer["id"], "placed", euros("20.00"))
    assert order["items"] == [{"product_id": product["id"], "sku": product["sku"], "name": "Oak chair", "quantity": 2,
                               "unit_price": euros("10.00"), "total": euros("20.00")}]  # fmt: skip
    assert buyer.get("/api/cart").json()["items"] == []
    assert stock(staff, product["sku"]) == (3, 0, 3)
    staff.patch(f"/api/products/{product['id']}", {"price": euros("99"), "name": "Other"})
    staff.delete(f"/api/products/{product['id']}")
    assert buyer.get(f"/api/orders/{order['id']}").json() == order
    payment = buyer.get(f"/api/payments/{order['payment_id']}").json()
    assert (payment["order_id"], payment["amount"], payment["status"]) == (order["id"], euros("20.00"), "captured")


@pytest.mark.parametrize("payment", ["tok_declined", "tok_insufficient_funds", "tok_expired_card"])
def test_a_declined_payment_leaves_nothing_behind(payment: str, staff: Client, buyer: Client) -> None:
    product, key = stocked(staff, 2), unique("key")
    put(buyer, product)
    check_problem(checkout(buyer, key, payment), "payment-declined")
    assert stock(staff, product["sku"]) == (2, 0, 2)
    assert len(buyer.get("/api/cart").json()["items"]) == 1
    assert buyer.get("/api/orders").json()["total"] == 0
    assert checkout(buyer, key).status == 201, "a failure leaves no trace of its key"


def test_what_is_wrong_with_a_checkout_is_said(staff: Client, buyer: Client) -> None:
    check_problem(checkout(buyer), "empty-cart")
    product = stocked(staff, 1)
    put(buyer, product, 2)
    check_problem(checkout(buyer, payment="tok_unknown"), "validation-failed", fields=("payment_token",))
    check_problem(checkout(buyer), "insufficient-stock", detail=f"Not enough stock of {product['sku']}.")
    put(buyer, stocked(staff, 1, price={"amount": "1", "currency": "USD"}))
    check_problem(checkout(buyer), "mixed-currencies")


def test_a_checkout_that_is_asked_for_again_is_the_same_one(staff: Client, buyer: Client) -> None:
    product, key = stocked(staff, 5), unique("key")
    put(buyer, product)
    first = checkout(buyer, key)
    put(buyer, product)
    again = checkout(buyer, key)
    check_form(again)
    assert (again.status, again.body, again.header("location")) == (201, first.body, first.header("location"))
    assert again.header("idempotency-replayed") == "true"
    assert stock(staff, product["sku"])[0] == 4
    assert len(buyer.get("/api/cart").json()["items"]) == 1
    check_problem(checkout(buyer, key, "tok_declined"), "idempotency-key-reused")


def test_a_key_belongs_to_its_caller(staff: Client, buyer: Client, anonymous: Client) -> None:
    _, other = register(anonymous)
    product, key = stocked(staff, 5), unique("key")
    for client in (buyer, other):
        put(client, product)
        assert checkout(client, key).header("idempotency-replayed") is None
    assert stock(staff, product["sku"])[0] == 3


def test_a_checkout_sent_many_times_at_once_happens_once(staff: Client, buyer: Client) -> None:
    product, key = stocked(staff, 10), unique("key")
    put(buyer, product, 2)
    answers = together(8, buyer, lambda _, own: checkout(own, key))
    assert {answer.status for answer in answers} == {201}
    assert len({answer.body for answer in answers}) == 1
    assert sum(answer.header("idempotency-replayed") is None for answer in answers) == 1
    assert stock(staff, product["sku"]) == (8, 0, 8)
    assert buyer.get("/api/orders").json()["total"] == 1


def test_one_cart_is_not_bought_twice_under_different_keys(staff: Client, buyer: Client) -> None:
    product = stocked(staff, 10)
    put(buyer, product, 2)
    answers = together(6, buyer, lambda _, own: checkout(own))
    assert sorted(answer.status for answer in answers) == [201, *[409] * 5]
    assert stock(staff, product["sku"]) == (8, 0, 8)


def test_the_last_items_are_sold_once(staff: Client, anonymous: Client) -> None:
    product, left, callers = stocked(staff, 4), 4, 10
    buyers = [register(anonymous)[1] for _ in range(callers)]
    for client in buyers:
        put(client, product)
    answers = together(callers, anonymous, lambda number, _: checkout(buyers[number]))
    assert sorted(answer.status for answer in answers) == [201] * left + [409] * (callers - left)
    for answer in answers:
        if answer.status == 409:
            check_problem(answer, "insufficient-stock")
    assert stock(staff, product["sku"]) == (0, 0, 0)


def test_orders_are_listed_newest_first_and_only_ones_own(staff: Client, buyer: Client, anonymous: Client) -> None:
    product = stocked(staff, 10)
    placed = []
    for _ in range(3):
        put(buyer, product)
        placed.append(checkout(buyer).json())
    page = buyer.get("/api/orders?page_size=2").json()
    assert page == {"items": placed[:0:-1], "total": 3, "page": 1, "page_size": 2}
    _, other = register(anonymous)
    assert other.get("/api/orders").json()["total"] == 0
    check_problem(other.get(f"/api/orders/{placed[0]['id']}"), "not-found")
    check_problem(other.post(f"/api/orders/{placed[0]['id']}/cancel"), "not-found")
    assert staff.get("/api/orders").json()["items"][0] == placed[2]
    buyer.post(f"/api/orders/{placed[1]['id']}/cancel")
    assert [item["id"] for item in buyer.get("/api/orders?status=cancelled").json()["items"]] == [placed[1]["id"]]
    assert buyer.get("/api/orders?status=placed").json()["total"] == 2


def test_a_cancelled_order_gives_stock_and_money_back_once(staff: Client, buyer: Client) -> None:
    product = stocked(staff, 5)
    put(buyer, product, 3)
    order = checkout(buyer).json()
    target = f"/api/orders/{order['id']}/cancel"
    cancelled = buyer.post(target)
    check_form(cancelled)
    after = cancelled.json()
    assert after == {**order, "status": "cancelled", "updated_at": after["updated_at"]}
    assert stock(staff, product["sku"]) == (5, 0, 5)
    payment = buyer.get(f"/api/payments/{order['payment_id']}").json()
    assert (payment["status"], payment["refunded"]) == ("refunded", euros("30.00"))
    check_problem(buyer.post(target), "order-state", detail=f"Order {order['id']} is cancelled.")


def test_of_many_cancellations_one_counts(staff: Client, buyer: Client) -> None:
    product = stocked(staff, 5)
    put(buyer, product, 3)
    target = f"/api/orders/{checkout(buyer).json()['id']}/cancel"
    answers = together(6, buyer, lambda _, own: own.post(target))
    assert sorted(answer.status for answer in answers) == [200, *[409] * 5]
    assert stock(staff, product["sku"]) == (5, 0, 5)


def test_a_cart_takes_a_hundred_items(staff: Client, buyer: Client) -> None:
    products = [stocked(staff, 0) for _ in range(101)]
    for product in products[:100]:
        assert put(buyer, product).status == 200
    check_problem(put(buyer, products[100]), "cart-full")
    assert put(buyer, products[0], 2).status == 200
