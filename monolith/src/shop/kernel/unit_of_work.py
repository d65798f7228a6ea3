"""One business transaction: a session, one moment in time, and what happens after it has been committed."""

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy.orm import Session

from shop.kernel.clock import Clock
from shop.kernel.database import Database
from strangler_kit.effects import unrecorded

log = logging.getLogger(__name__)


@dataclass(slots=True)
class UnitOfWork:
    """What a use case works with. `now` is one moment for the whole transaction."""

    session: Session
    now: datetime
    published: bool = field(default=False)
    """Whether events wait in the outbox; set by `outbox.publish`."""


class Transactions:
    """Opens units of work. What they load stays readable after the commit, detached."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self.database = database
        self.clock = clock
        self.after_publishing: Callable[[], object] = lambda: None
        """Called after the commit of a transaction that published events."""

    @contextmanager
    def reading(self) -> Iterator[UnitOfWork]:
        """A transaction that only reads; it is rolled back at the end."""
        with Session(self.database.reader, expire_on_commit=False, autoflush=False) as session:
            yield UnitOfWork(session, self.clock())

    @contextmanager
    def writing(self, *, lock: int | None = None) -> Iterator[UnitOfWork]:
        """A transaction that commits at the end, or rolls back when an exception leaves it.

        `lock` names a queue: transactions with the same number run one after another.
        """
        with Session(self.database.writer, expire_on_commit=False) as session, session.begin():
            if lock is not None:
                self.database.lock_until_commit(session.connection(), lock)
            work = UnitOfWork(session, self.clock())
            yield work
        if work.published:
            self._notify()

    def _notify(self) -> None:
        # The transaction has been committed: whatever fails now must not make the caller believe otherwise. The
        # events are safe in the outbox, and the worker delivers them.
        try:
            with unrecorded():  # what consumers write is no effect of the request that happens to deliver to them
                self.after_publishing()
        except Exception:
            log.exception("events were left in the outbox")
