"""Arrays: which element is compared with which, by position, as sets, by a key; and what another order is."""

from typing import Any

import pytest

from strangler.model.shadow import KNOWN_DIFFERENCES, ArrayRule, Ignored
from strangler.shadow.comparison import Kind

from .pairs import answer, compare, documents, found, question

A, B, C = ({"id": number, "name": name} for number, name in enumerate("abc"))
BY_KEY = (ArrayRule("body.items", "key", "id"),)
AS_SET = (ArrayRule("body.items", "set"),)
INDEX: list[tuple[str, list[Any], list[Any], list[tuple[str, Kind]]]] = [
    ("another order is one difference", [A, B, C], [C, A, B], [("body.items", Kind.ORDER)]),
    ("an element too few is a length", [A, B, C], [A, B], [("body.items", Kind.LENGTH)]),
    ("one missing in the middle shifts nothing", [A, B, C], [A, C], [("body.items", Kind.LENGTH)]),
    ("one too many at the beginning", [A, B], [C, A, B], [("body.items", Kind.LENGTH)]),
    ("another element", [A, B], [A, C], [("body.items[].id", Kind.VALUE), ("body.items[].name", Kind.VALUE)]),
    ("the same elements, not as often", [1, 1, 2], [1, 2, 2], [("body.items[]", Kind.VALUE)]),
    ("another order of numbers of another type", [1, 2], [2.0, 1.0],
     [("body.items[]", Kind.VALUE), ("body.items[]", Kind.VALUE)]),
    ("none", [], [A], [("body.items", Kind.LENGTH)]),
]  # fmt: skip


@pytest.mark.parametrize(("primary", "candidate", "expected"), [case[1:] for case in INDEX], ids=[c[0] for c in INDEX])
def test_by_position(primary: list[Any], candidate: list[Any], expected: list[tuple[str, Kind]]) -> None:
    assert documents({"items": primary}, {"items": candidate}) == expected


def test_a_length_says_both() -> None:
    (difference,) = compare(answer({"items": [A, B, C]}), answer({"items": [A]})).differences
    assert (difference.at, difference.primary, difference.candidate) == ("body.items", "3", "1")


def test_an_order_within_elements_of_another_order_is_told_once_per_array() -> None:
    primary = [[[1, 2], [3, 4]], [[5, 6], [7, 8]]]
    candidate = [[[5, 6], [7, 8]], [[1, 2], [3, 4]]]
    assert documents(primary, candidate) == [("body", Kind.ORDER)]


def test_what_is_ignored_hides_no_other_order_and_makes_none() -> None:
    ignore = (Ignored("body[].at", "a clock"),)
    one = [{"id": 1, "at": 1}, {"id": 2, "at": 2}]
    other = [{"id": 2, "at": 3}, {"id": 1, "at": 4}]
    assert documents(one, other, ignore=ignore) == [("body", Kind.ORDER)]
    assert documents(one, [{"id": 1, "at": 3}, {"id": 2, "at": 4}], ignore=ignore) == []


def test_what_is_taken_for_equal_hides_no_other_order_and_is_counted_in_it() -> None:
    one = [{"n": 1, "x": None, "at": "2026-01-31T09:30:00Z", "p": "1.50"}, {"n": 2, "p": 2}]
    other = [{"p": 2.0, "n": 2}, {"n": 1, "at": "2026-01-31T09:30:00+00:00", "p": 1.5}]
    comparison = compare(answer(one), answer(other), normalise=KNOWN_DIFFERENCES)
    assert found(comparison) == [("body", Kind.ORDER)]
    assert comparison.normalised == {
        "null-or-absent": 1,
        "date-notation": 1,
        "number-or-text": 2,
        "json-key-order": 1,
    }


def test_a_set_has_no_order() -> None:
    comparison = compare(answer({"items": [A, B, C]}), answer({"items": [C, A, B]}), arrays=AS_SET)
    assert found(comparison) == []
    assert comparison.normalised == {"array-rule": 1}


def test_elements_of_a_set_are_equal_or_missing() -> None:
    changed = {**B, "name": "x"}
    assert documents({"items": [A, B]}, {"items": [changed, A]}, arrays=AS_SET) == [
        ("body.items[]", Kind.MISSING),
        ("body.items[]", Kind.ADDED),
    ]


def test_a_set_counts_how_often_an_element_is_there() -> None:
    assert documents({"items": [1, 1, 2]}, {"items": [2, 1, 2]}, arrays=AS_SET) == [
        ("body.items[]", Kind.MISSING),
        ("body.items[]", Kind.ADDED),
    ]


def test_a_set_may_stand_in_a_set() -> None:
    arrays = (ArrayRule("body", "set"), ArrayRule("body[]", "set"))
    assert documents([[1, 2], [3, 4]], [[4, 3], [1, 2]], arrays=arrays) == []


def test_by_a_key_elements_are_compared_with_their_own() -> None:
    changed = {**B, "name": "x"}
    comparison = compare(answer({"items": [A, B, C]}), answer({"items": [C, changed]}), arrays=BY_KEY)
    assert [(d.field, d.at, d.kind) for d in comparison.differences] == [
        ("body.items[].name", "body.items[1].name", Kind.VALUE),
        ("body.items[]", "body.items[0]", Kind.MISSING),
    ]


def test_elements_without_the_key_belong_together_if_they_are_equal() -> None:
    assert documents({"items": [{"x": 1}, A, 7]}, {"items": [7, A, {"x": 1}]}, arrays=BY_KEY) == []


def test_elements_of_one_key_belong_together_in_their_order() -> None:
    twice = [{"id": 1, "n": "x"}, {"id": 1, "n": "y"}]
    assert documents({"items": twice}, {"items": twice[::-1]}, arrays=BY_KEY) == [
        ("body.items[].n", Kind.VALUE),
        ("body.items[].n", Kind.VALUE),
    ]


TIES = [{"id": 1, "price": 5}, {"id": 2, "price": 5}, {"id": 3, "price": 7}]
SWAPPED = [TIES[1], TIES[0], TIES[2]]


@pytest.mark.parametrize(
    ("target", "primary", "candidate", "is_tie"),
    [
        ("/x", TIES, SWAPPED, True),
        ("/x", TIES[::-1], [TIES[2], TIES[0], TIES[1]], True),
        ("/x", TIES, TIES[::-1], False),
        ("/x", TIES, [TIES[0], TIES[2], TIES[1]], False),
        ("/x", TIES[:2], SWAPPED[:2], False),  # Nothing says that they are sorted by price.
        ("/x?sort=price", TIES[:2], SWAPPED[:2], True),
        ("/x?sort=-price", TIES[:2], SWAPPED[:2], True),
        ("/x?order_by=name,price", TIES[:2], SWAPPED[:2], True),
        ("/x?sort=price:desc", TIES[:2], SWAPPED[:2], True),
        ("/x?sort=id", TIES[:2], SWAPPED[:2], False),
        ("/x", [1, 2], [2, 1], False),
        ("/x", [{"a": "B"}, {"a": "a"}], [{"a": "a"}, {"a": "B"}], False),
    ],
)  # fmt: skip
def test_order_among_ties(target: str, primary: Any, candidate: Any, is_tie: bool) -> None:
    normalise = ("array-order-among-ties",)
    comparison = compare(answer(primary), answer(candidate), question(target), normalise=normalise)
    assert found(comparison) == ([] if is_tie else [("body", Kind.ORDER)])
    assert comparison.normalised == ({"array-order-among-ties": 1} if is_tie else {})
