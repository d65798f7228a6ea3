"""Events are delivered after the commit, to each consumer once, and in order within an aggregate."""

from dataclasses import dataclass
from typing import ClassVar

import pytest
from sqlalchemy import func, select

from shop.application import Shop
from shop.kernel.outbox import Consumer, Event, OutboxMessage, dispatch, publish
from shop.kernel.unit_of_work import UnitOfWork


@dataclass(frozen=True, slots=True)
class Happened(Event):
    topic: ClassVar[str] = "test.happened"
    name: str
    of: str

    @property
    def aggregate(self) -> str:
        return self.of


class Recorder:
    """A consumer that notes what it gets, and fails for the names that it dislikes."""

    def __init__(self, *dislikes: str) -> None:
        self.dislikes = set(dislikes)
        self.seen: list[str] = []

    def handle(self, _work: UnitOfWork, message: OutboxMessage) -> None:
        if message.data["name"] in self.dislikes:
            raise ValueError(message.data["name"])
        self.seen.append(message.data["name"])

    def consumer(self, name: str = "recorder") -> Consumer:
        return Consumer(name, {Happened.topic: self.handle})


def tell(shop: Shop, *names: str) -> None:
    shop.transactions.after_publishing = lambda: None
    with shop.transactions.writing() as work:
        for name in names:
            publish(work, Happened(name, of=name[0]))


def waiting(shop: Shop) -> int:
    with shop.transactions.reading() as work:
        query = select(func.count()).select_from(OutboxMessage).where(OutboxMessage.dispatched_at.is_(None))
        return work.session.scalar(query) or 0


def test_a_message_is_delivered_once(shop: Shop) -> None:
    recorder = Recorder()
    tell(shop, "a1", "b1", "a2")
    assert dispatch(shop.transactions, [recorder.consumer()]) == 3
    assert dispatch(shop.transactions, [recorder.consumer()]) == 0
    assert recorder.seen == ["a1", "b1", "a2"]


def test_nothing_is_delivered_of_a_transaction_that_rolled_back(shop: Shop) -> None:
    recorder = Recorder()

    def publish_and_fail() -> None:
        with shop.transactions.writing() as work:
            publish(work, Happened("a1", of="a"))
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        publish_and_fail()
    assert dispatch(shop.transactions, [recorder.consumer()]) == 0


def test_a_failure_holds_back_its_aggregate_and_no_other(shop: Shop) -> None:
    recorder = Recorder("a1")
    tell(shop, "a1", "b1", "a2", "b2")
    assert dispatch(shop.transactions, [recorder.consumer()]) == 2
    assert recorder.seen == ["b1", "b2"]
    recorder.dislikes.clear()
    assert dispatch(shop.transactions, [recorder.consumer()]) == 2
    assert recorder.seen == ["b1", "b2", "a1", "a2"]


def test_a_consumer_that_succeeded_is_not_asked_again_when_another_failed(shop: Shop) -> None:
    steady, shaky = Recorder(), Recorder("a1")
    consumers = [steady.consumer("steady"), shaky.consumer("shaky")]
    tell(shop, "a1")
    assert dispatch(shop.transactions, consumers) == 0
    assert waiting(shop) == 1
    shaky.dislikes.clear()
    assert dispatch(shop.transactions, consumers) == 1
    assert steady.seen == shaky.seen == ["a1"]


def test_a_failing_delivery_does_not_undo_what_was_committed(shop: Shop) -> None:
    def fail() -> None:
        raise ConnectionError

    shop.transactions.after_publishing = fail
    with shop.transactions.writing() as work:
        publish(work, Happened("a1", of="a"))
    assert waiting(shop) == 1


def test_many_messages_are_delivered_in_one_go(shop: Shop) -> None:
    recorder = Recorder()
    tell(shop, *(f"{number % 7}-{number}" for number in range(130)))
    assert dispatch(shop.transactions, [recorder.consumer()]) == 130
    assert len(set(recorder.seen)) == 130
