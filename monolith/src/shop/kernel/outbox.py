"""Events that are written in the transaction which they tell of, and delivered after it, to each consumer once."""

import json
import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any, ClassVar

from sqlalchemy import String, select
from sqlalchemy.orm import Mapped, mapped_column

from shop.kernel.database import Base, Id
from shop.kernel.unit_of_work import Transactions, UnitOfWork

log = logging.getLogger(__name__)

DISPATCH_LOCK = 0x0B0C
"""Key of the PostgreSQL advisory lock under which dispatchers take turns: events of one aggregate keep their order."""
BATCH = 50


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened. Subclasses add JSON-ready fields; events of one `aggregate` are delivered in order."""

    topic: ClassVar[str]

    @property
    def aggregate(self) -> str:
        raise NotImplementedError


class OutboxMessage(Base):
    __tablename__ = "outbox_messages"
    __table_args__ = {"sqlite_autoincrement": True}  # noqa: RUF012 - SQLAlchemy reads it as a class attribute

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    topic: Mapped[str] = mapped_column(String(64))
    aggregate: Mapped[str] = mapped_column(String(64))
    payload: Mapped[str]
    occurred_at: Mapped[datetime]
    dispatched_at: Mapped[datetime | None] = mapped_column(index=True)

    @property
    def data(self) -> dict[str, Any]:
        return json.loads(self.payload)


class InboxMessage(Base):
    """That a consumer has handled a message: what makes a second delivery harmless."""

    __tablename__ = "inbox_messages"

    consumer: Mapped[str] = mapped_column(String(64), primary_key=True)
    message_id: Mapped[int] = mapped_column(Id, primary_key=True, autoincrement=False)
    handled_at: Mapped[datetime]


@dataclass(frozen=True, slots=True)
class Consumer:
    """Who wants which topics. A handler writes through the unit of work that it is given, and nowhere else."""

    name: str
    handlers: Mapping[str, Callable[[UnitOfWork, OutboxMessage], None]]


def publish(work: UnitOfWork, event: Event) -> None:
    """Write `event` into the outbox, in the transaction of `work`."""
    work.session.add(
        OutboxMessage(
            topic=event.topic, aggregate=event.aggregate, payload=json.dumps(asdict(event)), occurred_at=work.now
        )
    )
    work.published = True


def dispatch(transactions: Transactions, consumers: Sequence[Consumer]) -> int:
    """Deliver everything that is waiting; returns the number of messages delivered.

    A message that a consumer cannot handle stays, and so do the later ones of its aggregate; the others go on.
    """
    delivered, blocked = 0, set[str]()
    last = 0
    while True:
        with transactions.writing(lock=DISPATCH_LOCK) as work:
            pending = select(OutboxMessage).where(OutboxMessage.dispatched_at.is_(None), OutboxMessage.id > last)
            batch = work.session.scalars(pending.order_by(OutboxMessage.id).limit(BATCH)).all()
            for message in batch:
                last = message.id
                if message.aggregate in blocked or not _deliver(work, message, consumers):
                    blocked.add(message.aggregate)
                    continue
                message.dispatched_at = work.now
                delivered += 1
        if len(batch) < BATCH:
            return delivered


def _deliver(work: UnitOfWork, message: OutboxMessage, consumers: Sequence[Consumer]) -> bool:
    """Hand the message to every consumer that has not had it. False when one of them failed."""
    complete = True
    for consumer in consumers:
        handler = consumer.handlers.get(message.topic)
        if handler is None or work.session.get(InboxMessage, (consumer.name, message.id)) is not None:
            continue
        try:
            with work.session.begin_nested():
                handler(work, message)
                work.session.add(InboxMessage(consumer=consumer.name, message_id=message.id, handled_at=work.now))
        except Exception:
            log.exception("%s could not handle message %d (%s)", consumer.name, message.id, message.topic)
            complete = False
    return complete
