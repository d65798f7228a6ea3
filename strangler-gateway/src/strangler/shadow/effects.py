"""What a request did besides answering: rows, events and calls, as the kit and the chassis report them."""

from dataclasses import dataclass

Value = str | int | float | bool | None
Row = tuple[tuple[str, Value], ...]
"""Columns and values, sorted by column."""


@dataclass(frozen=True, slots=True)
class RowWrite:
    """One row that was written."""

    table: str
    operation: str
    """``insert``, ``update`` or ``delete``."""
    key: Row
    """Its primary key."""
    after: Row
    """The columns that were written; empty for a delete."""


@dataclass(frozen=True, slots=True)
class Published:
    """An event that was, or would have been, published."""

    topic: str
    payload: str
    """JSON."""


@dataclass(frozen=True, slots=True)
class Called:
    """A call to somebody else that was, or would have been, made."""

    name: str
    """Of the port, such as ``payments.charge``, or method and URL."""
    arguments: str
    """JSON."""


@dataclass(frozen=True, slots=True)
class Effects:
    """All of one request, in the order in which they came."""

    rows: tuple[RowWrite, ...] = ()
    events: tuple[Published, ...] = ()
    calls: tuple[Called, ...] = ()
    complete: bool = True
    """False where the report was cut, or something could not be followed."""
