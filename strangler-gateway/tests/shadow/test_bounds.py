"""A comparison is bounded in bytes, depth, values and differences, and says what it did not look at."""

import gzip
import json
from typing import Any

import pytest

from strangler.shadow.comparison import Kind
from strangler.shadow.cut_json import read_beginning
from strangler.shadow.exact import Unreadable
from strangler.shadow.shown import shortened

from .pairs import answer, compare, documents, found

MIB = 1024 * 1024


def nested(levels: int, inside: str = "1") -> str:
    return '{"a":' * levels + inside + "}" * levels


def test_what_is_too_deep_is_told_and_what_is_not_is_compared() -> None:
    comparison = compare(answer(nested(65, "1")), answer(nested(65, "2")), max_depth=64)
    assert (found(comparison), comparison.cut) == ([], ("body below 64 levels",))
    assert found(compare(answer(nested(64, "1")), answer(nested(64, "2")), max_depth=64)) == [
        ("body" + ".a" * 64, Kind.VALUE)
    ]


@pytest.mark.parametrize("levels", [900, 5_000, 200_000])
@pytest.mark.parametrize("brackets", [("[", "]"), ('{"a":', "}")])
def test_nothing_nests_too_deeply_to_be_answered(levels: int, brackets: tuple[str, str]) -> None:
    opening, closing = brackets
    one, other = (opening * levels + inside + closing * levels for inside in ("1", "2"))
    assert compare(answer(one), answer(one)).differences == ()
    assert compare(answer(one), answer(other)).cut
    assert compare(answer(one), answer({"a": 1})).differences


def test_values_beyond_the_bound_are_told_and_those_before_are_compared() -> None:
    one, other = list(range(1000)), list(range(1000))
    other[10], other[900] = -1, -1
    comparison = compare(answer(one), answer(other), max_values=500)
    assert [difference.at for difference in comparison.differences] == ["body[10]"]
    assert comparison.cut == ("body after 500 values",)


def test_lengths_are_known_also_of_what_is_not_looked_at() -> None:
    (difference,) = compare(answer([1] * 1000), answer([1] * 400), max_values=500).differences
    assert (difference.kind, difference.primary, difference.candidate) == (Kind.LENGTH, "1000", "400")


def test_members_beyond_the_bound_are_not_said_to_be_missing() -> None:
    one, other = {f"f{n}": 1 for n in range(1000)}, {f"f{n}": 1 for n in range(999, -1, -1)}
    assert found(compare(answer(one), answer(other), max_values=600)) == []


def test_a_document_of_just_so_many_values_and_levels_is_compared_wholly() -> None:
    document = [{"a": [1, 2]}] * 100
    changed = [*document[:-1], {"a": [1, 3]}]
    comparison = compare(answer(document), answer(changed), max_values=400, max_depth=3)
    assert (found(comparison), comparison.cut) == ([("body[].a[]", Kind.VALUE)], ())
    assert compare(answer(document), answer(changed), max_values=399).cut
    assert compare(answer(document), answer(changed), max_depth=2).cut


def test_differences_beyond_the_bound_are_counted() -> None:
    one, other = {f"f{n}": 1 for n in range(50)}, {f"f{n}": 2 for n in range(50)}
    comparison = compare(answer(one), answer(other), max_differences=20)
    assert len(comparison.differences) == 20
    assert comparison.cut == ("30 more differences than are told",)


def test_one_field_does_not_crowd_out_the_others() -> None:
    one = [{"a": 1, "b": 1}] * 500
    other = [{"a": 2, "b": 2}] * 500
    comparison = compare(answer(one), answer(other), max_differences=100)
    assert comparison.fields == {"body[].a", "body[].b"}
    assert len(comparison.differences) == 20


def test_a_difference_shows_some_hundred_characters_that_are_json() -> None:
    (difference,) = compare(answer({"a": ["x" * 50] * 5000}), answer({"a": {"k" * 9999: "ab " * 9999}})).differences
    for shown in (difference.primary, difference.candidate):
        assert len(shown) < 700
        json.loads(shown)
    assert "more" in difference.primary


@pytest.mark.parametrize("text", ["1234567 " * 60, "12-34-" * 90, "a1 b2-" * 90 + "!", "x" * 1000, " " * 1000])
def test_a_text_is_shortened_before_what_the_cut_went_through(text: str) -> None:
    short = shortened(text)
    assert text.startswith(short.partition("…")[0])
    assert len(short) < 350


def test_names_of_any_length_make_fields_of_some() -> None:
    (difference,) = compare(answer({"k" * 100_000: 1}), answer({"k" * 100_000: 2})).differences
    assert len(difference.field) < 200


def big(items: int, **changes: Any) -> str:
    return json.dumps(
        {"items": [{"id": n, "name": f"chair {n}", "text": "x" * 100, **changes} for n in range(items)], "total": items}
    )


