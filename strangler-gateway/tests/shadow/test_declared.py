"""What a route declares: fields that are ignored, and until when; tolerances; identifiers that each side makes."""

from datetime import date
from typing import Any

import pytest

from strangler.model.shadow import ArrayRule, Comparing, Ignored
from strangler.shadow.comparison import Kind
from strangler.shadow.compiled import RuleRefused
from strangler.shadow.rules import Rules

from .pairs import TODAY, answer, compare, documents, found, question


@pytest.mark.parametrize(
    ("rule", "swallowed"),
    [
        ("body.a.b", {"body.a.b": 1}),
        ("body.a.*", {"body.a.*": 2}),
        ("body.*", {"body.*": 2}),
        ("body*", {"body*": 2}),
        ("*", {"*": 2}),
        ("body.a", {}),
        ("body.a.bb", {}),
        ("header.*", {}),
    ],
)
def test_a_rule_takes_its_field_and_a_star_all_below(rule: str, swallowed: dict[str, int]) -> None:
    one, other = {"a": {"b": 1, "c": {"d": 1}}}, {"a": {"b": 2, "c": {"d": 2}}}
    comparison = compare(answer(one), answer(other), ignore=(Ignored(rule, "why"),))
    assert comparison.ignored == swallowed
    assert len(comparison.differences) == 2 - sum(swallowed.values())


def test_a_star_takes_what_is_below_and_not_what_begins_alike() -> None:
    ignore = (Ignored("body.a.*", "why"),)
    assert documents({"a": {"x": 1}, "ab": 1}, {"a": {"x": 2}, "ab": 2}, ignore=ignore) == [("body.ab", Kind.VALUE)]


def test_a_status_can_be_ignored() -> None:
    comparison = compare(answer({}, status=200), answer({}, status=201), ignore=(Ignored("status", "why"),))
    assert (found(comparison), comparison.ignored) == ([], {"status": 1})


@pytest.mark.parametrize(
    ("until", "ignores"), [("", True), ("2026-11-29", True), ("2026-11-28", False), ("2026-01-01", False)]
)
def test_a_rule_ends_on_its_day(until: str, ignores: bool) -> None:
    rule = Ignored("body.a", "why", until)
    rules = Rules(Comparing(ignore=(rule,)), TODAY)
    comparison = rules.compare(question(), answer({"a": 1}), answer({"a": 2}))
    assert (comparison.differences == ()) is ignores
    assert rules.expired == (() if ignores else (rule,))


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"normalise": ("no-such",)}, "no normaliser 'no-such'"),
        ({"ignore": (Ignored("body.a", "why", "soon"),)}, "'soon' is no date"),
        ({"arrays": (ArrayRule("body", "key"),)}, "no key"),
        ({"arrays": (ArrayRule("body", "magic"),)}, "by 'magic'"),
        ({"tolerances": (("body.a", -1.0),)}, "-1.0 is no distance"),
        ({"tolerances": (("body.a", float("nan")),)}, "nan is no distance"),
    ],
)
def test_rules_that_cannot_be_are_refused_with_a_reason(wrong: dict[str, Any], message: str) -> None:
    with pytest.raises(RuleRefused, match=message):
        Rules(Comparing(**wrong), date(2026, 1, 1))


@pytest.mark.parametrize(
    ("primary", "candidate", "within"),
    [
        (1, 1.5, True),
        (1.0, 1.50000000000000000001, True),
        (1, 1.51, False),
        ("12.90", "13.40", True),
        ("12.90", 13.1, True),
        (123456789012345678901, 123456789012345678902, False),
        ("2026-01-31T09:30:00Z", "2026-01-31T09:30:00.500+00:00", True),
        ("2026-01-31T09:30:00Z", "2026-01-31T09:30:00.501Z", False),
        ("2026-01-31T09:30:00Z", "2026-01-31 09:30:00", False),
        ("2026-01-31T09:30:00.1", "2026-01-31T09:30:00.2", True),
        ("1e999999999", "1e-999999999", False),
        ("a", "b", False),
        (None, 0, False),
        (True, 1, False),
    ],
)
def test_a_tolerance_is_for_numbers_and_times(primary: Any, candidate: Any, within: bool) -> None:
    comparison = compare(answer({"a": primary}), answer({"a": candidate}), tolerances=(("body.a", 0.5),))
    assert (found(comparison) == []) is within
    assert comparison.normalised == ({"tolerance": 1} if within else {})


