"""Put rows back as a request found them, inside a transaction that will be rolled back. Needs SQLAlchemy.

The rows come from a report, of a database that may be this one or another of the same kind. A table that is not here
has nothing to be put back. Rows are written and compared in the database's own types, whatever an application's types
make of them. Names are quoted and values are bound in all SQL that is put together here.
"""

from collections.abc import Sequence
from contextlib import nullcontext
from typing import Any

from sqlalchemy import Connection, CursorResult, text
from sqlalchemy.exc import DBAPIError, IntegrityError

from strangler_kit.effects import Columns, RowChange, unrecorded
from strangler_kit.layouts import Catalogue, ColumnLayout, Layout, is_lock_failure
from strangler_kit.values import NoValue, Value, taken, taken_for_sqlite

_LEAD = 1_000
"""Values by which a sequence of a copy is led ahead, so that rows which come meanwhile do not take the next one."""
_MOST_VALUES = 100_000
"""That are asked of a sequence at once."""
_ASK = text("SELECT count(nextval(:sequence)) FROM generate_series(1, :number)")


class NotRestored(Exception):
    """The rows cannot be as they were: others have written since, or hold locks. The message says what."""


def restore(connection: Connection, rows: Sequence[RowChange], catalogue: Catalogue) -> None:
    """Undo: delete what was inserted, change back what was changed, insert what was deleted; the last one first.

    Raises ``NotRestored``, after which the transaction is to be rolled back.
    """
    with unrecorded():
        try:
            found = [(layout, row) for row in reversed(rows) if (layout := catalogue.layout(connection, row.table))]
            writes = [_Write(connection.dialect.name, layout, row) for layout, row in found]
            # One row needs no order.
            with catalogue.constraints_last(connection) if len(writes) > 1 else nullcontext():
                _write_all(connection, writes)
            for write in writes:
                write.verify(connection)
            for layout in {layout.name: layout for layout, row in found if row.before is None}.values():
                _lead_sequences_on(connection, layout)
        except NoValue as error:
            raise NotRestored(str(error)) from error
        except DBAPIError as error:
            catalogue.forget()
            reason = "rows are locked" if is_lock_failure(error) else str(error.orig).partition("\n")[0]
            raise NotRestored(reason) from error


def _write_all(connection: Connection, writes: list["_Write"]) -> None:
    """In their order if that works, and otherwise in one that does: what fails is tried again after the others."""
    if len(writes) == 1:
        writes[0].run(connection)
        return
    try:
        with connection.begin_nested():
            for write in writes:
                write.run(connection)
        return
    except IntegrityError as error:
        last: IntegrityError = error
    while writes:
        failed = []
        for write in writes:
            try:
                with connection.begin_nested():
                    write.run(connection)
            except IntegrityError as error:
                failed.append(write)
                last = error
        if len(failed) == len(writes):
            raise last  # two rows that have exchanged unique values, for instance
        writes = failed


def _lead_sequences_on(connection: Connection, layout: Layout) -> None:
    """Let the next row that is inserted have a key of its own, in a copy whose rows came with theirs (PostgreSQL).

    By asking for values, which never leads back, whoever else does so. Where rows were made here nothing is to be done.
    """
    for column, sequence in layout.sequences.items():
        name = _quoted(column)
        most = f"SELECT max({name}) - coalesce(pg_sequence_last_value(:sequence), 0) FROM {layout.name}"  # noqa: S608 - see above
        behind = connection.execute(text(most), {"sequence": sequence}).scalar_one() or 0
        if behind > 0:
            ahead = min(behind + _LEAD, _MOST_VALUES)
            connection.execute(_ASK, {"sequence": sequence, "number": ahead})
        if behind > _MOST_VALUES:
            raise NotRestored(f"the sequence of {layout.name} is far behind its rows")


class _Write:
    """One row to be put back."""

    def __init__(self, dialect: str, layout: Layout, row: RowChange) -> None:
        self._sqlite = dialect == "sqlite"
        self._layout = layout
        self._row = row
        self._given: dict[str, Any] = {}
        self._key = self._written(row.key)
        self._values = self._written(row.before or {})
        if len(self._key) != len(row.key):
            raise NotRestored(f"{row.table} has another key here")
        self._here = " AND ".join(f"{name} = {value}" for name, value in self._key.items())

    def run(self, connection: Connection) -> None:
        """Delete the row, or change it back, or insert it."""
        table, whole = self._layout.name, self._key | self._values
        if self._row.before is None:
            self._execute(connection, f"DELETE FROM {table} WHERE {self._here}")  # noqa: S608 - see above
            return
        # A row that is set to what it is counts as found.
        changes = ", ".join(f"{name} = {value}" for name, value in (self._values or self._key).items())
        update = f"UPDATE {table} SET {changes} WHERE {self._here}"  # noqa: S608 - see above
        if self._execute(connection, update).rowcount:
            return
        overriding = "" if self._sqlite else " OVERRIDING SYSTEM VALUE"  # for identities that are GENERATED ALWAYS
        values = f"({', '.join(whole)}){overriding} VALUES ({', '.join(whole.values())})"
        self._execute(connection, f"INSERT INTO {table} {values}")

    def verify(self, connection: Connection) -> None:
        """Raise ``NotRestored`` unless the row is now what it should be: a trigger may have had an idea of its own."""
        compare = "{} IS {}" if self._sqlite else "CAST({} AS TEXT) IS NOT DISTINCT FROM CAST({} AS TEXT)"
        same = [compare.format(name, value) for name, value in self._values.items()]
        condition = " AND ".join([self._here, *same])
        count = f"SELECT count(*) FROM {self._layout.name} WHERE {condition}"  # noqa: S608 - see above
        found = self._execute(connection, count).scalar_one()
        if found != (self._row.before is not None):
            raise NotRestored(f"a row of {self._row.table} did not become what it was")

    def _written(self, columns: Columns) -> dict[str, str]:
        """Quoted names of the columns that can be written here, and the SQL of their values."""
        written = {}
        for name, value in columns.items():
            column = self._layout.columns.get(name)
            if column is not None and not column.generated:
                place = f"p{len(self._given)}"
                self._given[place], written[_quoted(name)] = self._as_sql(value, column, f":{place}")
        return written

    def _as_sql(self, value: Value, column: ColumnLayout, place: str) -> tuple[Any, str]:
        if self._sqlite:
            return taken_for_sqlite(value, time_column=column.time), place
        found = taken(value)
        if found is None or isinstance(found, bytes):
            return found, f"CAST({place} AS {_unbound(column.type)})"
        # By way of the text that PostgreSQL reads for any type, so that no driver has to know the type.
        read = str(found).lower() if isinstance(found, bool) else str(found)
        return read, f"CAST(CAST({place} AS TEXT) AS {_unbound(column.type)})"

    def _execute(self, connection: Connection, statement: str) -> CursorResult[Any]:
        return connection.execute(text(statement), self._given)


def _quoted(name: str) -> str:
    return _unbound('"' + name.replace('"', '""') + '"')


def _unbound(name: str) -> str:
    """Keeps a colon within a name from being taken for a parameter."""
    return name.replace(":", r"\:")
