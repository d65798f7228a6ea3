"""JSON by structure: what differs is found at its place, and nothing else is."""

import json
from typing import Any

import pytest

from strangler.shadow.comparison import Kind

from .pairs import answer, compare, documents, found

CASES: list[tuple[str, Any, Any, list[tuple[str, Kind]]]] = [
    ("a value", {"a": 1}, {"a": 2}, [("body.a", Kind.VALUE)]),
    ("deep", {"a": {"b": [{"c": 1}]}}, {"a": {"b": [{"c": 2}]}}, [("body.a.b[].c", Kind.VALUE)]),
    ("missing", {"a": 1, "b": 2}, {"a": 1}, [("body.b", Kind.MISSING)]),
    ("added", {"a": 1}, {"a": 1, "b": 2}, [("body.b", Kind.ADDED)]),
    ("null is not absent", {"a": None}, {}, [("body.a", Kind.MISSING)]),
    ("null is not zero", {"a": None}, {"a": 0}, [("body.a", Kind.TYPE)]),
    ("1 is not 1.0", "[1]", "[1.0]", [("body[]", Kind.TYPE)]),
    ("1 is not true", {"a": 1}, {"a": True}, [("body.a", Kind.TYPE)]),
    ("0 is not false", [0], [False], [("body[]", Kind.TYPE)]),
    ('1 is not "1"', {"a": 1}, {"a": "1"}, [("body.a", Kind.TYPE)]),
    ("1.0 is 1.00", '{"a": 1.0}', '{"a": 1.00}', []),
    ("1.0 is 10e-1", '{"a": 1.0}', '{"a": 10e-1}', []),
    ("a number, rounded", '{"a": 2.5}', '{"a": 2}', [("body.a", Kind.VALUE)]),
    ("one apart at 2^63", '{"a": 9223372036854775808}', '{"a": 9223372036854775809}', [("body.a", Kind.VALUE)]),
    ("one apart beyond 2^64", '{"a": 123456789012345678901}', '{"a": 123456789012345678902}', [("body.a", Kind.VALUE)]),
    ("beyond what a float holds", '{"a": 0.1}', '{"a": 0.10000000000000001}', [("body.a", Kind.VALUE)]),
    ("too large for a float", '{"a": 1e400}', '{"a": 1e401}', [("body.a", Kind.VALUE)]),
    ("an exponent beyond all bounds", '{"a": 1e99999999999999999999}', '{"a": 1e5}', [("body.a", Kind.VALUE)]),
    ("an integer of 5,000 digits", f'{{"a": {"9" * 5000}}}', f'{{"a": {"9" * 4999}8}}', [("body.a", Kind.VALUE)]),
    ("white space", '{"a":[1,2]}', '{ "a" : [ 1 , 2 ] }\n', []),
    ("escapes", '{"a": "é/"}', '{"a": "\\u00e9\\/"}', []),
    ("text that looks alike", {"a": "é"}, {"a": "e\u0301"}, [("body.a", Kind.VALUE)]),
    ("a lone surrogate", '{"a": "\\ud800"}', '{"a": "x"}', [("body.a", Kind.VALUE)]),
    ("an array for an object", {"a": []}, {"a": {}}, [("body.a", Kind.TYPE)]),
    ("a document of one value", "1", "2", [("body", Kind.VALUE)]),
    ("a name with a dot", {"a.b": 1}, {"a.b": 2}, [('body."a.b"', Kind.VALUE)]),
    ("an empty name", {"": 1}, {"": 2}, [('body.""', Kind.VALUE)]),
    ("a repeated name", '{"a": 1, "a": 2}', '{"a": 2}', [('body."a (repeated, 1)"', Kind.MISSING)]),
    ("a repeated name on both sides", '{"a": 1, "a": 2, "b": 0}', '{"a": 1, "a": 2,"b": 0}', []),
    ("the last of a repeated name", '{"a": 1, "a": 2}', '{"a": 1, "a": 3}', [("body.a", Kind.VALUE)]),
    ("NaN is no JSON", '{"a": NaN}', '{"a": null}', [("body", Kind.FORMAT)]),
    ("Infinity is no JSON", '{"a": 1}', '{"a": -Infinity}', [("body", Kind.FORMAT)]),
    ("half a document", '{"a": 1}', '{"a": ', [("body", Kind.FORMAT)]),
    ("a comma too many", '{"a": [1]}', '{"a": [1,]}', [("body", Kind.FORMAT)]),
    ("a byte order mark", '{"a": 1}', '\ufeff{"a": 1}', [("body", Kind.FORMAT)]),
    ("no UTF-8", b'{"a": "\xc3\xa9"}', b'{"a": "\xe9"}', [("body", Kind.FORMAT)]),
    ("no JSON on either side", '{"a": NaN}', '{"a":  NaN}', [("body.lines[]", Kind.VALUE)]),
    ("nothing", {"a": 1}, "", [("body", Kind.MISSING)]),
    ("something", "", {"a": 1}, [("body", Kind.ADDED)]),
]  # fmt: skip


