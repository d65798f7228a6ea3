"""Stock is never sold twice, and what is held comes back when its time is over."""

import random
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from shop.application import Shop
from shop.kernel.caller import Caller
from shop.kernel.errors import InsufficientStock, NotFound, ReservationState
from shop.modules.inventory.public import NewAdjustment, NewReservation


def stock(shop: Shop, sku: str, quantity: int) -> None:
    shop.inventory.adjust(sku, NewAdjustment(delta=quantity, reason="test"))


def reserve(shop: Shop, caller: Caller, ttl: int = 60, **quantities: int) -> Any:
    items = [{"sku": sku, "quantity": quantity} for sku, quantity in quantities.items()]
    return shop.inventory.reserve(caller, NewReservation.model_validate({"items": items, "ttl_seconds": ttl}))


def level(shop: Shop, sku: str) -> tuple[int, int, int]:
    found = shop.inventory.get_stock(sku)
    return found.on_hand, found.reserved, found.available


def test_fifty_buyers_of_ten_pieces_get_ten(shop: Shop, customer: Caller) -> None:
    stock(shop, "A", 10)

    def buy(_: int) -> bool:
        try:
            reserve(shop, customer, A=1)
        except InsufficientStock:
            return False
        return True

    with ThreadPoolExecutor(12) as pool:
        assert Counter(pool.map(buy, range(50))) == {True: 10, False: 40}
    assert level(shop, "A") == (10, 10, 0)


def test_overlapping_reservations_and_returns_neither_deadlock_nor_lose_a_piece(
    shop: Shop, customer: Caller, clock: Any
) -> None:
    skus = ["A", "B", "C", "D"]
    for sku in skus:
        stock(shop, sku, 30)

    def trade(number: int) -> int:
        chance = random.Random(number)
        pair = chance.sample(skus, 2)  # in any order
        try:
            reservation = reserve(shop, customer, ttl=chance.choice([1, 60]), **dict.fromkeys(pair, 1))
            if chance.random() < 0.3:
                shop.inventory.release(customer, reservation.id)
            elif chance.random() < 0.5:
                shop.inventory.confirm(customer, reservation.id)
                return 2
            else:
                clock.advance(seconds=0.5)  # some of the others run out meanwhile
        except (InsufficientStock, ReservationState):
            pass
        return 0

    with ThreadPoolExecutor(8) as pool:
        sold = sum(pool.map(trade, range(120)))
    clock.advance(hours=1)
    levels = [level(shop, sku) for sku in skus]
    assert sum(on_hand for on_hand, _, _ in levels) == 120 - sold
    assert all(reserved == 0 for _, reserved, _ in levels)


def test_a_reservation_that_has_run_out_holds_nothing(shop: Shop, customer: Caller, clock: Any) -> None:
    stock(shop, "A", 5)
    first = reserve(shop, customer, ttl=10, A=4)
    assert level(shop, "A") == (5, 4, 1)
    clock.advance(seconds=10)
    assert level(shop, "A") == (5, 0, 5)
    assert shop.inventory.get_reservation(customer, first.id).state == "expired"
    second = reserve(shop, customer, A=5)
    assert level(shop, "A") == (5, 5, 0)
    with pytest.raises(ReservationState, match="expired"):
        shop.inventory.confirm(customer, first.id)
    shop.inventory.release(customer, second.id)
    assert level(shop, "A") == (5, 0, 5)


def test_all_or_nothing_is_reserved(shop: Shop, customer: Caller) -> None:
    stock(shop, "A", 5)
    stock(shop, "B", 1)
    with pytest.raises(InsufficientStock, match="B"):
        reserve(shop, customer, A=5, B=2)
    with pytest.raises(InsufficientStock, match="unknown"):
        reserve(shop, customer, A=1, unknown=1)
    assert level(shop, "A") == (5, 0, 5)


def test_confirming_and_releasing_again_has_no_further_effect(shop: Shop, customer: Caller) -> None:
    stock(shop, "A", 5)
    bought, dropped = reserve(shop, customer, A=2), reserve(shop, customer, A=1)
    for _ in range(2):
        assert shop.inventory.confirm(customer, bought.id).state == "confirmed"
        assert shop.inventory.release(customer, dropped.id).state == "released"
        assert level(shop, "A") == (3, 0, 3)
    with pytest.raises(ReservationState, match="confirmed"):
        shop.inventory.release(customer, bought.id)


def test_what_is_reserved_cannot_be_adjusted_away(shop: Shop, customer: Caller, clock: Any) -> None:
    stock(shop, "A", 5)
    reserve(shop, customer, ttl=10, A=4)
    with pytest.raises(InsufficientStock):
        stock(shop, "A", -2)
    clock.advance(seconds=11)
    stock(shop, "A", -5)
    assert level(shop, "A") == (0, 0, 0)


def test_a_reservation_is_its_owners_and_the_staffs(shop: Shop, customer: Caller, staff: Caller) -> None:
    stock(shop, "A", 5)
    reservation = reserve(shop, customer, A=1)
    stranger = Caller(99, frozenset({"customer"}))
    with pytest.raises(NotFound):
        shop.inventory.get_reservation(stranger, reservation.id)
    with pytest.raises(NotFound):
        shop.inventory.release(stranger, reservation.id)
    assert shop.inventory.get_reservation(staff, reservation.id).id == reservation.id
