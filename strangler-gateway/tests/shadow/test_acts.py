"""Effects: rows by table and key, events by topic, calls by name, and the orders that mean something."""

import json
from typing import Any

import orjson
import pytest

from strangler.model.shadow import Ignored
from strangler.shadow.comparison import Comparison, Kind
from strangler.shadow.effects import Called, Effects, Published, RowWrite, Value

from .pairs import answer, compare, found


def row(table: str, operation: str, key: dict[str, Value], **after: Value) -> RowWrite:
    return RowWrite(table, operation, tuple(sorted(key.items())), tuple(sorted(after.items())))


def event(topic: str, **payload: Any) -> Published:
    return Published(topic, json.dumps(payload))


def call(name: str, **arguments: Any) -> Called:
    return Called(name, json.dumps(arguments))


def acts(primary: Effects | None, candidate: Effects | None, **comparing: Any) -> Comparison:
    return compare(answer({}, effects=primary), answer({}, effects=candidate), **comparing)


STOCK, OTHER_STOCK = row("stock", "update", {"sku": "A"}, on_hand=3), row("stock", "update", {"sku": "B"}, on_hand=3)
PLACED, PAID = event("order.placed", id=1), event("order.paid", id=1)
CHARGE, MAIL = call("payments.charge", minor=500), call("mail.send", to="x")
CASES: list[tuple[str, Effects, Effects, list[tuple[str, Kind]]]] = [
    ("the same", Effects((STOCK,), (PLACED,), (CHARGE,)), Effects((STOCK,), (PLACED,), (CHARGE,)), []),
    ("another value", Effects((STOCK,)), Effects((row("stock", "update", {"sku": "A"}, on_hand=2),)),
     [("effects.rows.stock.update.on_hand", Kind.VALUE)]),
    ("a column more", Effects((STOCK,)), Effects((row("stock", "update", {"sku": "A"}, on_hand=3, reserved=1),)),
     [("effects.rows.stock.update.reserved", Kind.ADDED)]),
    ("true is not 1", Effects((row("t", "update", {"id": 1}, a=True),)), Effects((row("t", "update", {"id": 1}, a=1),)),
     [("effects.rows.t.update.a", Kind.TYPE)]),
    ("the wrong row", Effects((STOCK,)), Effects((OTHER_STOCK,)),
     [("effects.rows.stock.update", Kind.MISSING), ("effects.rows.stock.update", Kind.ADDED)]),
    ("a row too many", Effects((STOCK,)), Effects((STOCK, OTHER_STOCK)), [("effects.rows.stock.update", Kind.ADDED)]),
    ("no row", Effects((STOCK,)), Effects(), [("effects.rows.stock.update", Kind.MISSING)]),
    ("another operation", Effects((row("t", "delete", {"id": 1}),)), Effects((row("t", "update", {"id": 1}, a=1),)),
     [("effects.rows.t.delete", Kind.MISSING), ("effects.rows.t.update", Kind.ADDED)]),
    ("rows in another order", Effects((STOCK, OTHER_STOCK)), Effects((OTHER_STOCK, STOCK)), []),
    ("one row, written twice, in another order",
     Effects((row("t", "update", {"id": 1}, a=1), row("t", "update", {"id": 1}, a=2))),
     Effects((row("t", "update", {"id": 1}, a=2), row("t", "update", {"id": 1}, a=1))),
     [("effects.rows.t.update.a", Kind.VALUE), ("effects.rows.t.update.a", Kind.VALUE)]),
    ("one row, other operations first",
     Effects((row("t", "delete", {"id": 1}), row("t", "insert", {"id": 1}, a=1))),
     Effects((row("t", "insert", {"id": 1}, a=1), row("t", "delete", {"id": 1}))),
     [("effects.rows.t", Kind.ORDER)]),
    ("a new row of another key", Effects((row("t", "insert", {"id": 1}, a=1),)),
     Effects((row("t", "insert", {"id": 2}, a=1),)),
     [("effects.rows.t.insert.id", Kind.VALUE)]),
    ("a missing event", Effects(events=(PLACED, PAID)),
     Effects(events=(PLACED,)), [("effects.events.order.paid", Kind.MISSING)]),
    ("an event twice", Effects(events=(PLACED,)),
     Effects(events=(PLACED, PLACED)), [("effects.events.order.placed", Kind.ADDED)]),
    ("another payload", Effects(events=(PLACED,)), Effects(events=(event("order.placed", id=2),)),
     [("effects.events.order.placed.id", Kind.VALUE)]),
    ("a payload in other words", Effects(events=(Published("a", '{"x":1}'),)),
     Effects(events=(Published("a", '{ "x": 1 }'),)), []),
    ("a payload that is no JSON", Effects(events=(Published("a", "x"),)), Effects(events=(Published("a", "y"),)),
     [("effects.events.a", Kind.VALUE)]),
    ("events of one thing in another order", Effects(events=(PLACED, PAID)), Effects(events=(PAID, PLACED)),
     [("effects.events[]", Kind.ORDER)]),
    ("events of two things in another order", Effects(events=(PLACED, event("stock.low"))),
     Effects(events=(event("stock.low"), PLACED)), []),
    ("a double charge", Effects(calls=(CHARGE,)),
     Effects(calls=(CHARGE, CHARGE)), [("effects.calls.payments.charge", Kind.ADDED)]),
    ("no charge", Effects(calls=(CHARGE, MAIL)),
     Effects(calls=(MAIL,)), [("effects.calls.payments.charge", Kind.MISSING)]),
    ("another amount", Effects(calls=(CHARGE,)), Effects(calls=(call("payments.charge", minor=501),)),
     [("effects.calls.payments.charge.minor", Kind.VALUE)]),
]  # fmt: skip


