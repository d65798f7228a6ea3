"""Checkout happens wholly or not at all, and once per key."""

from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from shop.application import Shop
from shop.kernel.caller import Caller
from shop.kernel.errors import (
    EmptyCart,
    IdempotencyKeyReused,
    InsufficientStock,
    MixedCurrencies,
    OrderState,
    PaymentDeclined,
    Problem,
    ProductUnavailable,
    RefundExceedsPayment,
)
from shop.kernel.money import Money
from shop.modules.catalog.public import NewProduct, ProductChange
from shop.modules.inventory.public import NewAdjustment
from shop.modules.notifications.public import NotificationQuery
from shop.modules.orders.public import Checkout, OrderQuery
from shop.modules.payments.public import NewRefund, SandboxProvider

PAY = Checkout(payment_token="tok_ok")


def offer(shop: Shop, sku: str, price: str, quantity: int, currency: str = "EUR") -> int:
    body = {"sku": sku, "name": sku, "price": {"amount": price, "currency": currency}}
    shop.inventory.adjust(sku, NewAdjustment(delta=quantity, reason="test"))
    return shop.catalog.create_product(NewProduct.model_validate(body)).id


def notified(shop: Shop, caller: Caller) -> list[str]:
    return [each.kind for each in shop.notifications.list_own(caller, NotificationQuery()).items]


def anything(_version: int) -> None:
    """No precondition."""


def test_a_checkout_takes_stock_money_and_cart_together(shop: Shop, customer: Caller) -> None:
    lamp, desk = offer(shop, "LAMP", "19.99", 5), offer(shop, "DESK", "100", 1)
    shop.orders.put_in_cart(customer, lamp, 3)
    shop.orders.put_in_cart(customer, desk, 1)
    order = shop.orders.check_out(customer, "k1", PAY).answer
    assert order.total.amount == "159.97"
    assert [(line.product_id, line.total.amount) for line in order.items] == [(lamp, "59.97"), (desk, "100.00")]
    assert shop.inventory.get_stock("LAMP").on_hand == 2
    assert shop.inventory.get_stock("DESK").available == 0
    assert shop.orders.get_cart(customer).items == ()
    assert shop.payments.get(customer, order.payment_id).amount == Money(15_997, "EUR")
    assert notified(shop, customer) == ["order_placed"]


def decline(shop: Shop, customer: Caller) -> Checkout:
    return Checkout(payment_token="tok_declined")


def sell_out(shop: Shop, customer: Caller) -> Checkout:
    shop.inventory.adjust("LAMP", NewAdjustment(delta=-4, reason="test"))
    return PAY


def withdraw(shop: Shop, customer: Caller) -> Checkout:
    shop.catalog.change_product(1, ProductChange(active=False), anything)
    return PAY


def mix(shop: Shop, customer: Caller) -> Checkout:
    shop.orders.put_in_cart(customer, offer(shop, "US", "1", 1, "USD"), 1)
    return PAY


@pytest.mark.parametrize(
    ("spoil", "problem"),
    [(decline, PaymentDeclined), (sell_out, InsufficientStock), (withdraw, ProductUnavailable), (mix, MixedCurrencies)],
)
def test_a_checkout_that_fails_leaves_everything_as_it_was(
    shop: Shop, customer: Caller, spoil: Callable[[Shop, Caller], Checkout], problem: type[Problem]
) -> None:
    shop.orders.put_in_cart(customer, offer(shop, "LAMP", "10", 5), 2)
    checkout = spoil(shop, customer)
    before = shop.inventory.get_stock("LAMP"), shop.orders.get_cart(customer)
    with pytest.raises(problem):
        shop.orders.check_out(customer, "k1", checkout)
    assert (shop.inventory.get_stock("LAMP"), shop.orders.get_cart(customer)) == before
    assert shop.orders.list_orders(customer, OrderQuery()).total == 0
    assert notified(shop, customer) == []


def test_a_key_that_failed_may_be_used_again(shop: Shop, customer: Caller) -> None:
    shop.orders.put_in_cart(customer, offer(shop, "LAMP", "10", 5), 2)
    with pytest.raises(PaymentDeclined):
        shop.orders.check_out(customer, "k1", Checkout(payment_token="tok_declined"))
    assert shop.orders.check_out(customer, "k1", PAY).answer.status == "placed"


