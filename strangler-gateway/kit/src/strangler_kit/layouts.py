"""Tables as the database itself describes them, and what else must be known to write rows back. Needs SQLAlchemy."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from sqlalchemy import Connection, MetaData, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.types import Date, DateTime, TypeDecorator

_POSTGRESQL_COLUMNS = text(
    "SELECT attname, format_type(atttypid, atttypmod), attgenerated <> '' FROM pg_attribute"
    " WHERE attrelid = to_regclass(:name) AND attnum > 0 AND NOT attisdropped"
)
# A column's own sequence (serial, identity), or that of its default.
_POSTGRESQL_SEQUENCES = text(
    "SELECT attname, seqrelid FROM pg_attribute LEFT JOIN pg_attrdef ON adrelid = attrelid AND adnum = attnum"
    " JOIN pg_sequence ON seqrelid = coalesce(to_regclass(pg_get_serial_sequence(:name, attname)),"
    r" to_regclass(substring(pg_get_expr(adbin, adrelid) FROM 'nextval\(''(.*)''\:\:regclass\)')))"
    " WHERE attrelid = to_regclass(:name) AND attnum > 0 AND NOT attisdropped AND seqincrement > 0"
)
_POSTGRESQL_KEY = text("SELECT conname FROM pg_constraint WHERE conrelid = to_regclass(:name) AND contype = 'p'")
_POSTGRESQL_DEFERRABLE = text(
    "SELECT DISTINCT quote_ident(nspname) || '.' || quote_ident(conname), condeferred"
    " FROM pg_constraint JOIN pg_namespace ON pg_namespace.oid = connamespace WHERE condeferrable"
)
_POSTGRESQL_LOCKS = frozenset(("55P03", "40P01", "40001", "57014"))
"""Lock not available, deadlock, serialisation failure, and a statement that was cut short."""
_SQLITE_LOCKS = frozenset((5, 6))
"""SQLITE_BUSY and SQLITE_LOCKED, whatever their extension."""


@dataclass(frozen=True, slots=True)
class ColumnLayout:
    """One column."""

    type: str
    generated: bool
    """Computed from others, so that it cannot be written."""
    time: bool
    """On SQLite: times stand there, in the form in which SQLAlchemy stores them."""


@dataclass(frozen=True, slots=True)
class Layout:
    """One table."""

    name: str
    """Quoted, with its schema if it has one, as ``text()`` takes it."""
    columns: dict[str, ColumnLayout]
    sequences: dict[str, int] = field(default_factory=dict)
    """On PostgreSQL: of columns whose values are made by a sequence, that sequence's oid."""
    key_constraint: str | None = None
    """On PostgreSQL: the name of its primary key."""


class Catalogue:
    """What one database says of its tables and constraints, asked once; ``forget`` what may have changed.

    ``tables`` say which columns hold times where SQLite's declaration does not (``TEXT``).
    """

    def __init__(self, tables: MetaData | None = None) -> None:
        self._times = {
            (name, column.name)
            for name, table in (tables.tables.items() if tables is not None else ())
            for column in table.columns
            if isinstance(column.type.impl if isinstance(column.type, TypeDecorator) else column.type, DateTime | Date)
        }
        self._layouts: dict[str, Layout] = {}
        self._deferrable: dict[str, bool] | None = None

    def forget(self) -> None:
        self._layouts.clear()
        self._deferrable = None

    def layout(self, connection: Connection, table: str) -> Layout | None:
        """The table, or None if it is not in this database."""
        found = self._layouts.get(table)
        if found is None:
            quote = connection.dialect.identifier_preparer.quote_identifier
            schema, _, name = table.rpartition(".")
            quoted = f"{quote(schema)}.{quote(name)}" if schema else quote(name)
            if connection.dialect.name == "sqlite":
                found = Layout(quoted.replace(":", r"\:"), self._of_sqlite(connection, table, quoted))
            else:
                found = _of_postgresql(connection, quoted)
            if not found.columns:
                return None
            self._layouts[table] = found
        return found

    def is_taken_key(self, error: DBAPIError) -> bool:
        """Whether a row could not be inserted because the key that a sequence made for it was there already.

        So it happens in a copy, which takes over rows with their keys while its own sequence knows nothing of them.
        """
        named = getattr(error.orig, "diag", error.orig)
        name = getattr(named, "constraint_name", None)
        return name is not None and any(
            layout.sequences and layout.key_constraint == name for layout in self._layouts.values()
        )

    @contextmanager
    def constraints_last(self, connection: Connection) -> Iterator[None]:
        """Within, whatever can be checked later is checked at the end (on SQLite: not at all)."""
        if connection.dialect.name == "sqlite":
            connection.exec_driver_sql("PRAGMA defer_foreign_keys=ON")
            yield
            connection.exec_driver_sql("PRAGMA defer_foreign_keys=OFF")
            return
        deferrable = self._deferrable_of(connection)
        if deferrable:
            connection.execute(text("SET CONSTRAINTS ALL DEFERRED"))
        yield
        if deferrable:
            connection.execute(text("SET CONSTRAINTS ALL IMMEDIATE"))
        if at_the_end := [name.replace(":", r"\:") for name, deferred in deferrable.items() if deferred]:
            connection.execute(text(f"SET CONSTRAINTS {', '.join(at_the_end)} DEFERRED"))

    def check_deferred(self, connection: Connection) -> None:
        """Check what PostgreSQL checks at a commit now, and leave it for later again. SQLite is not asked.

        Raises ``IntegrityError``, as the commit would.
        """
        if connection.dialect.name == "sqlite" or not self._deferrable_of(connection):
            return
        savepoint = connection.begin_nested()
        try:
            connection.execute(text("SET CONSTRAINTS ALL IMMEDIATE"))
        finally:
            savepoint.rollback()  # takes back the setting and the checks that were done, and no more

    def _of_sqlite(self, connection: Connection, table: str, quoted: str) -> dict[str, ColumnLayout]:
        schema, dot, name = quoted.rpartition(".")
        rows = connection.exec_driver_sql(f"PRAGMA {schema}{dot}table_xinfo({name})").all()
        return {
            row.name: ColumnLayout(
                row.type,
                generated=row.hidden in {2, 3},
                time=(table, row.name) in self._times
                or any(part in row.type.upper() for part in ("DATE", "TIMESTAMP")),
            )
            for row in rows
        }

    def _deferrable_of(self, connection: Connection) -> dict[str, bool]:
        """Names of constraints that can be checked later, and whether they are unless told otherwise."""
        if self._deferrable is None:
            rows = connection.execute(_POSTGRESQL_DEFERRABLE)
            self._deferrable = {row[0]: row[1] for row in rows}
        return self._deferrable


def _of_postgresql(connection: Connection, quoted: str) -> Layout:
    columns = {
        name: ColumnLayout(kind, generated=generated, time=False)
        for name, kind, generated in connection.execute(_POSTGRESQL_COLUMNS, {"name": quoted})
    }
    sequences = {row.attname: row.seqrelid for row in connection.execute(_POSTGRESQL_SEQUENCES, {"name": quoted})}
    key = connection.scalar(_POSTGRESQL_KEY, {"name": quoted})
    return Layout(quoted.replace(":", r"\:"), columns, sequences, key)


def is_lock_failure(error: DBAPIError) -> bool:
    """Whether a statement failed because others hold locks, so that it may go well at another time."""
    code = getattr(error.orig, "sqlite_errorcode", None)
    if code is not None:
        return code & 0xFF in _SQLITE_LOCKS
    return getattr(error.orig, "sqlstate", None) in _POSTGRESQL_LOCKS
