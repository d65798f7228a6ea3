"""JSON in another shape: what is picked, dropped, renamed and wrapped, and that every other byte stays."""

import json
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from strangler.model.transform import JsonShape
from strangler.policies.transform.shape import Shape, Unshapeable

DOCUMENT = b"""{"id": 7, "price": {"amount": 1.10, "currency": "EUR", "vat": {"rate": 19}}, "tags": ["a", "b"],
 "items": [{"sku": "x", "cost": 1}, {"sku": "y", "cost": 2, "note": null}], "internal": {"secret": true}}"""

VAT = {"rate": 19}

SHAPES: list[tuple[str, JsonShape, Any]] = [
    ("pick one", JsonShape(pick=("id",)), {"id": 7}),
    ("pick below", JsonShape(pick=("price.amount",)), {"price": {"amount": 1.1}}),
    ("pick deep", JsonShape(pick=("price.vat.rate", "id")), {"id": 7, "price": {"vat": {"rate": 19}}}),
    ("pick through a list", JsonShape(pick=("items.sku",)), {"items": [{"sku": "x"}, {"sku": "y"}]}),
    ("pick what is not there", JsonShape(pick=("nothing", "price.nothing")), {"price": {}}),
    ("pick into what is no object", JsonShape(pick=("id.x", "tags.x")), {"tags": []}),
    ("pick null", JsonShape(pick=("items.note.text",)), {"items": [{}, {"note": None}]}),
    ("pick whole and below", JsonShape(pick=("price.vat", "price.vat.x")), {"price": {"vat": {"rate": 19}}}),
    ("pick, then drop", JsonShape(pick=("price",), drop=("price.vat",)), {"price": {"amount": 1.1, "currency": "EUR"}}),
    ("rename what is picked", JsonShape(("price.vat",), (), (("price", "p"), ("price.vat", "v"))), {"p": {"v": VAT}}),
    ("wrap", JsonShape(pick=("id",), wrap="data"), {"data": {"id": 7}}),
    ("wrap under an odd name", JsonShape(pick=("id",), wrap='a"b\\'), {'a"b\\': {"id": 7}}),
]  # fmt: skip


@pytest.mark.parametrize(("shape", "expected"), [case[1:] for case in SHAPES], ids=[case[0] for case in SHAPES])
def test_a_document_is_brought_into_its_shape(shape: JsonShape, expected: Any) -> None:
    assert json.loads(Shape(shape).apply(DOCUMENT)) == expected


def test_what_is_dropped_is_gone_wherever_the_path_leads() -> None:
    shaped = Shape(JsonShape(drop=("internal", "items.cost", "price.vat"))).apply(DOCUMENT)
    assert b"secret" not in shaped
    assert b"cost" not in shaped
    assert b"vat" not in shaped
    assert json.loads(Shape(JsonShape(drop=("a.b",))).apply(b'[{"a": [[{"b": 1, "c": 2}]]}]')) == [{"a": [[{"c": 2}]]}]


def test_a_name_with_a_dot_is_written_with_a_backslash() -> None:
    assert Shape(JsonShape(drop=(r"a\.b",))).apply(b'{"a.b":1,"a":{"b":2}}') == b'{"a":{"b":2}}'


def test_names_keep_their_order_and_a_renamed_one_its_place() -> None:
    shaped = Shape(JsonShape(rename=(("b", "z"),))).apply(b'{"c":1,"b":2,"a":3}')
    assert shaped == b'{"c":1,"z":2,"a":3}'


NUMBERS = [
    "0", "-0", "-0.0", "1.10", "100", "1e5", "1E+400", "-1e-400", "0.1", "0.30000000000000004",
    "1.7976931348623157e309", "9007199254740993", "18446744073709551616", "12345678901234567890",
    "123456789012345678901234567890.123456789012345678901234567890",
]  # fmt: skip


@pytest.mark.parametrize("number", NUMBERS)
def test_a_number_keeps_every_digit(number: str) -> None:
    document = b'{"a":%b,"x":{"b":[%b]},"y":0}' % (number.encode(), number.encode())
    shaped = Shape(JsonShape(drop=("y",), rename=(("a", "n"), ("x.b", "m")))).apply(document)
    assert shaped == b'{"n":%b,"x":{"m":[%b]}}' % (number.encode(), number.encode())


