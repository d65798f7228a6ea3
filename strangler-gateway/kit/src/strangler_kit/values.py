"""Values of a database as JSON and back, so that a row that is restored is the row that it was; standard library only.

None, true and false, integers, finite floats and text stand for themselves. A Decimal is text in full. A time is
ISO 8601 with six decimals, in UTC and with a ``Z`` where it has an offset. What is left carries its type in front:
bytes are ``base64:…``, other floats ``float:nan`` and so on, and a text that begins like that is ``text:…``.
"""

import base64
import binascii
import math
import re
from collections.abc import Callable
from datetime import UTC, date, datetime, time
from decimal import Decimal
from uuid import UUID

Value = str | int | float | bool | None

_TAGGED = ("base64:", "float:", "text:")
_TIME = re.compile(r"(\d{4}-\d\d-\d\d)T(\d\d:\d\d:\d\d\.\d{6})Z?", re.ASCII)
_SQLITE_TIME = re.compile(r"(\d{4}-\d\d-\d\d) (\d\d:\d\d:\d\d\.\d{6})", re.ASCII)


class NoValue(ValueError):
    """A value that has no form here, or a text that is the form of none."""


def told(value: object) -> Value:
    """The form of what a driver returned. Raises ``NoValue``."""
    for kind, form in _FORMS:
        if isinstance(value, kind):
            return form(value)
    raise NoValue(f"values of type {type(value).__name__} cannot be reported")


def taken(value: Value) -> str | int | float | bool | bytes | None:
    """What a form stands for. Times and Decimals stay text, which databases know how to read. Raises ``NoValue``."""
    if not isinstance(value, str) or not value.startswith(_TAGGED):
        return value
    tag, _, content = value.partition(":")
    if tag == "text":
        return content
    try:
        return float(content) if tag == "float" else base64.b64decode(content, validate=True)
    except (ValueError, binascii.Error):
        raise NoValue(f"{value[:40]!r} is the form of no value") from None


def told_by_sqlite(value: object, kind: str) -> Value:
    """As ``told``, where the column's declared kind says what SQLite, which has fewer types, means by it.

    ``kind`` is ``boolean``, ``time`` (a time without offset), ``instant`` (stored in UTC, without its offset) or empty.
    """
    if kind == "boolean" and type(value) is int and value in {0, 1}:
        return bool(value)
    if kind in {"time", "instant"} and isinstance(value, str):
        if found := _SQLITE_TIME.fullmatch(value):
            return f"{found[1]}T{found[2]}{'Z' if kind == 'instant' else ''}"
        return f"text:{value}" if _TIME.fullmatch(value) else told(value)
    return told(value)


def taken_for_sqlite(value: Value, *, time_column: bool) -> str | int | float | bytes | None:
    """As ``taken``, in the types that SQLite has, and with times in the form in which SQLAlchemy stores them there."""
    if time_column and isinstance(value, str) and (parts := _TIME.fullmatch(value)):
        return f"{parts[1]} {parts[2]}"
    found = taken(value)
    return int(found) if isinstance(found, bool) else found


def _float(value: float) -> Value:
    return value if math.isfinite(value) else f"float:{value}"


def _str(value: str) -> Value:
    return f"text:{value}" if value.startswith(_TAGGED) else value


def _decimal(value: Decimal) -> Value:
    return format(value, "f") if value.is_finite() else str(value)


def _datetime(value: datetime) -> Value:
    if value.tzinfo is None:
        return value.isoformat(timespec="microseconds")
    return value.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="microseconds") + "Z"


def _bytes(value: bytes | bytearray | memoryview) -> Value:
    return "base64:" + base64.b64encode(value).decode()


# In this order: a bool is an int, a datetime a date.
_FORMS: tuple[tuple[type | tuple[type, ...], Callable[..., Value]], ...] = (
    (type(None), lambda _: None),
    ((bool, int), lambda value: value),
    (str, _str),
    (float, _float),
    (Decimal, _decimal),
    (datetime, _datetime),
    ((date, time, UUID), str),
    ((bytes, bytearray, memoryview), _bytes),
)