@pytest.mark.parametrize(("primary", "candidate", "expected"), [case[1:] for case in CASES], ids=[c[0] for c in CASES])
def test_effects(primary: Effects, candidate: Effects, expected: list[tuple[str, Kind]]) -> None:
    assert found(acts(primary, candidate)) == expected


def test_keys_that_are_made_are_followed_from_row_to_row_to_the_answer() -> None:
    def checkout(order: int, reference: int, answered: int) -> Any:
        rows = (
            row("orders", "insert", {"id": order}, total=500),
            row("order_items", "insert", {"id": order * 10}, order_id=reference, sku="A"),
        )
        return answer({"id": answered}, effects=Effects(rows, (event("order.placed", id=order),)))

    generated = (
        "body.id as order",
        "effects.rows.orders.insert.id as order",
        "effects.rows.order_items.insert.order_id as order",
        "effects.rows.order_items.insert.id",
        "effects.events.order.placed.id as order",
    )
    assert compare(checkout(1, 1, 1), checkout(5, 5, 5), generated=generated).differences == ()
    wrong_row = compare(checkout(1, 1, 1), checkout(5, 4, 5), generated=generated)
    assert found(wrong_row) == [("effects.rows.order_items.insert.order_id", Kind.VALUE)]
    wrong_answer = compare(checkout(1, 1, 1), checkout(5, 5, 6), generated=generated)
    assert found(wrong_answer) == [("body.id", Kind.VALUE)]


def test_what_is_the_same_in_both_is_known_to_stand_for_itself() -> None:
    def made(number: int) -> Any:
        rows = (row("orders", "insert", {"id": number}, total=500),)
        return answer({"id": 1}, effects=Effects(rows, (event("order.placed", id=1),)))

    in_body = ("effects.rows.orders.insert.id as order", "body.id as order")
    assert found(compare(made(1), made(2), generated=in_body)) == [("body.id", Kind.VALUE)]
    in_event = ("effects.rows.orders.insert.id as order", "effects.events.order.placed.id as order")
    assert found(compare(made(1), made(2), generated=in_event)) == [("effects.events.order.placed.id", Kind.VALUE)]


def test_rows_whose_keys_were_made_belong_together_by_their_order() -> None:
    generated = ("effects.rows.t.update.id",)
    one = Effects((row("t", "update", {"id": 1}, a=1), row("t", "update", {"id": 2}, a=2)))
    other = Effects((row("t", "update", {"id": 5}, a=1), row("t", "update", {"id": 6}, a=3)))
    assert found(acts(one, other, generated=generated)) == [("effects.rows.t.update.a", Kind.VALUE)]


def test_numbers_and_times_of_rows_follow_the_same_rules_as_those_of_answers() -> None:
    one = Effects((row("t", "update", {"id": 1}, at="2026-01-31 09:30:00.000000", share=0.5),))
    other = Effects((row("t", "update", {"id": 1}, at="2026-01-31 09:30:00", share=0.50),))
    comparison = acts(one, other)
    assert (found(comparison), comparison.normalised) == ([], {"date-notation": 1})
    assert acts(one, other, normalise=()).differences


def test_an_effect_says_where_it_is() -> None:
    comparison = acts(
        Effects((STOCK,), (PLACED, PLACED)), Effects((OTHER_STOCK,), (PLACED, event("order.placed", id=2)))
    )
    assert [difference.at for difference in comparison.differences] == [
        "effects.rows.stock.update",
        "effects.rows.stock.update",
        "effects.events.order.placed[1].id",
    ]


def test_an_effect_can_be_ignored() -> None:
    ignore = (Ignored("effects.rows.audit.*", "not ours"),)
    one = Effects((row("audit", "insert", {"id": 1}, text="a"),))
    other = Effects((row("audit", "insert", {"id": 1}, text="b"),))
    comparison = acts(one, other, ignore=ignore)
    assert (found(comparison), comparison.ignored) == ([], {"effects.rows.audit.*": 1})


def test_effects_of_an_answer_of_another_status_are_compared() -> None:
    comparison = compare(answer({}, effects=Effects()), answer({}, status=500, effects=Effects((STOCK,))))
    assert found(comparison) == [("status", Kind.VALUE), ("effects.rows.stock.update", Kind.ADDED)]


def test_effects_that_one_side_did_not_report_are_not_compared_and_that_is_told() -> None:
    comparison = acts(Effects((STOCK,)), None)
    assert (found(comparison), comparison.cut) == ([], ("effects: the candidate reported none",))


def test_a_report_that_is_not_complete_is_told() -> None:
    comparison = acts(Effects((STOCK,), complete=False), Effects((STOCK,)))
    assert comparison.cut == ("effects of the primary: its report is not complete",)


@pytest.mark.parametrize("value", [float("nan"), float("inf"), 1e308])
def test_numbers_that_json_does_not_have_are_compared_all_the_same(value: float) -> None:
    one, other = (Effects((row("t", "update", {"id": 1}, a=a),)) for a in (value, 1.0))
    assert found(acts(one, one)) == []
    (difference,) = acts(one, other).differences
    assert difference.field == "effects.rows.t.update.a"
    assert orjson.loads(difference.primary)  # JSON, which has no NaN.