def test_the_same_key_gives_the_first_answer_again(shop: Shop, customer: Caller) -> None:
    lamp = offer(shop, "LAMP", "10", 5)
    shop.orders.put_in_cart(customer, lamp, 1)
    first = shop.orders.check_out(customer, "k1", PAY)
    shop.orders.put_in_cart(customer, lamp, 1)
    shop.orders.cancel(customer, first.answer.id)
    again = shop.orders.check_out(customer, "k1", PAY)
    assert again.replayed
    assert again.answer.model_dump_json() == first.answer.model_dump_json()
    assert len(shop.orders.get_cart(customer).items) == 1
    with pytest.raises(IdempotencyKeyReused):
        shop.orders.check_out(customer, "k1", Checkout(payment_token="tok_declined"))


class CountingProvider(SandboxProvider):
    def __init__(self) -> None:
        self.charged: list[str] = []

    def charge(self, card_token: str, amount: Money, idempotency_key: str) -> str:
        self.charged.append(idempotency_key)
        return super().charge(card_token, amount, idempotency_key)


def test_ten_requests_with_one_key_charge_once(make_shop: Callable[..., Shop], customer: Caller) -> None:
    provider = CountingProvider()
    shop = make_shop(provider=provider)
    shop.orders.put_in_cart(customer, offer(shop, "LAMP", "10", 50), 1)
    with ThreadPoolExecutor(10) as pool:
        outcomes = list(pool.map(lambda _: shop.orders.check_out(customer, "k1", PAY), range(10)))
    assert Counter(outcome.replayed for outcome in outcomes) == {False: 1, True: 9}
    assert len({outcome.answer.id for outcome in outcomes}) == 1
    assert len(provider.charged) == 1


def test_one_cart_is_ordered_once_whatever_the_keys(shop: Shop, customer: Caller) -> None:
    shop.orders.put_in_cart(customer, offer(shop, "LAMP", "10", 50), 1)

    def check_out(number: int) -> bool:
        try:
            shop.orders.check_out(customer, f"k{number}", PAY)
        except EmptyCart:
            return False
        return True

    with ThreadPoolExecutor(8) as pool:
        assert Counter(pool.map(check_out, range(8))) == {True: 1, False: 7}


def test_thirty_customers_of_ten_lamps_place_ten_orders(shop: Shop) -> None:
    lamp = offer(shop, "LAMP", "10", 10)
    callers = [Caller(100 + number, frozenset({"customer"})) for number in range(30)]
    for caller in callers:
        shop.orders.put_in_cart(caller, lamp, 1)

    def check_out(caller: Caller) -> bool:
        try:
            shop.orders.check_out(caller, "k", PAY)
        except InsufficientStock:
            return False
        return True

    with ThreadPoolExecutor(8) as pool:
        assert Counter(pool.map(check_out, callers)) == {True: 10, False: 20}
    assert shop.inventory.get_stock("LAMP").on_hand == 0


def test_cancelling_gives_back_what_is_left(shop: Shop, customer: Caller, staff: Caller) -> None:
    shop.orders.put_in_cart(customer, offer(shop, "LAMP", "10", 5), 2)
    order = shop.orders.check_out(customer, "k1", PAY).answer
    shop.payments.refund(staff, order.payment_id, "r1", NewRefund(amount="5"))
    with pytest.raises(RefundExceedsPayment, match=r"15\.00 EUR"):
        shop.payments.refund(staff, order.payment_id, "r2", NewRefund(amount="15.01"))
    assert shop.orders.cancel(customer, order.id).status == "cancelled"
    assert shop.payments.get(customer, order.payment_id).status == "refunded"
    assert shop.inventory.get_stock("LAMP").available == 5
    with pytest.raises(OrderState):
        shop.orders.cancel(customer, order.id)
    assert notified(shop, customer) == ["order_cancelled", "payment_refunded", "order_placed"]


def test_an_order_keeps_the_price_it_was_placed_at(shop: Shop, customer: Caller) -> None:
    lamp = offer(shop, "LAMP", "10", 5)
    shop.orders.put_in_cart(customer, lamp, 1)
    order = shop.orders.check_out(customer, "k1", PAY).answer
    price: Any = {"amount": "99", "currency": "EUR"}
    shop.catalog.change_product(lamp, ProductChange.model_validate({"price": price}), anything)
    assert shop.orders.get_order(customer, order.id).total == Money(1_000, "EUR")
    shop.catalog.delete_product(lamp, anything)
    assert shop.orders.get_order(customer, order.id).items[0].sku == "LAMP"
