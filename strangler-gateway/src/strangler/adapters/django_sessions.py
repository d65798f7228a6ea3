"""The session table of a Django application, read and never written; blocking, so that it belongs in a thread."""

from datetime import UTC, datetime
from urllib.parse import quote

from sqlalchemy import Column, DateTime, Engine, MetaData, String, Table, create_engine, select
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError, SQLAlchemyError
from sqlalchemy.pool import QueuePool

from strangler.model.errors import StranglerError

THREADS = 4
"""Connections to the monolith's database that a worker takes at most."""


class SessionsUnreadable(StranglerError):
    """The database cannot be asked. Its URL, which may hold a password, is never named."""


class DjangoSessionTable:
    """One connection pool. ``timeout`` in seconds bounds connecting, waiting and asking."""

    def __init__(self, url: str, table: str, timeout: float) -> None:
        """Raises ``SessionsUnreadable`` for a URL that is none."""
        try:
            self._engine = _engine(url, timeout)
        except (ArgumentError, ImportError) as error:
            raise SessionsUnreadable(f"the database's URL cannot be used: {type(error).__name__}") from None
        self._table = Table(
            table,
            MetaData(),
            Column("session_key", String(40), primary_key=True),
            Column("session_data", String),
            Column("expire_date", DateTime(timezone=True)),
        )

    def close(self) -> None:
        """Let go of the connections that nobody uses."""
        self._engine.dispose()

    def read(self, key: str) -> tuple[str, float] | None:
        """A session's data and its end in seconds since the epoch; None if there is no such session.

        Raises ``SessionsUnreadable``.
        """
        wanted = select(self._table.c.session_data, self._table.c.expire_date).where(self._table.c.session_key == key)
        try:
            with self._engine.connect() as connection:
                row = connection.execute(wanted).one_or_none()
        except SQLAlchemyError as error:
            raise SessionsUnreadable(f"the session table cannot be read: {type(error).__name__}") from None
        return (row[0], _moment(row[1])) if row is not None else None


def _engine(url: str, timeout: float) -> Engine:
    address = make_url(url)
    backend = address.get_backend_name()
    arguments: dict[str, object] = {}
    if backend == "postgresql":
        if address.drivername == "postgresql":
            address = address.set(drivername="postgresql+psycopg")
        milliseconds = int(timeout * 1000)
        arguments = {
            "connect_timeout": max(1, int(timeout)),
            "options": f"-c statement_timeout={milliseconds} -c default_transaction_read_only=on",
            "tcp_user_timeout": milliseconds,
        }
    if backend == "sqlite":
        # Read only, so that a wrong path is an error and no new database.
        file = f"file:{quote(address.database or '')}?mode=ro"
        address = address.set(database=file, query={"uri": "true"})
        arguments = {"timeout": timeout, "check_same_thread": False}
    return create_engine(
        address,
        poolclass=QueuePool,
        pool_size=THREADS,
        max_overflow=0,
        pool_timeout=timeout,
        pool_pre_ping=True,
        isolation_level="AUTOCOMMIT",
        connect_args=arguments,
    )


def _moment(value: datetime) -> float:
    """A time without a zone is UTC, as Django writes it where the database knows no zones."""
    return (value if value.tzinfo is not None else value.replace(tzinfo=UTC)).timestamp()
