"""Rows that a transaction has perhaps written, until it ends. Needs SQLAlchemy."""

import json
from contextlib import suppress
from dataclasses import dataclass, field

from strangler_kit.effects import Columns, Published, RowChange, Transaction
from strangler_kit.images import RawKey, Shape
from strangler_kit.statements import TOO_MANY, CannotFollow


@dataclass(frozen=True, slots=True)
class Outbox:
    """The table into which events are written in the transaction that they tell of: told as events, not as rows."""

    table: str
    topic: str = "topic"
    payload: str = "payload"
    """Names of columns. What a payload holds is told as JSON where it is JSON."""


@dataclass(frozen=True, slots=True)
class Touched:
    """A row that a transaction has perhaps written."""

    shape: Shape
    raw: RawKey
    key: Columns
    before: Columns | None


@dataclass(slots=True)
class Work:
    """One transaction that has not ended."""

    most: int
    """Rows that are reported."""
    touched: dict[tuple[str, str], Touched] = field(default_factory=dict)
    written: Shape | None = None
    """The table of the statement that runs."""
    expected: int = 0
    """Rows that an UPDATE or DELETE should find."""
    own_returning: bool = False
    locked: bool = False
    """On SQLite: the transaction has the write lock."""
    followed: set[tuple[str, RawKey]] = field(default_factory=set)
    """Rows whose going or changing has been followed to other tables, by the statement that runs."""

    def begin(self, shape: Shape) -> None:
        """A statement is about to write rows of this table."""
        self.written, self.expected, self.own_returning = shape, 0, False
        self.followed.clear()

    def touch(self, shape: Shape, raw: RawKey, before: Columns | None) -> None:
        """Remember a row as it was at first. Raises ``CannotFollow`` and ``NoValue``."""
        key = shape.key_of(raw)
        self.touched.setdefault((shape.name, json.dumps(key)), Touched(shape, raw, key, before))
        if len(self.touched) > self.most:
            raise CannotFollow(TOO_MANY)

    def outcome(self, after: dict[tuple[str, str], Columns], outbox: Outbox | None) -> Transaction:
        """What the transaction did, by what its rows are ``after`` it: those that are not there were deleted."""
        changes = [RowChange(row.shape.name, row.key, row.before, after.get(at)) for at, row in self.touched.items()]
        if outbox is None:
            return Transaction(tuple(changes), ())
        rows = tuple(change for change in changes if change.table != outbox.table)
        written = (change for change in changes if change.table == outbox.table and change.operation == "insert")
        return Transaction(rows, tuple(_event(outbox, change) for change in written))


def _event(outbox: Outbox, row: RowChange) -> Published:
    values = {**row.key, **(row.after or {})}
    payload = values.get(outbox.payload)
    if isinstance(payload, str):
        with suppress(ValueError):
            payload = json.loads(payload)
    return Published(str(values.get(outbox.topic)), payload)
