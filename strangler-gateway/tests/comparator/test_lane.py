"""Questions in their order: so many at a time, none after it has waited too long, none for ever in front of others."""

import asyncio

from strangler.comparator.allowance import Allowance
from strangler.comparator.lane import Lane
from strangler.comparator.room import Room
from support.asker import run, until


class Work:
    """Notes what is begun, and ends it when it is told to."""

    def __init__(self) -> None:
        self.begun: list[str] = []
        self.stale: set[str] = set()
        self.gone: list[str] = []
        self._ends: dict[str, asyncio.Event] = {}

    async def do(self, item: str) -> None:
        self.begun.append(item)
        self._ends[item] = asyncio.Event()
        await self._ends[item].wait()

    def is_stale(self, item: str) -> bool:
        if item not in self.stale:
            return False
        self.gone.append(item)
        return True

    def end(self, item: str) -> None:
        self._ends[item].set()


def test_so_many_at_a_time_and_then_the_next_in_its_order() -> None:
    async def test() -> None:
        work = Work()
        lane = Lane(work.do, work.is_stale, at_a_time=2)
        for item in "abcd":
            lane.add(item)
        await until(lambda: work.begun == ["a", "b"])
        work.end("b")
        await until(lambda: work.begun == ["a", "b", "c"])
        for item in "acd":
            await until(lambda item=item: item in work.begun)
            work.end(item)
        await until(lambda: lane.is_empty)

    run(test)


def test_what_has_waited_too_long_is_not_begun_with() -> None:
    async def test() -> None:
        work = Work()
        lane = Lane(work.do, work.is_stale, at_a_time=1)
        for item in "abc":
            lane.add(item)
        await until(lambda: work.begun == ["a"])
        work.stale.add("b")
        work.end("a")
        await until(lambda: work.begun == ["a", "c"])
        assert work.gone == ["b"]
        work.end("c")
        await until(lambda: lane.is_empty)

    run(test)


def test_a_sweep_lets_go_behind_questions_that_do_not_end() -> None:
    async def test() -> None:
        work = Work()
        lane = Lane(work.do, work.is_stale, at_a_time=1)
        for item in "abc":
            lane.add(item)
        await until(lambda: work.begun == ["a"])
        work.stale |= {"b", "c"}
        lane.sweep()
        assert work.gone == ["b", "c"]
        work.end("a")
        await until(lambda: lane.is_empty)
        assert work.begun == ["a"]

    run(test)


def test_there_is_no_room_until_one_has_ended() -> None:
    async def test() -> None:
        for room, size in ((Room(2, 1000), 1), (Room(100, 10), 5)):
            room.take(size)
            await room.until_free()
            room.take(size)
            waiting = asyncio.ensure_future(room.until_free())
            await asyncio.sleep(0)
            assert not waiting.done()
            room.give_back(size)
            await waiting
            assert (room.exchanges, room.bytes) == (1, size)

    run(test)


def test_what_is_allowed_is_a_second_of_it_at_once_and_then_its_rate() -> None:
    allowance = Allowance(10.0)
    assert [allowance.spend(100.0) for _ in range(12)] == [True] * 10 + [False] * 2
    assert not allowance.spend(100.05)
    assert allowance.spend(100.2)
    assert sum(allowance.spend(200 + n / 1000) for n in range(1000)) == 19  # Ten that were saved, nine of this second.


def test_a_rate_below_one_allows_one_at_the_beginning() -> None:
    allowance = Allowance(0.5)
    assert [allowance.spend(second) for second in (10.0, 11.0, 12.1, 13.0, 14.2)] == [True, False, True, False, True]


def test_more_may_be_allowed_at_once_than_for_long() -> None:
    allowance = Allowance(10.0, at_once=30.0)
    assert sum(allowance.spend(100.0) for _ in range(50)) == 30
    assert sum(allowance.spend(100 + n / 1000) for n in range(1, 1001)) == 10
