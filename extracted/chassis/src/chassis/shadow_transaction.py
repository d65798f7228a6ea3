"""The one transaction in which a shadowed request uses a database: begun, put back to what was, and undone.

PostgreSQL: sequences go on, as they do for any transaction that is rolled back; advisory locks of the session are let
go.
SQLite has one writer at a time: while this transaction lasts, writers in earnest wait for it; see `shadow_turns`.
"""

import re
import time
from collections.abc import Callable
from typing import Any

from sqlalchemy import CompoundSelect, Connection, Select, UpdateBase, event
from sqlalchemy.engine import ExceptionContext
from sqlalchemy.exc import DBAPIError, SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection

from chassis.shadow import Outcome, Shadow, ShadowAborted, current_shadow
from strangler_kit.effects import current, unrecorded
from strangler_kit.layouts import Catalogue, is_lock_failure
from strangler_kit.recording import Recorder
from strangler_kit.restoring import NotRestored, restore

LONGEST_MS = 5_000
"""Of one statement, and of a transaction that does nothing (PostgreSQL)."""

_SAVEPOINT = "chassis_shadow"
# For PostgreSQL, in one message with what follows.
_BOUNDS = (
    "SET LOCAL lock_timeout = {lock}; SET LOCAL statement_timeout = {longest};"
    " SET LOCAL idle_in_transaction_session_timeout = {longest}; "
)
# What ends a transaction, at the beginning of a statement or behind another, whatever comments stand before it (those
# of PostgreSQL nest: then one more `*/` is left). `ROLLBACK TO` a savepoint does not.
_ENDS = re.compile(
    r"(?:^|;)(?:\s|--[^\n]*(?:\n|$)|/\*(?s:.*?)\*/|\*/)*+(?:COMMIT|END|ABORT|ROLLBACK(?!\s+(?:WORK\s+|TRANSACTION\s+)?TO\b)|PREPARE\s+TRANSACTION)\b",
    re.IGNORECASE,
)

_BUILT = (Select, CompoundSelect, UpdateBase)
"""Statements that SQLAlchemy writes: none of them ends a transaction. `text` and `DDL` may be anything."""


class PartInOneDatabase:
    """See `chassis.shadow.ShadowTransaction`."""

    def __init__(
        self,
        connection: AsyncConnection,
        recorder: Recorder,
        catalogue: Catalogue,
        *,
        lock_ms: int,
        busy_ms: int,
        over: Callable[[float], None],
    ) -> None:
        """`busy_ms` is how long SQLite waits for locks outside of shadowed requests. `over` is told in the end how many
        seconds it has lasted."""
        self.connection = connection
        self._recorder = recorder
        self._catalogue = catalogue
        self._lock_ms = lock_ms
        self._busy_ms = busy_ms
        self._over = over
        self._ending = False
        self._began = time.perf_counter()
        self.seconds = 0.0

    async def begin(self, shadow: Shadow) -> None:
        """Begin, and put back the rows. Raises `ShadowAborted`."""
        try:
            with unrecorded():
                await self.connection.run_sync(self._begin, shadow)
        except NotRestored as error:
            raise shadow.fail(Outcome.LOCKED, str(error)) from error
        except DBAPIError as error:
            outcome = Outcome.LOCKED if is_lock_failure(error) else Outcome.REFUSED
            raise shadow.fail(outcome, f"the transaction could not begin: {error.orig}") from error

    async def check(self) -> None:
        await self.connection.run_sync(self._catalogue.check_deferred)

    async def settle(self) -> None:
        try:
            await self.connection.run_sync(self._recorder.settle)
        except DBAPIError as error:
            if (recording := current()) is not None:
                recording.give_up(f"what was written cannot be read: {error.orig}")

    async def end(self) -> bool:
        try:
            with unrecorded():
                return await self.connection.run_sync(self._undo)
        finally:
            self._over(self.seconds)
            await self.connection.close()

    def _begin(self, connection: Connection, shadow: Shadow) -> None:
        sqlite = connection.dialect.name == "sqlite"
        if sqlite:
            _set_busy_timeout(connection, self._lock_ms)
        event.listen(connection, "before_cursor_execute", self._refuse_ends)
        connection.begin()
        event.listen(connection, "commit", self._refuse_end)
        self._began = time.perf_counter()
        bounds = "" if sqlite else _BOUNDS.format(lock=self._lock_ms, longest=LONGEST_MS)
        connection.exec_driver_sql(f"{bounds}SAVEPOINT {_SAVEPOINT}")
        restore(connection, shadow.rows, self._catalogue)

    def _undo(self, connection: Connection) -> bool:
        """Whether it is certain that nothing stays: the transaction is the one that was begun, or is dead."""
        self._ending = True
        if connection.invalidated:
            return True
        try:
            unlock = "" if connection.dialect.name == "sqlite" else "; SELECT pg_advisory_unlock_all()"
            connection.exec_driver_sql(f"ROLLBACK TO SAVEPOINT {_SAVEPOINT}{unlock}")
            certain = True
        except SQLAlchemyError as error:
            certain = isinstance(error, DBAPIError) and error.connection_invalidated
        self.seconds = time.perf_counter() - self._began
        if not connection.invalidated:
            connection.rollback()
            connection.connection.rollback()  # what SQLAlchemy may not know of
            if connection.dialect.name == "sqlite":
                _set_busy_timeout(connection, self._busy_ms)
        return certain

    def _refuse_end(self, _connection: Connection) -> None:
        if not self._ending:
            raise _refused("a shadowed request committed by itself")

    def _refuse_ends(
        self, _connection: Connection, _cursor: Any, statement: str, _given: Any, context: Any, _many: Any
    ) -> None:
        built = context.compiled is not None and isinstance(context.compiled.statement, _BUILT)
        if not built and not self._ending and _ENDS.search(statement):
            raise _refused("a shadowed request ended the transaction by SQL")


def note_failures(context: ExceptionContext, catalogue: Catalogue) -> None:
    """For the event of an engine: a request that has failed because of others is not to be compared."""
    shadow, error = current_shadow(), context.sqlalchemy_exception
    if shadow is None or not isinstance(error, DBAPIError):
        return
    if is_lock_failure(error) or catalogue.is_taken_key(error):
        shadow.fail(Outcome.LOCKED, f"others are in its way: {error.orig}")


def _refused(why: str) -> ShadowAborted:
    shadow = current_shadow()
    return ShadowAborted(why) if shadow is None else shadow.fail(Outcome.REFUSED, why)


def _set_busy_timeout(connection: Connection, milliseconds: int) -> None:
    # Past SQLAlchemy, which would begin a transaction for it.
    cursor = connection.connection.cursor()
    cursor.execute(f"PRAGMA busy_timeout={milliseconds}")
    cursor.close()