def test_a_body_of_5_mb_is_cut_and_its_beginning_is_compared() -> None:
    one, other = big(36_000), big(36_000).replace('"chair 7"', '"chair seven"')
    assert len(one) > 5_000_000
    comparison = compare(answer(one), answer(other))
    assert [difference.at for difference in comparison.differences] == ["body.items[7].name"]
    assert "body of the primary after 2097152 bytes" in comparison.cut


def test_a_body_of_5_mb_in_gzip_is_cut() -> None:
    headers = [("Content-Encoding", "gzip")]
    one, other = (gzip.compress(text.encode()) for text in (big(36_000), big(36_000, more=1)))
    comparison = compare(answer(one, headers=headers), answer(other, headers=headers))
    assert found(comparison)[0] == ("body.items[].more", Kind.ADDED)
    assert "body of the candidate after 2097152 bytes" in " ".join(comparison.cut)


@pytest.mark.parametrize("indent", [None, 2])
def test_the_end_of_what_was_cut_is_no_difference(indent: int | None) -> None:
    document = json.loads(big(400))
    one, other = (
        json.dumps(document),
        json.dumps({"total": document["total"], "items": document["items"]}, indent=indent),
    )
    for most in range(20_000, 20_200, 3):
        assert found(compare(answer(one), answer(other), max_bytes=most)) == []


@pytest.mark.parametrize("kind", ["application/json", "text/plain"])
def test_a_cut_may_go_through_a_character(kind: str) -> None:
    text = json.dumps(["é€😀" * 5 for _ in range(200)], ensure_ascii=False)
    text = text.replace(", ", ",\n")
    for most in range(1024, 1034):
        comparison = compare(answer(text, kind=kind), answer(text.replace("\n", "\r\n"), kind=kind), max_bytes=most)
        assert comparison.fields <= ({"body.lines[]"} if kind == "text/plain" else set())
        assert "structure" not in " ".join(comparison.cut)


def test_half_a_line_at_the_cut_is_not_compared() -> None:
    lines = ["x" * 100] * 100
    one, other = ("\n".join([first, *lines]) for first in ("a", "abcdef"))
    comparison = compare(answer(one, kind="text/plain"), answer(other, kind="text/plain"), max_bytes=1024)
    assert [difference.at for difference in comparison.differences] == ["body.lines[0]"]


def test_a_text_of_a_million_lines_is_cut() -> None:
    lines = ["x"] * 1_000_000
    lines[5], lines[999_999] = "five", "last"
    comparison = compare(
        answer("x\n" * 1_000_000, kind="text/plain"), answer("\n".join([*lines, ""]), kind="text/plain")
    )
    assert [difference.at for difference in comparison.differences] == ["body.lines[5]"]
    assert "body after 50000 values" in comparison.cut


def test_a_million_numbers_in_another_order_are_not_choked_on() -> None:
    numbers = list(range(200_000))
    comparison = compare(answer(numbers), answer(numbers[::-1]))
    assert found(comparison)
    assert comparison.cut


def test_elements_are_found_in_another_order_as_long_as_they_are_not_too_many() -> None:
    elements = [{"n": n, "list": [n] * 10} for n in range(300)]
    assert documents(elements, elements[::-1]) == [("body", Kind.ORDER)]
    given_up = compare(answer(elements), answer(elements[::-1]), max_values=301 * 2)
    assert "body: elements in another order, because there are too many" in given_up.cut


def test_one_text_larger_than_all_bounds_is_compared_as_lines() -> None:
    one, other = json.dumps("x" * (3 * MIB)), json.dumps("y" * (3 * MIB))
    assert found(compare(answer(one), answer(other))) == [("body.lines[]", Kind.VALUE)]


@pytest.mark.parametrize(
    ("beginning", "value"),
    [
        ('{"a": 1, "b": 2, "c', {"a": 1, "b": 2}),
        ('{"a": [1, {"x": 3}, {"y": [4, 5', {"a": [1, {"x": 3}, {"y": [4]}]}),
        ('{"a": [[1, 2], [3, 4]', {"a": [[1, 2], [3, 4]]}),
        ('["a\\"]", "b', ["a\"]"]),
        ('["a", "b\\', ["a"]),
        ('[{"a": "long te', [{}]),
        ('[1, 2, 34', [1, 2]),
    ],
)  # fmt: skip
def test_the_beginning_of_a_document_is_what_was_whole_in_it(beginning: str, value: Any) -> None:
    assert read_beginning(beginning)[0] == value


@pytest.mark.parametrize("beginning", ['"abc', "12", "", "}{", '{"a": 1}]', '{"a" 1, "b'])
def test_what_does_not_begin_as_json_is_none(beginning: str) -> None:
    with pytest.raises(Unreadable):
        read_beginning(beginning)
