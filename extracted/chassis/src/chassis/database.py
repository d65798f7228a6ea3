"""A service's database: transactions of two kinds, which are savepoints of one transaction while a request is shadowed.

All that a service reads and writes goes through here: a connection by any other way is refused to a shadowed request.
SQLite follows the rules of whoever shares its file: WAL, a busy timeout, and a transaction that writes says so when it
begins (a read lock that is upgraded later fails at once instead of waiting).
"""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from functools import partial
from typing import Any

from sqlalchemy import Connection, MetaData, event
from sqlalchemy.engine import URL
from sqlalchemy.ext.asyncio import AsyncConnection, create_async_engine

from chassis.shadow import Outcome, Shadow, current_shadow
from chassis.shadow_transaction import PartInOneDatabase, note_failures
from chassis.shadow_turns import SHARE, Turns
from strangler_kit.layouts import Catalogue
from strangler_kit.recording import Outbox, Recorder

SQLITE_BUSY_MS = 5_000
_SQLITE_PRAGMAS = (f"busy_timeout={SQLITE_BUSY_MS}", "journal_mode=WAL", "synchronous=NORMAL", "foreign_keys=ON")


class Database:
    """A pool of connections that hands out transactions.

    `outbox` is the table in which events wait to be published, if the service has one. `tables` are the service's own;
    they matter on SQLite, where a column that holds times may be declared as something else. `shadow_lock_ms` is how
    long a shadowed request waits for a lock that another holds; `shadow_share` (above 0, at most 1) the part of time
    in which shadows may keep others from writing, where one writes at a time (SQLite).
    """

    def __init__(
        self,
        url: URL,
        *,
        pool_size: int = 10,
        outbox: Outbox | None = None,
        tables: MetaData | None = None,
        shadow_lock_ms: int = 200,
        shadow_share: float = SHARE,
    ) -> None:
        self._engine = create_async_engine(
            url, pool_size=pool_size, max_overflow=pool_size, pool_timeout=10, pool_recycle=1_800
        )
        if self._engine.dialect.name == "sqlite":
            event.listen(self._engine.sync_engine, "connect", _prepare_sqlite)
            event.listen(self._engine.sync_engine, "begin", _begin_sqlite)
        self._writer = self._engine.execution_options(sqlite_begin="BEGIN IMMEDIATE")
        self._outbox = outbox
        self._catalogue = Catalogue(tables)
        self._shadow_lock_ms = shadow_lock_ms
        self._turns = Turns(shadow_share) if self._engine.dialect.name == "sqlite" else None
        self._recorder: Recorder | None = None
        """Watches from the first shadowed request on: a service that never has one pays nothing."""

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[AsyncConnection]:
        """A transaction that only reads; it is rolled back at the end."""
        shadow = current_shadow()
        async with self._engine.connect() if shadow is None else shadow.transaction(self, keep=False) as connection:
            yield connection

    @asynccontextmanager
    async def writing(self) -> AsyncIterator[AsyncConnection]:
        """A transaction that commits at the end, or rolls back when an exception leaves it."""
        shadow = current_shadow()
        async with self._writer.begin() if shadow is None else shadow.transaction(self, keep=True) as connection:
            yield connection

    async def begin_shadow(self, shadow: Shadow) -> PartInOneDatabase:
        """See `chassis.shadow.ShadowedDatabase`."""
        if self._recorder is None:
            self._recorder = Recorder(self._engine.sync_engine, outbox=self._outbox)
            note = partial(note_failures, catalogue=self._catalogue)
            event.listen(self._engine.sync_engine, "handle_error", note)
        over = await self._take_turn(shadow)
        try:
            connection = await self._writer.connect()
        except BaseException:
            over(0.0)
            raise
        part = PartInOneDatabase(
            connection,
            self._recorder,
            self._catalogue,
            lock_ms=self._shadow_lock_ms,
            busy_ms=SQLITE_BUSY_MS,
            over=over,
        )
        try:
            await part.begin(shadow)
        except BaseException:
            await part.end()
            raise
        return part

    async def _take_turn(self, shadow: Shadow) -> Callable[[float], None]:
        """Wait until shadows may write; gives what is to be told how long one has. Raises `ShadowAborted`."""
        if self._turns is None:
            return lambda _: None
        try:
            await self._turns.take()
        except TimeoutError as error:
            raise shadow.fail(Outcome.LOCKED, "it is the turn of others to write") from error
        return self._turns.give_back

    async def dispose(self) -> None:
        await self._engine.dispose()


def _prepare_sqlite(connection: Any, _record: Any) -> None:
    connection.isolation_level = None  # the driver's own transaction control commits behind one's back
    cursor = connection.cursor()
    for pragma in _SQLITE_PRAGMAS:
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _begin_sqlite(connection: Connection) -> None:
    connection.exec_driver_sql(connection.get_execution_options().get("sqlite_begin", "BEGIN"))
