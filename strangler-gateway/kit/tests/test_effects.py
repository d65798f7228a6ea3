"""Reports as headers, and values as JSON: what goes in comes out, and nothing else is believed."""

import base64
import json
import math
import random
import zlib
from datetime import UTC, date, datetime, time, timedelta, timezone
from decimal import Decimal
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from strangler_kit.effects import (
    MAX_HEADER,
    MAX_JSON,
    MAX_ROWS,
    Published,
    Recording,
    ReportRefused,
    RowChange,
    Transaction,
    before_images,
    call,
    decode,
    encode,
    recording,
)
from strangler_kit.values import NoValue, taken, taken_for_sqlite, told, told_by_sqlite

texts = st.text(st.characters(exclude_categories=()), max_size=20)
scalars = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | texts


@given(st.recursive(scalars, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3)))
def test_a_report_comes_back_from_its_header(value: object) -> None:
    header = encode({"v": 1, "x": value})
    assert header.isascii()
    assert header.replace("-", "").replace("_", "").isalnum()
    assert decode(header) == {"v": 1, "x": value}


def packed(content: bytes) -> str:
    return base64.urlsafe_b64encode(zlib.compress(content)).rstrip(b"=").decode()


@pytest.mark.parametrize(
    "header",
    [
        "",
        "é",
        "AAAA",
        "====",
        encode({"v": 1})[:-2],
        packed(b"{"),
        packed(b"[]"),
        packed(b'{"v": 2}'),
        packed(b"[" * 100_000),
        packed(b" " * (MAX_JSON + 1)),
    ],
    ids=[
        "nothing",
        "no ASCII",
        "no zlib",
        "padding",
        "cut",
        "no JSON",
        "no object",
        "another version",
        "deep",
        "a bomb",
    ],
)
def test_what_is_no_report_is_refused(header: str) -> None:
    with pytest.raises(ReportRefused):
        decode(header)


@pytest.mark.parametrize(
    "rows",
    [
        None,
        {},
        [1],
        [{"table": "t", "key": {"id": 1}, "before": []}],
        [{"table": "t", "key": {}, "before": None}],
        [{"table": 1, "key": {"id": 1}, "before": None}],
        [{"table": "t", "key": {"id": [1]}, "before": None}],
        [{"table": "t", "key": {"id": 1}, "before": {"": 1}}],
        [{"table": "t", "key": {"id": 1}, "before": None}] * (MAX_ROWS + 1),
    ],
    ids=[
        "none",
        "an object",
        "a number",
        "an array for a row",
        "no key",
        "a number for a table",
        "an array for a key",
        "a column without a name",
        "too many",
    ],
)
def test_what_are_no_before_images_are_refused(rows: object) -> None:
    with pytest.raises(ReportRefused):
        before_images({"v": 1, "rows": rows})


def test_of_a_row_that_is_there_twice_the_first_counts() -> None:
    first, second = RowChange("t", {"id": 1}, {"a": 1}, None), RowChange("t", {"id": 1.0}, {"a": 2}, None)
    assert before_images({"v": 1, "rows": [first.told(), first.told() | {"before": None}, second.told()]}) == [
        first, second,
    ]  # fmt: skip


def test_a_report_that_is_too_long_for_a_header_says_so() -> None:
    found = Recording()
    found.committed("c", Transaction((RowChange("t", {"id": 1}, None, {"x": "a" * 3 * MAX_HEADER}),), ()))
    assert decode(found.header())["complete"], "what compresses well fits"
    long = random.Random(1).randbytes(MAX_HEADER).hex()
    found.committed("c", Transaction((RowChange("t", {"id": 2}, None, {"x": long}),), ()))
    header = found.header()
    assert len(header) < 300
    assert (decode(header)["complete"], decode(header)["rows"]) == (False, [])


@pytest.mark.parametrize("argument", [object(), math.nan, {1, 2}], ids=["an object", "no number", "a set"])
def test_a_call_that_cannot_be_told_makes_the_report_say_so(argument: object) -> None:
    with recording() as found:
        call("odd", {"x": argument})
    report = decode(found.header())
    assert (report["complete"], report["calls"]) == (False, [])


def test_events_are_told_in_the_order_of_their_transactions() -> None:
    found = Recording()
    for connection, topic in (("a", "first"), ("b", "never"), ("a", "second")):
        found.committed(connection, Transaction((), (Published(topic, {}),)))
    found.not_committed("b")
    found.begun("a")
    found.not_committed("a")
    assert [event["topic"] for event in found.report()["events"]] == ["first", "second"]


HALF_PAST = timezone(timedelta(hours=5, minutes=30))
FORMS = [
    (None, None),
    (True, True),
    (2**70, 2**70),
    (-0.0, -0.0),
    (math.inf, "float:inf"),
    ("", ""),
    ("base64:", "text:base64:"),
    ("float:1", "text:float:1"),
    ("text:text:", "text:text:text:"),
    (b"\x00\xff", "base64:AP8="),
    (memoryview(b""), "base64:"),
    (Decimal("1.50"), "1.50"),
    (Decimal("1E+3"), "1000"),
    (Decimal("0E-7"), "0.0000000"),
    (Decimal("NaN"), "NaN"),
    (datetime(2026, 1, 2, 3, 4, 5, tzinfo=HALF_PAST), "2026-01-01T21:34:05.000000Z"),
    (datetime(2026, 1, 2, 3, 4, 5, 6, tzinfo=UTC).replace(tzinfo=None), "2026-01-02T03:04:05.000006"),
    (date(2026, 1, 2), "2026-01-02"),
    (time(3, 4, 5, 6), "03:04:05.000006"),
    (UUID(int=1), "00000000-0000-0000-0000-000000000001"),
]


@pytest.mark.parametrize(("value", "form"), FORMS, ids=[f"{type(value).__name__}-{form}" for value, form in FORMS])
def test_each_value_has_one_form(value: object, form: object) -> None:
    assert repr(told(value)) == repr(form), "-0.0 is not 0.0, and True not 1"
    json.dumps(told(value), allow_nan=False)


@given(texts | st.integers() | st.floats(allow_nan=False) | st.binary() | st.booleans() | st.none())
def test_what_a_driver_returned_comes_back(value: object) -> None:
    back = taken(told(value))
    assert (back, type(back)) == (value, type(value))


@given(
    st.sampled_from(["", "boolean", "time", "instant"]),
    texts
    | st.integers()
    | st.floats(allow_nan=False)
    | st.binary()
    | st.sampled_from(["2026-05-17 12:00:00.000000", "2026-05-17T12:00:00.000000Z", "2026-05-17 12:00", "now"]),
)
def test_what_sqlite_holds_comes_back_as_it_was(kind: str, value: object) -> None:
    """Whatever the declared type of its column, which binds nobody there."""
    back = taken_for_sqlite(told_by_sqlite(value, kind), time_column=kind in {"time", "instant"})
    assert (back, type(back)) == (value, type(value))


@pytest.mark.parametrize("form", ["base64:?", "base64:A", "float:x", "float:"])
def test_a_form_of_nothing_is_refused(form: str) -> None:
    with pytest.raises(NoValue):
        taken(form)


def test_a_value_without_a_form_is_refused() -> None:
    with pytest.raises(NoValue, match="timedelta"):
        told(timedelta(1))