NAMES = st.text(st.characters(codec="utf-8"), min_size=1, max_size=5)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.decimals(allow_nan=False, allow_infinity=False) | NAMES,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=4),
    max_leaves=12,
)
OBJECTS = st.dictionaries(NAMES, VALUES, max_size=6)


def written(value: Any) -> str:
    """JSON with decimals in all their digits."""
    if isinstance(value, Decimal):
        return str(value)
    if isinstance(value, list):
        return "[" + ",".join(map(written, value)) + "]"
    if isinstance(value, dict):
        return "{" + ",".join(f"{json.dumps(name)}:{written(inner)}" for name, inner in value.items()) + "}"
    return json.dumps(value)


def escaped(name: str) -> str:
    return name.replace(".", r"\.")


def plain(document: bytes) -> Any:
    return json.loads(document, parse_float=Decimal, parse_int=Decimal)


@given(OBJECTS, NAMES, NAMES)
def test_a_rename_and_its_inverse_give_back_the_same(document: dict[str, Any], old: str, new: str) -> None:
    if "\\" in old + new or new in document:
        return
    there = Shape(JsonShape(rename=((escaped(old), new),))).apply(written(document).encode())
    back = Shape(JsonShape(rename=((escaped(new), old),))).apply(there)
    assert list(plain(back)) == list(document)
    assert plain(back) == plain(written(document).encode())


@given(OBJECTS, NAMES)
def test_what_is_not_named_stays_as_it_was(document: dict[str, Any], dropped: str) -> None:
    if "\\" in dropped:
        return
    shaped = plain(Shape(JsonShape(drop=(escaped(dropped),))).apply(written(document).encode()))
    expected = plain(written({name: value for name, value in document.items() if name != dropped}).encode())
    assert shaped == expected


def test_of_names_that_stand_twice_the_last_counts_and_a_dropped_one_is_gone_with_all_its_copies() -> None:
    assert Shape(JsonShape(pick=("a",))).apply(b'{"a":1,"b":2,"a":3}') == b'{"a":3}'
    assert Shape(JsonShape(drop=("a",))).apply(b'{"a":1,"b":2,"\\u0061":3}') == b'{"b":2}'


HOSTILE: list[tuple[str, bytes, JsonShape, str]] = [
    ("empty", b"", JsonShape(drop=("a",)), "malformed"),
    ("cut", b'{"a": 1', JsonShape(drop=("b",)), "malformed"),
    ("cut within what is not looked into", b'{"a": {"b": [1, }', JsonShape(drop=("z",)), "malformed"),
    ("two documents", b"{} {}", JsonShape(drop=("a",)), "malformed"),
    ("a trailing comma", b'{"a": 1,}', JsonShape(drop=("a",)), "malformed"),
    ("a byte order mark", b"\xef\xbb\xbf{}", JsonShape(drop=("a",)), "malformed"),
    ("text", b"<html>", JsonShape(drop=("a",)), "malformed"),
    ("NaN", b'{"a": NaN}', JsonShape(drop=("b",)), "malformed"),
    ("a number with a leading zero", b'{"a": 012}', JsonShape(drop=("b",)), "malformed"),
    ("half a surrogate as a name", b'{"\\ud800": 1}', JsonShape(drop=("b",)), "malformed"),
    ("text, to be wrapped", b"<html>", JsonShape(wrap="data"), "malformed"),
    ("a number", b"12", JsonShape(pick=("a",)), "no_object"),
    ("deep lists", b"[" * 5000 + b"]" * 5000, JsonShape(drop=("a",)), "malformed"),
    ("deep objects", b'{"a":' * 100_000 + b"1" + b"}" * 100_000, JsonShape(drop=("b",)), "malformed"),
    ("never ending lists", b"[" * 100_000, JsonShape(drop=("a",)), "malformed"),
    ("lists on the way", b"[" * 20 + b"]" * 20, JsonShape(drop=("a",)), "nested"),
    ("a name that is taken", b'{"a":1,"b":2}', JsonShape(rename=(("a", "b"),)), "collision"),
]


@pytest.mark.parametrize(
    ("document", "shape", "reason"), [case[1:] for case in HOSTILE], ids=[case[0] for case in HOSTILE]
)
def test_what_cannot_be_shaped_is_said_to_be_so(document: bytes, shape: JsonShape, reason: str) -> None:
    with pytest.raises(Unshapeable) as refused:
        Shape(shape).apply(document)
    assert refused.value.reason == reason