@pytest.mark.parametrize(("primary", "candidate", "expected"), [case[1:] for case in CASES], ids=[c[0] for c in CASES])
def test_a_difference_is_found_at_its_place(primary: Any, candidate: Any, expected: list[tuple[str, Kind]]) -> None:
    assert documents(primary, candidate) == expected


@pytest.mark.parametrize(("primary", "candidate", "expected"), [case[1:] for case in CASES], ids=[c[0] for c in CASES])
def test_it_does_not_matter_which_side_is_which(primary: Any, candidate: Any, expected: list[tuple[str, Kind]]) -> None:
    turned = {Kind.MISSING: Kind.ADDED, Kind.ADDED: Kind.MISSING}
    assert documents(candidate, primary) == [(field, turned.get(kind, kind)) for field, kind in expected]


def test_a_difference_says_where_it_is_and_what_both_have() -> None:
    comparison = compare(
        answer({"items": [{"price": "12.90"}, {"price": "3.10"}]}),
        answer({"items": [{"price": "12.90"}, {"price": 3.1}]}),
    )
    (difference,) = comparison.differences
    assert difference.at == "body.items[1].price"
    assert (difference.primary, difference.candidate) == ('"3.10"', "3.1")


def test_what_only_one_side_has_is_shown_on_that_side_alone() -> None:
    missing, added = compare(answer({"a": [1]}), answer({"b": [2]})).differences
    assert (missing.primary, missing.candidate) == ("[1]", "")
    assert (added.primary, added.candidate) == ("", "[2]")


def test_a_difference_can_be_written_down_whatever_it_holds() -> None:
    (difference,) = compare(answer('{"\\ud800": 1}'), answer('{"\\ud800": "\\udfff"}')).differences
    assert "\\ud800" in difference.field.encode().decode()
    assert json.loads(difference.candidate.encode()) == "\udfff"


def test_json_is_read_as_json_though_one_side_calls_it_something_else() -> None:
    comparison = compare(answer({"a": 1}), answer({"a": 2}, kind="text/html"))
    assert found(comparison) == [("header.content-type", Kind.VALUE), ("body.a", Kind.VALUE)]


def test_a_page_in_place_of_json_is_a_difference_of_format() -> None:
    comparison = compare(answer({"a": 1}), answer("<p>Hello", kind="text/html"))
    assert found(comparison) == [("header.content-type", Kind.VALUE), ("body", Kind.FORMAT)]
    assert comparison.differences[1].candidate == '"<p>Hello"'


def test_a_type_of_json_by_another_name_is_json() -> None:
    kind = "application/vnd.shop+json"
    assert found(compare(answer('{"a":1}', kind=kind), answer('{ "a": 1 }', kind=kind))) == []
