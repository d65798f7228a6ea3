"""Connections to the store: SQLite as several processes may use it, PostgreSQL with bounded waits."""

import contextlib
from collections.abc import Iterator

import sqlalchemy as sa
from sqlalchemy.exc import ArgumentError, DBAPIError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from strangler.model.errors import StranglerError

BUSY_TIMEOUT = 2.0
"""Seconds to wait for a lock, or for a connection, before the store counts as unavailable."""

_WRITING = "strangler_writing"


class StoreUnavailable(StranglerError):
    """The store is down, locked by another process, or cannot be written; nothing was changed."""


class StoreUrlInvalid(StranglerError):
    """A URL that is none of a store's. It is never shown: it may hold a password."""


def parse_url(url: str) -> sa.URL:
    """Raises ``StoreUrlInvalid``."""
    try:
        found = sa.make_url(url)
    except (ArgumentError, ValueError):
        found = None
    if found is None or found.get_backend_name() not in {"sqlite", "postgresql"}:
        raise StoreUrlInvalid("a store is sqlite:///FILE or postgresql://USER:PASSWORD@HOST:PORT/DATABASE")
    return found


def open_engine(url: str) -> sa.Engine:
    """An engine for ``sqlite:///FILE`` or ``postgresql://…``; nothing is connected yet. Raises ``StoreUrlInvalid``."""
    parsed = parse_url(url)
    return _sqlite(parsed) if parsed.get_backend_name() == "sqlite" else _postgresql(parsed)


def writing(connection: sa.Connection) -> sa.Connection:
    """Mark a connection whose next transaction will write: SQLite then takes its lock at the beginning."""
    return connection.execution_options(**{_WRITING: True})


@contextlib.contextmanager
def unavailable(engine: sa.Engine) -> Iterator[None]:
    """Turn the database's failures into ``StoreUnavailable``; errors of our own statements stay what they are."""
    try:
        yield
    except (OperationalError, InterfaceError, PoolTimeout) as error:
        raise StoreUnavailable(_why(engine, error)) from error
    except DBAPIError as error:
        if not error.connection_invalidated:
            raise
        raise StoreUnavailable(_why(engine, error)) from error


def _why(engine: sa.Engine, error: Exception) -> str:
    cause = str(getattr(error, "orig", None) or error).strip().splitlines()[0]
    return f"the store {engine.url.render_as_string(hide_password=True)} is not available: {cause}"


def _sqlite(url: sa.URL) -> sa.Engine:
    engine = sa.create_engine(url, connect_args={"timeout": BUSY_TIMEOUT, "isolation_level": None})

    @sa.event.listens_for(engine, "connect")
    def _configure(connection: object, _record: object) -> None:
        cursor = connection.cursor()  # type: ignore[attr-defined]
        cursor.execute("PRAGMA journal_mode=WAL")
        # FULL: a flip that was answered is still there after a power cut.
        cursor.execute("PRAGMA synchronous=FULL")
        cursor.close()

    @sa.event.listens_for(engine, "begin")
    def _begin(connection: sa.Connection) -> None:
        # The driver would begin at the first write, too late to see one state throughout; and a transaction that
        # reads before it writes can fail without waiting. So a writer takes its lock at once.
        is_writing = connection.get_execution_options().get(_WRITING, False)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if is_writing else "BEGIN")

    return engine


def _postgresql(url: sa.URL) -> sa.Engine:
    bounds = f"-c lock_timeout={BUSY_TIMEOUT:.0f}s -c statement_timeout=10s"
    return sa.create_engine(
        url.set(drivername="postgresql+psycopg"),
        connect_args={"connect_timeout": int(BUSY_TIMEOUT), "options": bounds},
        pool_pre_ping=True,
        pool_size=4,
        max_overflow=4,
        pool_timeout=BUSY_TIMEOUT,
    )
