"""The database: engine, column types that keep what they are given, and a schema that any process may create first.

SQLite and PostgreSQL behave alike above this file. Two of SQLite's habits are corrected here: its driver's own
transaction control is off (it commits behind one's back), and a transaction that writes says so when it begins,
because a read lock that is upgraded later fails at once instead of waiting.
"""

import sqlite3
import time
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import URL, BigInteger, DateTime, Engine, Integer, String, Text, create_engine, event, make_url, text
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import Connection, Dialect
from sqlalchemy.orm import DeclarativeBase, Session
from sqlalchemy.types import TypeDecorator

SQLITE_BUSY_MS = 5_000
SCHEMA_LOCK = 0x5110
"""Key of the PostgreSQL advisory lock under which the schema is created."""

Id = BigInteger().with_variant(Integer, "sqlite")
"""A primary key. SQLite numbers only a column that is exactly INTEGER."""


def ordered_string(length: int | None = None) -> String:
    """Text that sorts by code points on both databases, whatever the locale of the server."""
    if length is None:
        return Text().with_variant(Text(collation="C"), "postgresql")
    return String(length).with_variant(String(length, collation="C"), "postgresql")


class Instant(TypeDecorator[datetime]):
    """An aware time, stored in UTC. SQLite would drop the offset: it is put back on reading."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            message = f"A time without offset cannot be stored: {value!r}"
            raise ValueError(message)
        return value.astimezone(UTC).replace(tzinfo=None) if dialect.name == "sqlite" else value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if dialect.name == "sqlite" else value.astimezone(UTC)


class Base(DeclarativeBase):
    """All tables of all modules. They share a database and know nothing of one another."""

    type_annotation_map = {datetime: Instant()}  # noqa: RUF012 - SQLAlchemy reads it as a class attribute


def insert_or(session: Session, table: type[Base]) -> Any:
    """An INSERT that can say ON CONFLICT, which both databases spell alike and SQLAlchemy keeps in two places."""
    dialect = sqlite if session.get_bind().dialect.name == "sqlite" else postgresql
    return dialect.insert(table)


class Database:
    """The engine, in two moods: `reader` for transactions that only read, `writer` for those that write."""

    def __init__(self, url: str, *, pool_size: int = 10) -> None:
        parsed = _with_driver(url)
        self.engine = create_engine(
            parsed,
            pool_size=pool_size,
            max_overflow=pool_size,
            pool_timeout=10,
            pool_recycle=1_800,
            connect_args={} if parsed.drivername.startswith("sqlite") else {"connect_timeout": 5},
        )
        self.is_sqlite = self.engine.dialect.name == "sqlite"
        if self.is_sqlite:
            event.listen(self.engine, "connect", _prepare_sqlite)
            event.listen(self.engine, "begin", _begin_sqlite)
        self.reader: Engine = self.engine
        self.writer: Engine = self.engine.execution_options(sqlite_begin="BEGIN IMMEDIATE")

    def create_schema(self) -> None:
        """Create what is missing. Safe while other processes do the same."""
        with self.writer.begin() as connection:
            self.lock_until_commit(connection, SCHEMA_LOCK)
            Base.metadata.create_all(connection)

    def lock_until_commit(self, connection: Connection, key: int) -> None:
        """Let one transaction at a time pass here. On SQLite a write transaction is alone already."""
        if not self.is_sqlite:
            connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": key})

    def answers(self) -> bool:
        """Whether the database can be asked now."""
        with self.reader.connect() as connection:
            return connection.scalar(text("SELECT 1")) == 1

    def dispose(self) -> None:
        self.engine.dispose()


def _with_driver(url: str) -> URL:
    """`postgresql://…`, as other tools write it, means psycopg here."""
    parsed = make_url(url)
    return parsed.set(drivername="postgresql+psycopg") if parsed.drivername in {"postgres", "postgresql"} else parsed


def _prepare_sqlite(connection: Any, _record: Any) -> None:
    connection.isolation_level = None
    connection.execute(f"PRAGMA busy_timeout={SQLITE_BUSY_MS}")
    _write_ahead(connection)
    for pragma in ("synchronous=NORMAL", "foreign_keys=ON"):
        connection.execute(f"PRAGMA {pragma}")


def _write_ahead(connection: Any) -> None:
    """Use the log. For another process that changes to it at the same moment SQLite does not wait by itself."""
    deadline = time.monotonic() + SQLITE_BUSY_MS / 1000
    while True:
        try:
            connection.execute("PRAGMA journal_mode=WAL")
        except sqlite3.OperationalError as error:
            if "locked" not in str(error) or time.monotonic() > deadline:
                raise
            time.sleep(0.01)
        else:
            return


def _begin_sqlite(connection: Connection) -> None:
    connection.exec_driver_sql(connection.get_execution_options().get("sqlite_begin", "BEGIN"))
