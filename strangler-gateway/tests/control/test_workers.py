"""Who counts as having a revision, and who is missing."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, cast

import pytest

from strangler.control.workers import Settlement, Worker, Workers
from strangler.link.stream import Link
from strangler.model.messages import Ack

NO_LINK = cast("Link", None)


def settle(*workers: Worker, expected: set[int] | None, then: Callable[[Workers], Any] | None = None) -> Settlement:
    """Wait 0.2 s for revision 7 with these workers connected; ``then`` happens a moment after the wait began."""

    async def run() -> Settlement:
        everyone = Workers()
        for worker in workers:
            everyone.join(worker)
        if expected is not None:
            everyone.expect(expected)
        if then is not None:
            asyncio.get_running_loop().call_later(0.05, then, everyone)
        return await everyone.settle(7, 0.2)

    return asyncio.run(run())


def worker(slot: int, acknowledged: int, pid: int = 1) -> Worker:
    return Worker(slot, pid, NO_LINK, acknowledged)


def outcome(settlement: Settlement) -> tuple[tuple[int, ...], tuple[int, ...]]:
    return settlement.acknowledged, settlement.missing


def test_all_that_are_expected_have_it() -> None:
    settlement = settle(worker(0, 7), worker(1, 8), expected={0, 1})
    assert outcome(settlement) == ((0, 1), ())
    assert settlement.seconds < 0.1


def test_one_that_is_behind_is_missing() -> None:
    settlement = settle(worker(0, 7), worker(1, 6), expected={0, 1})
    assert outcome(settlement) == ((0,), (1,))
    assert settlement.seconds >= 0.2


def test_a_slot_without_a_worker_is_missing() -> None:
    assert outcome(settle(worker(0, 7), expected={0, 1})) == ((0,), (1,))


def test_an_old_worker_that_still_drains_must_have_it_too() -> None:
    assert outcome(settle(worker(0, 7), worker(0, 6, pid=2), expected={0})) == ((), (0,))


def test_a_worker_that_nobody_expected_must_have_it_too() -> None:
    assert outcome(settle(worker(0, 7), worker(5, 6), expected={0})) == ((0,), (5,))


def test_before_the_supervisor_has_said_who_should_be_there_the_wait_goes_on() -> None:
    settlement = settle(worker(0, 7), expected=None)
    assert outcome(settlement) == ((0,), ())
    assert settlement.seconds >= 0.2


def test_a_refusal_is_no_acknowledgement_and_is_told() -> None:
    late = worker(1, 6)
    settlement = settle(
        worker(0, 7), late, expected={0, 1}, then=lambda all_of_them: all_of_them.acknowledge(late, Ack(7, "too odd"))
    )
    assert outcome(settlement) == ((0,), (1,))
    assert settlement.refusals == ("worker 1 did not take the snapshot: too odd",)


@pytest.mark.parametrize(
    "then",
    [
        lambda everyone: everyone.acknowledge(everyone.connected[1], Ack(7)),
        lambda everyone: everyone.leave(everyone.connected[1]) or everyone.join(worker(1, 7, pid=2)),
        lambda everyone: everyone.leave(everyone.connected[1]) or everyone.expect({0}),
    ],
    ids=["it acknowledges", "it is replaced", "it is no longer expected"],
)
def test_the_wait_ends_as_soon_as_nobody_is_missing(then: Callable[[Workers], Awaitable[None]]) -> None:
    settlement = settle(worker(0, 7), worker(1, 6), expected={0, 1}, then=then)
    assert settlement.missing == ()
    assert settlement.seconds < 0.15
