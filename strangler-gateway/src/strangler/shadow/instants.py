"""Points in time as they are written in JSON: RFC 3339 and what frameworks write in its place."""

import re
from datetime import date
from decimal import Decimal
from functools import lru_cache
from typing import NamedTuple

_ISO = re.compile(
    r"(\d{4})-(\d\d)-(\d\d)([Tt ])(\d\d):(\d\d)(?::(\d\d)(?:\.(\d{1,30}))?)?"
    r"(?:([Zz])|([+-])(\d\d)(:?)(\d\d)?)?",
    re.ASCII,
)
_DAY = re.compile(r"(\d{4})-(\d\d)-(\d\d)", re.ASCII)
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_HTTP = re.compile(
    r"(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun), (\d\d) (" + "|".join(_MONTHS) + r") (\d{4}) (\d\d):(\d\d):(\d\d) GMT", re.ASCII
)


class Instant(NamedTuple):
    """One point in time, and how it was written."""

    seconds: int
    """Since the first day of the calendar, in UTC; without a zone as if it were UTC."""
    fraction: str
    """Digits after the point, without zeros at the end."""
    offset: int | None
    """Minutes east of UTC, if a zone is given."""
    form: str
    """How it is written, but for zeros of the fraction and ``Z`` or ``+00:00``."""

    def apart(self, other: "Instant") -> Decimal:
        """Seconds between two."""
        mine, theirs = (Decimal(f"{one.seconds}.{one.fraction or 0}") for one in (self, other))
        return abs(mine - theirs)


@lru_cache(maxsize=1024)  # A pair of answers is asked about the same texts several times.
def instant(text: str) -> Instant | None:
    """The point in time that a text is, and nothing else; None if it is none."""
    if not 16 <= len(text) <= 64:
        return _day(text) if len(text) == 10 else None
    if text[0].isdigit():
        found = _ISO.fullmatch(text)
        return None if found is None else _from_iso(found)
    found = _HTTP.fullmatch(text)
    if found is None:
        return None
    day, month, year, *clock = found.groups()
    seconds = _seconds(int(year), _MONTHS.index(month) + 1, int(day), *map(int, clock))
    return None if seconds is None else Instant(seconds, "", 0, "http")


def _day(text: str) -> Instant | None:
    found = _DAY.fullmatch(text)
    seconds = _seconds(int(found[1]), int(found[2]), int(found[3]), 0, 0, 0) if found else None
    return None if seconds is None else Instant(seconds, "", None, "day")


def _from_iso(found: re.Match[str]) -> Instant | None:
    year, month, day, between, hour, minute, second, fraction, utc, sign, hours, colon, minutes = found.groups()
    seconds = _seconds(int(year), int(month), int(day), int(hour), int(minute), int(second or 0))
    if seconds is None:
        return None
    offset = None
    if utc:
        offset = 0
    elif sign:
        if int(hours) > 23 or int(minutes or 0) > 59:
            return None
        offset = (int(hours) * 60 + int(minutes or 0)) * (-1 if sign == "-" else 1)
    standard = utc or (colon and minutes)
    zone = "" if offset is None else "zone" if standard else "short zone"
    form = f"{between.upper()} {'seconds' if second else 'minutes'} {zone}"
    return Instant(seconds - (offset or 0) * 60, (fraction or "").rstrip("0"), offset, form)


def _seconds(year: int, month: int, day: int, hour: int, minute: int, second: int) -> int | None:
    if hour > 23 or minute > 59 or second > 60:
        return None
    try:
        days = date(year, month, day).toordinal()
    except ValueError:
        return None
    return days * 86400 + hour * 3600 + minute * 60 + second


def same_notation(one: Instant, other: Instant) -> bool:
    """The same point, written alike but for zeros of the fraction and ``Z`` or ``+00:00``."""
    return one == other


def may_be_same(one: Instant, other: Instant) -> bool:
    """Whether their formats can say the same. A day is no point in time, but HTTP's format has nothing else for it."""
    forms = {one.form, other.form}
    return len(forms) == 1 or "day" not in forms or forms == {"day", "http"}


def same_instant(one: Instant, other: Instant) -> bool:
    """The same point, however it is written; without a zone it is taken for UTC."""
    return one[:2] == other[:2]
