"""Effects as the kit writes them into a header, read here by code of our own."""

import base64
import zlib

import pytest

from strangler.shadow.effects import Called, Effects, Published, RowWrite
from strangler.shadow.reported import MOST, ReportUnreadable, read_report
from strangler_kit import effects as kit

REPORT = {
    "v": 1,
    "rows": [
        {"table": "orders", "operation": "insert", "key": {"id": 7}, "before": None, "after": {"total": 5, "b": None}},
        {
            "table": "stock",
            "operation": "update",
            "key": {"sku": "a", "at": 1},
            "before": {"left": 3, "name": "ä"},
            "after": {"left": 2},
        },
        {"table": "cart", "operation": "delete", "key": {"id": 1}, "before": {"n": 1.5}, "after": None},
    ],
    "events": [{"topic": "order.placed", "payload": {"b": [1, "ü"], "a": None}}],
    "calls": [{"name": "payments.charge", "arguments": {"minor": 500, "currency": "EUR"}}],
    "complete": True,
}


def header(report: object) -> bytes:
    return kit.encode(report).encode()  # type: ignore[arg-type]


def test_a_report_of_the_kit_is_read_whole() -> None:
    assert read_report(header(REPORT)).effects == Effects(
        rows=(
            RowWrite("orders", "insert", (("id", 7),), (("b", None), ("total", 5))),
            RowWrite("stock", "update", (("at", 1), ("sku", "a")), (("left", 2),)),
            RowWrite("cart", "delete", (("id", 1),), ()),
        ),
        events=(Published("order.placed", '{"a":null,"b":[1,"ü"]}'),),
        calls=(Called("payments.charge", '{"currency":"EUR","minor":500}'),),
        complete=True,
    )


def test_the_kit_reads_the_rows_as_they_were_from_what_is_made_of_it() -> None:
    images = kit.before_images(kit.decode(read_report(header(REPORT)).before.decode()))
    assert [(image.table, image.key, image.before) for image in images] == [
        ("orders", {"id": 7}, None),
        ("stock", {"sku": "a", "at": 1}, {"left": 3, "name": "ä"}),
        ("cart", {"id": 1}, {"n": 1.5}),
    ]


def test_a_request_that_wrote_nothing_has_nothing_to_put_back() -> None:
    reported = read_report(header({**REPORT, "rows": []}))
    assert reported.before == b""
    assert reported.effects.rows == ()


def test_what_could_not_be_followed_is_said() -> None:
    assert not read_report(header({**REPORT, "complete": False, "why": "too long"})).effects.complete
    assert not read_report(header({**REPORT, "complete": "yes"})).effects.complete


def test_what_a_recording_of_the_kit_says_is_a_report() -> None:
    with kit.recording() as recording:
        kit.call("payments.charge", {"minor": 1})
        found = read_report(recording.header().encode())
    assert found.effects == Effects(calls=(Called("payments.charge", '{"minor":1}'),))


@pytest.mark.parametrize(
    "value",
    [
        b"",
        b"!!!!",
        b"YWJj",
        base64.urlsafe_b64encode(zlib.compress(b"[1]")),
        base64.urlsafe_b64encode(zlib.compress(b"{}")),
        base64.urlsafe_b64encode(zlib.compress(b'{"v":1}')),
        base64.urlsafe_b64encode(zlib.compress(b"[" * 100_000)),
        base64.urlsafe_b64encode(zlib.compress(b'{"v":1,"rows":"' + b" " * MOST + b'"}')),
        header({**REPORT, "v": 2}),
        header({**REPORT, "rows": [7]}),
        header({**REPORT, "rows": [{**REPORT["rows"][0], "key": {"id": [1]}}]}),  # type: ignore[index]
        header({**REPORT, "rows": REPORT["rows"] * 400}),  # type: ignore[operator]
        header({**REPORT, "events": [{"topic": 7, "payload": 1}]}),
        header({**REPORT, "calls": [{"name": "x"}]}),
        header(REPORT)[:-20],
    ],
)
def test_what_is_no_report_is_refused_and_unfolds_no_further_than_its_bound(value: bytes) -> None:
    with pytest.raises(ReportUnreadable):
        read_report(value)
