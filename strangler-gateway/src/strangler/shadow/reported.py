"""Effects as kit and chassis report them in a header: unpadded base64url of zlib of JSON, bounded when it is unfolded.

``strangler_kit.effects`` says it in full; this reads the same, and shares no code with it.
"""

import base64
import json
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from strangler.shadow.effects import Called, Effects, Published, Row, RowWrite

MOST: Final = 4 * 1024 * 1024
"""Bytes of a report's JSON."""
MOST_ROWS: Final = 1_000
VERSION: Final = 1


class ReportUnreadable(Exception):
    """No report; the text says why."""


@dataclass(frozen=True, slots=True)
class Reported:
    """One report: what is compared, and what a service needs to do the same once more."""

    effects: Effects
    before: bytes
    """The rows as they were before, as a header's value; empty if none was written."""


def read_report(header: bytes) -> Reported:
    """Raises ``ReportUnreadable``."""
    report = _unfold(header)
    try:
        rows = [_row(row) for row in report["rows"]]
        events = tuple(Published(_text(event["topic"]), _json(event["payload"])) for event in report["events"])
        calls = tuple(Called(_text(call["name"]), _json(call["arguments"])) for call in report["calls"])
        effects = Effects(tuple(rows), events, calls, report["complete"] is True)
        before = [{name: row[name] for name in ("table", "key", "before")} for row in report["rows"]]
    except (KeyError, TypeError, ValueError) as error:
        raise ReportUnreadable(f"not a report of version {VERSION}: {error}") from error
    return Reported(effects, _fold({"v": VERSION, "rows": before}) if before else b"")


def _row(row: Mapping[str, Any]) -> RowWrite:
    return RowWrite(_text(row["table"]), _text(row["operation"]), _columns(row["key"]), _columns(row["after"] or {}))


def _columns(columns: Mapping[str, Any]) -> Row:
    if not all(value is None or isinstance(value, str | int | float) for value in columns.values()):
        raise TypeError("a column is text, a number, a truth value or null")
    return tuple(sorted(columns.items()))


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError(f"{value!r} is no text")
    return value


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"))


def _unfold(header: bytes) -> dict[str, Any]:
    try:
        packed = base64.b64decode(header + b"=" * (-len(header) % 4), altchars=b"-_", validate=True)
        unfolding = zlib.decompressobj()
        content = unfolding.decompress(packed, MOST)
        if unfolding.unconsumed_tail or not unfolding.eof:
            raise ReportUnreadable(f"it is cut, or longer than {MOST} bytes")
        report = json.loads(content.decode("utf-8", "surrogatepass"))
    except (ValueError, zlib.error, RecursionError) as error:
        raise ReportUnreadable(f"not base64url of zlib of JSON: {error}") from error
    if not isinstance(report, dict) or report.get("v") != VERSION:
        raise ReportUnreadable(f"not an object with v = {VERSION}")
    if not isinstance(report.get("rows"), list) or len(report["rows"]) > MOST_ROWS:
        raise ReportUnreadable(f"not a list of at most {MOST_ROWS} rows")
    return report


def _fold(report: Mapping[str, object]) -> bytes:
    content = json.dumps(report, ensure_ascii=False, separators=(",", ":"))
    packed = zlib.compress(content.encode("utf-8", "surrogatepass"), 6)
    return base64.urlsafe_b64encode(packed).rstrip(b"=")
