"""One shadowed request: run as if in earnest, in one transaction per database, of which nothing stays.

Whatever works for the request finds it through a context variable. What it must not do is refused by `ShadowAborted`,
which no handler takes for an error of its own.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Iterator, Sequence
from contextvars import ContextVar
from enum import StrEnum
from types import TracebackType
from typing import Protocol

from sqlalchemy.ext.asyncio import AsyncConnection

from strangler_kit.effects import Recording, RowChange


class Outcome(StrEnum):
    """What became of it: the value of the header `X-Strangler-Shadowed`."""

    ROLLED_BACK = "rolled-back"
    """It ran, and nothing of it stays."""
    LOCKED = "locked"
    """It would have had to wait for others, or what they wrote is in its way. Nothing stays."""
    REFUSED = "refused"
    """It cannot be shadowed, or it is not certain that nothing stays; the log says why."""


class ShadowAborted(BaseException):
    """Ends the handling of a shadowed request. Not an `Exception`, so that no handler answers in its stead."""


class ShadowTransaction(Protocol):
    """The part of it in one database."""

    connection: AsyncConnection
    seconds: float
    """From its begin to its end."""

    async def check(self) -> None:
        """Raise what a commit would raise now."""

    async def settle(self) -> None:
        """Take down what has been written."""

    async def end(self) -> bool:
        """Undo everything; whether that is certain. Raises nothing but cancellation."""
        ...


class ShadowedDatabase(Protocol):
    """What begins such a part."""

    async def begin_shadow(self, shadow: "Shadow") -> ShadowTransaction:
        """Begin, and put back the rows that the primary has written. Raises `ShadowAborted`."""
        ...


class Shadow:
    """The state of one shadowed request."""

    def __init__(self, rows: Sequence[RowChange], recording: Recording) -> None:
        self.rows = rows
        """As they were before the primary wrote them."""
        self.recording = recording
        self.outcome = Outcome.ROLLED_BACK
        self.why = ""
        self.seconds = 0.0
        """That its transactions lasted."""
        self._over = False
        self._transactions: dict[ShadowedDatabase, ShadowTransaction] = {}
        self._turn = _Turn()

    def fail(self, outcome: Outcome, why: str) -> ShadowAborted:
        """Its answer is not to be compared; the worst that happens counts. Returns what may be raised."""
        if self.outcome is Outcome.ROLLED_BACK or outcome is Outcome.REFUSED:
            self.outcome, self.why = outcome, why
        return ShadowAborted(why)

    @contextlib.asynccontextmanager
    async def transaction(self, database: ShadowedDatabase, *, keep: bool) -> AsyncIterator[AsyncConnection]:
        """What is one transaction in earnest: a savepoint, released (with `keep`) or rolled back at the end.

        Another task waits until this one's is over. One within another, of the same task, sees what that has written.
        """
        async with self._turn:
            found = await self._part(database)
            savepoint = await found.connection.begin_nested()
            try:
                yield found.connection
                if keep:
                    await found.check()
                    await savepoint.commit()
            finally:
                if savepoint.is_active:
                    await savepoint.rollback()

    async def settle(self) -> None:
        """Take down what has been done so far; what comes later is in no report."""
        for part in self._transactions.values():
            await part.settle()

    async def end(self) -> None:
        """Undo everything."""
        self._over = True
        for part in self._transactions.values():
            if not await part.end():
                self.fail(Outcome.REFUSED, "a transaction was not there any more when it was to be rolled back")
            self.seconds += part.seconds

    async def _part(self, database: ShadowedDatabase) -> ShadowTransaction:
        if self._over:
            raise self.fail(Outcome.REFUSED, "a database was used after the shadowed request was over")
        if database not in self._transactions:
            with _opening_a_connection():
                self._transactions[database] = await database.begin_shadow(self)
        return self._transactions[database]


_current: ContextVar[Shadow | None] = ContextVar("chassis.shadow", default=None)
_opening: ContextVar[bool] = ContextVar("chassis.shadow.opening", default=False)


def current_shadow() -> Shadow | None:
    """The shadowed request that this task or thread works for, if there is one; also when that is over already."""
    return _current.get()


@contextlib.contextmanager
def working_for(shadow: Shadow) -> Iterator[None]:
    """Whatever is done within, and the tasks that are begun within, belong to the shadowed request."""
    token = _current.set(shadow)
    try:
        yield
    finally:
        _current.reset(token)


def refuse_connection(*_: object) -> None:
    """For the event of SQLAlchemy's pools: what a shadowed request takes past `chassis.database` would stay."""
    shadow = _current.get()
    if shadow is not None and not _opening.get():
        raise shadow.fail(Outcome.REFUSED, "a shadowed request asked for a database connection of its own")


@contextlib.contextmanager
def _opening_a_connection() -> Iterator[None]:
    token = _opening.set(True)
    try:
        yield
    finally:
        _opening.reset(token)


class _Turn:
    """Lets one task at a time pass, and that one as often as it likes."""

    def __init__(self) -> None:
        self._lock = asyncio.Lock()
        self._owner: asyncio.Task[object] | None = None
        self._depth = 0

    async def __aenter__(self) -> None:
        task = asyncio.current_task()
        if self._owner is not task:
            await self._lock.acquire()
            self._owner = task
        self._depth += 1

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None
    ) -> None:
        self._depth -= 1
        if not self._depth:
            self._owner = None
            self._lock.release()
