"""What holds for any two answers: nothing differs from itself, sides can be turned, one change is found alone."""

import copy
import json
import random
from typing import Any

from hypothesis import assume, given, settings
from hypothesis import strategies as st

from strangler.model.shadow import KNOWN_DIFFERENCES, ArrayRule, Comparing
from strangler.shadow.answer import Answer, Question
from strangler.shadow.comparison import Kind
from strangler.shadow.rules import Rules

from .pairs import TODAY, answer, compare, found, question

SCALARS = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=20)
    | st.datetimes().map(lambda moment: moment.isoformat() + "Z")
)
NAMES = st.text(st.characters(codec="utf-8"), max_size=8)
DOCUMENTS = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=5) | st.dictionaries(NAMES, inner, max_size=5), max_leaves=30
)
RULES = st.sampled_from(
    [
        Comparing(),
        Comparing(normalise=()),
        Comparing(normalise=KNOWN_DIFFERENCES),
        Comparing(generated=("body.id", "body[].id"), tolerances=(("body.a", 1.0),)),
        Comparing(arrays=(ArrayRule("body", "set"), ArrayRule("body.a", "key", "id"))),
    ]
)
TURNED = {Kind.MISSING: Kind.ADDED, Kind.ADDED: Kind.MISSING}
COMMON = settings(max_examples=100, deadline=None)


@COMMON
@given(DOCUMENTS, RULES)
def test_a_document_does_not_differ_from_itself_however_it_is_written(document: Any, comparing: Comparing) -> None:
    one, other = answer(json.dumps(document)), answer(json.dumps(document, ensure_ascii=False, indent=1))
    comparison = Rules(comparing, TODAY).compare(question(), one, other)
    assert (comparison.differences, comparison.normalised) == ((), {})


@COMMON
@given(DOCUMENTS, DOCUMENTS, RULES)
def test_sides_can_be_turned(primary: Any, candidate: Any, comparing: Comparing) -> None:
    rules = Rules(comparing, TODAY)
    there = rules.compare(question(), answer(primary), answer(candidate))
    back = rules.compare(question(), answer(candidate), answer(primary))
    assert sorted((field, TURNED.get(kind, kind)) for field, kind in found(there)) == sorted(found(back))
    assert there.normalised == back.normalised


@COMMON
@given(
    st.recursive(
        SCALARS,
        lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from("abcdef"), inner, max_size=4),
        max_leaves=40,
    ),
    st.randoms(),
)
def test_one_change_is_found_and_nothing_else(document: Any, chance: random.Random) -> None:
    places = list(scalars(document))
    assume(places)
    path, value = chance.choice(places)
    changed = put(copy.deepcopy(document), path, "changed" if value != "changed" else "again")
    field = "body" + "".join("[]" if isinstance(step, int) else f".{step}" for step in path)
    comparison = compare(answer(json.dumps(document)), answer(json.dumps(changed)))
    assert [difference.field for difference in comparison.differences] == [field]


@COMMON
@given(
    st.lists(DOCUMENTS, min_size=2, max_size=6, unique_by=lambda document: json.dumps(document, sort_keys=True)),
    st.randoms(),
)
def test_another_order_is_one_difference_in_an_array_and_none_in_a_set(
    elements: list[Any], chance: random.Random
) -> None:
    shuffled = elements[:]
    chance.shuffle(shuffled)
    expected = [] if json.dumps(shuffled) == json.dumps(elements) else [("body", Kind.ORDER)]
    assert found(compare(answer(elements), answer(shuffled))) == expected
    assert found(compare(answer(elements), answer(shuffled), arrays=(ArrayRule("body", "set"),))) == []


@COMMON
@given(DOCUMENTS, st.randoms())
def test_a_document_in_another_notation_is_equal_and_what_was_other_is_named(
    document: Any, chance: random.Random
) -> None:
    used: set[str] = set()
    other = renotated(document, chance, used)
    comparison = compare(answer(json.dumps(document)), answer(json.dumps(other)), normalise=KNOWN_DIFFERENCES)
    assert found(comparison) == []
    assert set(comparison.normalised) <= used


@COMMON
@given(
    st.binary(max_size=200),
    st.binary(max_size=200),
    st.sampled_from(
        ["application/json", "text/html; charset=utf-16", "application/x-www-form-urlencoded", "image/png", "x", ";;="]
    ),
    st.sampled_from(["", "gzip", "deflate", "br", "gzip,gzip"]),
    st.lists(st.tuples(st.binary(max_size=12), st.binary(max_size=40)), max_size=4),
)
def test_nothing_that_an_application_answers_makes_a_comparison_fail(
    one: bytes, other: bytes, kind: str, coding: str, fields: list[tuple[bytes, bytes]]
) -> None:
    headers = ((b"Content-Type", kind.encode()), (b"Content-Encoding", coding.encode()), *fields)
    known = (
        *headers,
        *((name, one) for name in (b"Location", b"Set-Cookie", b"Vary", b"Content-Type", b"Cache-Control")),
    )
    asked = Question(b"GET", one, ((b"Host", other),), b"")
    rules = Rules(Comparing(normalise=KNOWN_DIFFERENCES, headers=("*",), generated=("body.a",)), TODAY)
    comparison = rules.compare(asked, Answer(400, known, one), Answer(422, headers, other))
    for difference in comparison.differences:
        assert (difference.field + difference.at + difference.primary + difference.candidate).encode()


def scalars(value: Any, path: tuple[Any, ...] = ()) -> Any:
    """Every place of a document that holds no container, and what it holds."""
    if isinstance(value, dict):
        for name, inner in value.items():
            yield from scalars(inner, (*path, name))
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from scalars(inner, (*path, index))
    else:
        yield path, value


def renotated(value: Any, chance: random.Random, used: set[str]) -> Any:
    """The same document as another framework may write it, and by what names that goes."""
    if isinstance(value, dict):
        names = [name for name, inner in value.items() if inner is not None or chance.random() < 0.5]
        used.update({"null-or-absent"} if len(names) < len(value) else ())
        if chance.random() < 0.5:
            chance.shuffle(names)
            used.add("json-key-order")
        return {name: renotated(value[name], chance, used) for name in names}
    if isinstance(value, list):
        return [renotated(inner, chance, used) for inner in value]
    if isinstance(value, int) and not isinstance(value, bool) and chance.random() < 0.5:
        used.add("number-or-text")
        return chance.choice([str(value), f"{value}.0"])
    if isinstance(value, str) and value.endswith("Z") and len(value) > 18 and value[0].isdigit():
        name, zone = chance.choice([("date-notation", "+00:00"), ("date-format", "+0000"), ("date-format", "")])
        used.add(name)
        return value.removesuffix("Z") + zone
    return value


def put(document: Any, path: tuple[Any, ...], value: Any) -> Any:
    """The document with another value in one place."""
    if not path:
        return value
    document[path[0]] = put(document[path[0]], path[1:], value)
    return document
