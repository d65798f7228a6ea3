"""Doing a thing once for a key that the caller chose, however often the request arrives."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Generic, TypeVar

from pydantic import BaseModel
from sqlalchemy import String, Text
from sqlalchemy.orm import Mapped, mapped_column

from shop.kernel.database import Base, Id, insert_or
from shop.kernel.errors import IdempotencyKeyReused
from shop.kernel.unit_of_work import UnitOfWork

A = TypeVar("A", bound=BaseModel)


class IdempotencyKey(Base):
    """A key that has been used, what for, and what was answered."""

    __tablename__ = "idempotency_keys"

    scope: Mapped[str] = mapped_column(String(64), primary_key=True)
    caller_id: Mapped[int] = mapped_column(Id, primary_key=True, autoincrement=False)
    key: Mapped[str] = mapped_column(String(255), primary_key=True)
    fingerprint: Mapped[str] = mapped_column(String(64))
    answer: Mapped[str] = mapped_column(Text)
    created_at: Mapped[datetime]


@dataclass(frozen=True, slots=True)
class Outcome(Generic[A]):
    """What is answered, and whether it was answered before."""

    answer: A
    replayed: bool


@dataclass(frozen=True, slots=True)
class Attempt:
    """One request under a key. `scope` names the endpoint, and what it is about."""

    scope: str
    caller_id: int
    key: str
    body: BaseModel

    @property
    def fingerprint(self) -> str:
        return hashlib.sha256(self.body.model_dump_json().encode()).hexdigest()


def once(work: UnitOfWork, attempt: Attempt, answer_model: type[A], act: Callable[[], A]) -> Outcome[A]:
    """Run `act`, or answer what it answered the first time.

    The key is taken by an insert in the same transaction: of two requests at once the second waits for the first, and
    a failure gives the key back. Raises IdempotencyKeyReused when the key came with another body.
    """
    identity = (attempt.scope, attempt.caller_id, attempt.key)
    taken = insert_or(work.session, IdempotencyKey).values(
        scope=attempt.scope,
        caller_id=attempt.caller_id,
        key=attempt.key,
        fingerprint=attempt.fingerprint,
        answer="",
        created_at=work.now,
    )
    first = work.session.scalar(taken.on_conflict_do_nothing().returning(IdempotencyKey.key)) is not None
    kept = work.session.get_one(IdempotencyKey, identity)
    if first:
        answer = act()
        kept.answer = answer.model_dump_json()
        return Outcome(answer, replayed=False)
    if kept.fingerprint != attempt.fingerprint:
        raise IdempotencyKeyReused
    return Outcome(answer_model.model_validate_json(kept.answer), replayed=True)