def test_a_tolerance_is_for_its_field_alone() -> None:
    assert documents({"a": 1, "b": 1}, {"a": 2, "b": 2}, tolerances=(("body.a", 1.0),)) == [("body.b", Kind.VALUE)]


IDS = ("body.id", "body.items[].id", "body.first", "body.ref")


@pytest.mark.parametrize(
    ("primary", "candidate", "fields"),
    [
        ({"id": "a"}, {"id": "b"}, []),
        ({"id": "a", "ref": "a"}, {"id": "b", "ref": "b"}, []),
        ({"id": "a", "ref": "a"}, {"id": "b", "ref": "c"}, ["body.ref"]),
        ({"id": "a", "ref": "x"}, {"id": "b", "ref": "b"}, ["body.ref"]),
        ({"id": "a", "ref": "a"}, {"id": "b", "ref": "a"}, ["body.ref"]),
        ({"items": [{"id": 1}, {"id": 2}]}, {"items": [{"id": 7}, {"id": 8}]}, []),
        ({"items": [{"id": 1}, {"id": 1}]}, {"items": [{"id": 7}, {"id": 8}]}, ["body.items[].id"]),
        ({"items": [{"id": 1}, {"id": 2}]}, {"items": [{"id": 7}, {"id": 7}]}, ["body.items[].id"]),
        ({"id": 1, "ref": 1}, {"id": 2, "ref": 3}, []),  # Integers count something else in each field.
        ({"id": 1}, {"id": "1"}, ["body.id"]),
        ({"id": 1}, {"id": None}, ["body.id"]),
        ({"id": "a"}, {}, ["body.id"]),
        ({"id": "a7", "url": "/x/a7?y"}, {"id": "b8", "url": "/x/b8?y"}, []),
        ({"url": "/x/a7", "id": "a7"}, {"url": "/x/b8", "id": "b8"}, []),
        ({"id": "a7", "url": "/x/a7"}, {"id": "b8", "url": "/x/c9"}, ["body.url"]),
        ({"id": "a7", "url": "/x/a7"}, {"id": "b8", "url": "/y/b8"}, ["body.url"]),
        ({"id": "a7", "url": "/x/a7"}, {"id": "b8", "url": "/x:b8"}, ["body.url"]),
        ({"id": 1, "n": 1}, {"id": 2, "n": 2}, ["body.n"]),  # A number that is not declared counts as one.
    ],
)
def test_identifiers_stand_for_each_other_throughout(primary: Any, candidate: Any, fields: list[str]) -> None:
    comparison = compare(answer(primary), answer(candidate), generated=IDS)
    assert [difference.field for difference in comparison.differences] == fields


def test_identifiers_are_counted() -> None:
    comparison = compare(
        answer({"id": "a", "ref": "a", "url": "/a"}), answer({"id": "b", "ref": "b", "url": "/b"}), generated=IDS
    )
    assert comparison.normalised == {"generated": 3}


def test_an_identifier_in_a_header_is_known_from_the_body() -> None:
    def made(number: int, location: int) -> Any:
        return answer({"id": number}, status=201, headers=[("Location", f"/api/orders/{location}")])

    assert compare(made(11, 11), made(12, 12), generated=IDS).differences == ()
    assert found(compare(made(11, 11), made(12, 13), generated=IDS)) == [("header.location", Kind.VALUE)]


def test_integers_agree_where_they_are_said_to_count_the_same() -> None:
    generated = ("body.id as order", "body.items[].order_id as order")

    def order(number: int, reference: int) -> Any:
        return {"id": number, "items": [{"order_id": reference}]}

    assert documents(order(1, 1), order(2, 2), generated=generated) == []
    assert documents(order(1, 1), order(2, 3), generated=generated) == [("body.items[].order_id", Kind.VALUE)]
    assert documents(order(1, 1), order(1, 2), generated=generated) == [("body.items[].order_id", Kind.VALUE)]


def test_identifiers_do_not_hide_another_order() -> None:
    one = {"items": [{"id": "a", "n": 1}, {"id": "b", "n": 2}]}
    other = {"items": [{"id": "y", "n": 2}, {"id": "x", "n": 1}]}
    assert documents(one, other, generated=IDS) == [("body.items", Kind.ORDER)]
