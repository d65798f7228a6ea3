"""Stock and reservations: what is promised is there, also when many ask at once."""

import time
from datetime import datetime, timedelta

import pytest

from contract.accounts import adjust, register, stock
from contract.client import Client
from contract.judge import check_form, check_problem
from contract.race import together
from contract.world import unique

MODULE = "inventory"


def reserve(client: Client, sku: str, quantity: int, **more: int) -> dict[str, object]:
    answer = client.post("/api/reservations", {"items": [{"sku": sku, "quantity": quantity}], **more})
    assert answer.status == 201, answer
    made: dict[str, object] = answer.json()
    return made


def test_the_first_adjustment_makes_the_stock(staff: Client, anonymous: Client) -> None:
    sku = unique("inv")
    check_problem(anonymous.get(f"/api/stock/{sku}"), "not-found")
    answer = staff.post(f"/api/stock/{sku}/adjustments", {"delta": 12, "reason": " delivery "})
    check_form(answer)
    assert (answer.status, answer.header("location")) == (201, f"/api/stock/{sku}")
    adjustment = answer.json()
    assert list(adjustment) == ["id", "sku", "delta", "reason", "on_hand", "created_at"]
    assert (adjustment["reason"], adjustment["on_hand"]) == ("delivery", 12)
    found = anonymous.get(f"/api/stock/{sku}")
    assert found.json() == {"sku": sku, "on_hand": 12, "reserved": 0, "available": 12}
    assert found.header("cache-control") == "no-store"


def test_adjustments_are_listed_newest_first(staff: Client) -> None:
    sku = unique("inv")
    for delta in (5, -2, 7):
        adjust(staff, sku, delta)
    page = staff.get(f"/api/stock/{sku}/adjustments?page_size=2").json()
    assert ([(item["delta"], item["on_hand"]) for item in page["items"]], page["total"]) == ([(7, 10), (-2, 3)], 3)


def test_stock_never_falls_below_what_is_reserved(staff: Client, customer: Client) -> None:
    sku = unique("inv")
    check_problem(staff.post(f"/api/stock/{sku}/adjustments", {"delta": -1, "reason": "x"}), "insufficient-stock")
    adjust(staff, sku, 5)
    reserve(customer, sku, 3)
    refused = staff.post(f"/api/stock/{sku}/adjustments", {"delta": -3, "reason": "x"})
    check_problem(refused, "insufficient-stock", detail=f"Not enough stock of {sku}.")
    adjust(staff, sku, -2)
    assert stock(staff, sku) == (3, 3, 0)


