"""Whether two values that are no containers mean the same, and by what name."""

import re
from collections.abc import Hashable
from decimal import Decimal, InvalidOperation

from strangler.shadow.compiled import Compiled
from strangler.shadow.exact import Real, Value
from strangler.shadow.instants import instant, may_be_same, same_instant, same_notation

_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]{1,9})?")
_LONGEST_NUMBER = 400


def same(one: Value, other: Value) -> bool:
    """The same to every reader: the same type of JSON and the same value. 1 and 1.0 are not, 1.0 and 1.00 are."""
    if type(one) is not type(other):
        return False
    if one == other:
        return True
    return isinstance(one, Real) and same_number(one, other)


def same_number(one: Value, other: Value) -> bool:
    """Two numbers, however they are written."""
    mine, theirs = number(one), number(other)
    return mine is not None and theirs is not None and mine == theirs


def number(value: Value) -> Decimal | None:
    """A number of JSON, exactly; None for what is none."""
    if isinstance(value, bool):
        return None
    if isinstance(value, int):
        return Decimal(value)
    if isinstance(value, Real):
        try:
            return Decimal(value)
        except InvalidOperation:  # An exponent of more digits than anything real has.
            return None
    return None


def number_or_text(value: Value) -> Decimal | None:
    """A number, or a text that is one and nothing else."""
    if isinstance(value, str) and not isinstance(value, Real):
        if len(value) > _LONGEST_NUMBER or not _NUMBER.fullmatch(value):
            return None
        return Decimal(value)
    return number(value)


def name_of_likeness(compiled: Compiled, one: Value, other: Value) -> str:
    """The normaliser that takes two values for equal that are not the same; empty if none does."""
    if compiled.dates and type(one) is str and type(other) is str:
        here, there = instant(one), instant(other)
        if here is None or there is None:
            return ""
        if same_notation(here, there):
            return "date-notation" if compiled.date_notation else ""
        if compiled.date_format and may_be_same(here, there) and same_instant(here, there):
            return "date-format"
    elif compiled.numbers and type(one) is not type(other):
        mine, theirs = number_or_text(one), number_or_text(other)
        if mine is not None and mine == theirs:
            return "number-or-text"
    return ""


def within(compiled: Compiled, one: Value, other: Value, most: Decimal) -> bool:
    """Whether two numbers (or texts of numbers), or two times, are at most so far apart."""
    mine, theirs = number_or_text(one), number_or_text(other)
    if mine is not None and theirs is not None:
        try:
            return abs(mine - theirs) <= most
        except ArithmeticError:  # Exponents beyond all bounds.
            return False
    if not (isinstance(one, str) and isinstance(other, str)):
        return False
    here, there = instant(one), instant(other)
    if here is None or there is None:
        return False
    comparable = here.form == there.form or (compiled.date_format and may_be_same(here, there))
    return comparable and here.apart(there) <= most


def print_of(compiled: Compiled, value: Value) -> Hashable:
    """Equal for two values if they are the same, or a normaliser takes them for equal; made to find counterparts by."""
    if isinstance(value, str) and not isinstance(value, Real):
        point = instant(value) if compiled.dates else None
        if point is not None:
            return ("date", point[:2]) if compiled.date_format else ("date", point)
        exact = number_or_text(value) if compiled.numbers else None
        return ("text", value) if exact is None else ("number", exact)
    if isinstance(value, bool) or value is None:
        return ("word", value)
    exact = number(value)
    if exact is None:
        return ("real", value)
    if compiled.numbers:
        return ("number", exact)
    return ("real" if isinstance(value, Real) else "integer", exact)