def test_stock_is_listed_by_sku(anonymous: Client, staff: Client) -> None:
    for sku in ("zz-b", "ZZ-c", "zz-A"):
        adjust(staff, sku, 1)
    total = anonymous.get("/api/stock?page_size=1").json()["total"]
    pages = [anonymous.get(f"/api/stock?page_size=100&page={page}").json() for page in range(1, total // 100 + 2)]
    skus = [item["sku"] for page in pages for item in page["items"]]
    assert len(skus) == total
    assert skus == sorted(skus)


def test_a_reservation_is_confirmed_once(staff: Client, customer: Client) -> None:
    sku = unique("inv")
    adjust(staff, sku, 10)
    made = customer.post("/api/reservations", {"items": [{"sku": sku, "quantity": 4}]})
    check_form(made)
    reservation = made.json()
    assert list(reservation) == ["id", "state", "items", "expires_at", "created_at"]
    target = f"/api/reservations/{reservation['id']}"
    assert (made.header("location"), reservation["state"]) == (target, "active")
    lasts = datetime.fromisoformat(reservation["expires_at"]) - datetime.fromisoformat(reservation["created_at"])
    assert lasts == timedelta(seconds=900)
    assert stock(staff, sku) == (10, 4, 6)
    for _ in range(2):
        confirmed = customer.post(f"{target}/confirm")
        assert (confirmed.status, confirmed.json()) == (200, {**reservation, "state": "confirmed"})
        assert stock(staff, sku) == (6, 0, 6)
    refused = customer.post(f"{target}/release")
    check_problem(refused, "reservation-state", detail=f"Reservation {reservation['id']} is confirmed.")


def test_a_released_reservation_gives_back_once(staff: Client, customer: Client) -> None:
    sku = unique("inv")
    adjust(staff, sku, 10)
    target = f"/api/reservations/{reserve(customer, sku, 4)['id']}"
    for _ in range(2):
        assert customer.post(f"{target}/release").json()["state"] == "released"
        assert stock(staff, sku) == (10, 0, 10)
    check_problem(customer.post(f"{target}/confirm"), "reservation-state")


def test_an_expired_reservation_holds_nothing(staff: Client, customer: Client) -> None:
    sku = unique("inv")
    adjust(staff, sku, 2)
    target = f"/api/reservations/{reserve(customer, sku, 2, ttl_seconds=1)['id']}"
    deadline = time.monotonic() + 10
    while customer.get(target).json()["state"] == "active":
        assert time.monotonic() < deadline
        time.sleep(0.1)
    assert customer.get(target).json()["state"] == "expired"
    assert stock(staff, sku) == (2, 0, 2)
    check_problem(customer.post(f"{target}/confirm"), "reservation-state")
    reserve(customer, sku, 2)


def test_a_reservation_is_all_or_nothing(staff: Client, customer: Client) -> None:
    first, second = unique("inv-a"), unique("inv-b")
    adjust(staff, first, 5)
    adjust(staff, second, 1)
    items: list[dict[str, object]] = [{"sku": second, "quantity": 2}, {"sku": first, "quantity": 1}]
    check_problem(customer.post("/api/reservations", {"items": items}), "insufficient-stock")
    assert stock(staff, first) == (5, 0, 5)
    made = customer.post(
        "/api/reservations", {"items": [{"sku": second, "quantity": 1}, {"sku": first, "quantity": 1}]}
    )
    assert [item["sku"] for item in made.json()["items"]] == [first, second]


def test_a_reservation_is_seen_by_its_owner_and_staff(staff: Client, customer: Client, anonymous: Client) -> None:
    sku = unique("inv")
    adjust(staff, sku, 2)
    reservation = reserve(customer, sku, 1)
    target = f"/api/reservations/{reservation['id']}"
    _, stranger = register(anonymous)
    assert staff.get(target).json() == reservation
    check_problem(stranger.get(target), "not-found", detail=f"There is no reservation {reservation['id']}.")
    check_problem(stranger.post(f"{target}/confirm"), "not-found")
    assert staff.post(f"{target}/confirm").status == 200


@pytest.mark.parametrize(("units", "callers", "each"), [(5, 16, 1), (7, 12, 2)])
def test_the_last_units_are_never_promised_twice(
    units: int, callers: int, each: int, staff: Client, customer: Client
) -> None:
    sku = unique("race")
    adjust(staff, sku, units)
    body = {"items": [{"sku": sku, "quantity": each}]}
    answers = together(callers, customer, lambda _, own: own.post("/api/reservations", body))
    granted = units // each
    assert sorted(answer.status for answer in answers) == [201] * granted + [409] * (callers - granted)
    assert stock(staff, sku) == (units, granted * each, units - granted * each)


def test_reservations_of_the_same_goods_in_any_order_do_not_lock_each_other_out(
    staff: Client, customer: Client
) -> None:
    skus = [unique("race-a"), unique("race-b")]
    for sku in skus:
        adjust(staff, sku, 50)

    def body(number: int) -> dict[str, object]:
        order = skus if number % 2 else skus[::-1]
        return {"items": [{"sku": sku, "quantity": 1} for sku in order]}

    answers = together(10, customer, lambda number, own: own.post("/api/reservations", body(number)))
    assert [answer.status for answer in answers] == [201] * 10
    assert [stock(staff, sku) for sku in skus] == [(50, 10, 40)] * 2


def test_a_reservation_ends_one_way_only(staff: Client, customer: Client) -> None:
    sku = unique("race")
    adjust(staff, sku, 3)
    target = f"/api/reservations/{reserve(customer, sku, 3)['id']}"
    ends = ("confirm", "release")
    answers = together(8, customer, lambda number, own: own.post(f"{target}/{ends[number % 2]}"))
    state = customer.get(target).json()["state"]
    won = ends.index({"confirmed": "confirm", "released": "release"}[state])
    assert [answer.status for answer in answers] == [200 if number % 2 == won else 409 for number in range(8)]
    assert stock(staff, sku) == ((0, 0, 0) if state == "confirmed" else (3, 0, 3))
