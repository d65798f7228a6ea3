"""The sum: each request of a shadowed route is under one heading or still waits, whoever dies in the middle."""

import asyncio
import time
from dataclasses import replace
from pathlib import Path

import pytest

from strangler.comparator.comparator import Comparator
from strangler.ledger.ledger import Ledger, LedgerUnavailable, fingerprint_of
from strangler.model.messages import BeginRun, RunBegun
from strangler.model.shadow import Comparing, Heading, Shadow
from support.asker import until

from .mirroring import mirrored
from .whole import ROUTE, House, comparing, living


def test_what_workers_skip_and_what_is_compared_add_up(tmp_path: Path) -> None:
    async def test(house: House) -> None:
        one, other = await house.worker(), await house.worker()
        one.mirror(*[mirrored()] * 7)
        other.skip(Heading.NOT_SAMPLED, 5)
        other.mirror(mirrored())
        one.skip(Heading.UNSAFE, 3)
        record = await house.settled(16)
        assert record.headings == {Heading.EQUIVALENT: 8, Heading.NOT_SAMPLED: 5, Heading.UNSAFE: 3}

    comparing(tmp_path, test)


def test_what_has_not_ended_is_pending(tmp_path: Path) -> None:
    async def test(house: House) -> None:
        worker = await house.worker()
        worker.mirror(*[mirrored()] * 4)
        await until(lambda: (record := house.record()) is not None and record.requests == 4)
        record = house.record()
        assert record is not None
        assert record.pending == 4
        assert not record.headings

    comparing(tmp_path, test, candidate=lambda *_: None, shadow=Shadow(timeout=60.0))


def test_what_was_in_a_comparator_that_died_is_lost_and_nothing_else(tmp_path: Path) -> None:
    """Its successor has the file, and each worker's account when that connects again."""

    async def test(house: House) -> None:
        worker = await house.worker()
        worker.mirror(*[mirrored()] * 4)
        await house.settled(4)
        house.candidate.answering = lambda *_: None
        worker.mirror(*[mirrored()] * 3)
        await until(lambda: (record := house.record()) is not None and record.pending == 3)
        successor = Comparator(tmp_path)
        async with living(successor):
            successor.adopt(house.snapshot())
            record = house.record()
            assert record is not None
            assert record.headings == {Heading.EQUIVALENT: 4, Heading.LOST: 3}
            worker.requests += 2
            worker.sent += 2  # Written to the old one, and never read by it.
            house.candidate.answering = lambda *_: b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"
            await worker.connect()
            worker.mirror(mirrored(content=b"{}", answer=b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n"))
            record = await house.settled(10)
            assert record.headings == {Heading.EQUIVALENT: 5, Heading.LOST: 5}
            worker.leave()

    comparing(tmp_path, test, shadow=Shadow(noise=0.0, timeout=60.0))


def test_at_the_end_the_ledger_is_written_before_a_recording_is_waited_for(tmp_path: Path) -> None:
    """The supervisor waits for neither for ever, and of the two the ledger is what a sum rests on."""
    pending: list[int] = []

    async def test(house: House) -> None:
        worker = await house.worker()
        house.candidate.goes_on.clear()
        worker.mirror(mirrored())
        await until(lambda: (record := house.record()) is not None and record.pending == 1)

        def look() -> None:
            deadline = time.monotonic() + 5
            while house.record().pending and time.monotonic() < deadline:  # type: ignore[union-attr]
                time.sleep(0.01)
            pending.append(house.record().pending)  # type: ignore[union-attr]

        house.comparator.recorder._thread.submit(look)
        worker.leave()

    comparing(tmp_path, test, shadow=Shadow(timeout=60.0))
    assert pending == [0]


def test_a_worker_that_connects_again_to_the_same_comparator_loses_only_what_was_not_read(tmp_path: Path) -> None:
    async def test(house: House) -> None:
        worker = await house.worker()
        worker.mirror(*[mirrored()] * 4)
        await house.settled(4)
        worker.requests += 2
        worker.sent += 2  # In a frame of which only a part came through.
        await worker.connect()
        worker.mirror(mirrored())
        record = await house.settled(7)
        assert record.headings == {Heading.EQUIVALENT: 5, Heading.LOST: 2}

    comparing(tmp_path, test)


def test_a_new_run_begins_where_it_is_told_to_and_the_old_can_still_be_read(tmp_path: Path) -> None:
    said: list[RunBegun] = []

    async def test(house: House) -> None:
        house.comparator.answer = said.append
        worker = await house.worker()
        worker.mirror(*[mirrored()] * 4)
        await house.settled(4)
        house.comparator.begin_run(BeginRun(ROUTE, "maria", "the service was mended"))
        await until(lambda: bool(said))
        assert said == [RunBegun(ROUTE)]
        worker.mirror(*[mirrored()] * 3)
        record = await house.settled(3)
        assert (record.number, record.reason, record.evidence.compared) == (2, "the service was mended", 3)
        old = house.record(number=1)
        assert old is not None
        assert (old.requests, old.headings) == (4, {Heading.EQUIVALENT: 4})

    comparing(tmp_path, test)


def test_an_exchange_ends_in_the_run_in_which_it_was_received(tmp_path: Path) -> None:
    answers = asyncio.Event()

    async def test(house: House) -> None:
        worker = await house.worker()
        worker.mirror(*[mirrored()] * 2)
        await until(lambda: len(house.candidate.asked) == 2)
        house.comparator.begin_run(BeginRun(ROUTE, "maria", "again"))
        await until(lambda: (record := house.record()) is not None and record.number == 2)
        await until(lambda: (old := house.record(number=1)) is not None and not old.pending)
        old = house.record(number=1)
        assert old is not None
        assert old.headings == {Heading.CANDIDATE_TIMEOUT: 2}
        assert (await house.settled(0)).headings == {}

    comparing(tmp_path, test, candidate=lambda *_: None, shadow=Shadow(timeout=0.5))
    assert not answers.is_set()


def test_other_rules_of_comparing_begin_a_new_run(tmp_path: Path) -> None:
    async def test(house: House) -> None:
        worker = await house.worker()
        worker.mirror(mirrored())
        await house.settled(1)
        house.comparator.adopt(house.snapshot(2, shadow=Shadow(noise=0.0, rate=7.0)))
        worker.mirror(mirrored())
        assert (await house.settled(2)).number == 1, "how often is asked does not change what was found"
        house.comparator.adopt(house.snapshot(3, shadow=Shadow(noise=0.0, comparing=Comparing(headers=()))))
        worker.mirror(mirrored())
        assert (await house.settled(1)).number == 2

    comparing(tmp_path, test)


def test_a_route_is_counted_by_its_own_rules_from_the_first_exchange_on_whatever_its_flag_says(tmp_path: Path) -> None:
    own = Comparing(headers=("x-own",))

    async def test(house: House) -> None:
        shadowed = house.snapshot(1, shadow=Shadow(noise=0.0, comparing=own))
        house.comparator.adopt(replace(shadowed, flags=()))
        worker = await house.worker()
        worker.mirror(mirrored())
        record = await house.settled(1)
        assert (record.number, record.fingerprint) == (1, fingerprint_of(own))

    comparing(tmp_path, test, adopted=False)


def test_more_than_there_is_room_for_comes_in_as_room_is_made(tmp_path: Path) -> None:
    async def test(house: House) -> None:
        house.comparator._room._most = 10
        worker = await house.worker()
        for _ in range(40):
            worker.mirror(*[mirrored()] * 5)
        record = await house.settled(200)
        assert record.headings == {Heading.EQUIVALENT: 200}

    comparing(tmp_path, test, shadow=Shadow(rate=1000.0, noise=0.0))


def test_a_route_of_which_nothing_is_known_has_no_run_to_begin_anew(tmp_path: Path) -> None:
    said: list[RunBegun] = []

    async def test(house: House) -> None:
        house.comparator.answer = said.append
        house.comparator.begin_run(BeginRun("nobody", "maria", "again"))
        await until(lambda: bool(said))
        assert "«nobody»" in said[0].error

    comparing(tmp_path, test)


def test_a_disk_that_does_not_take_it_is_waited_for_and_nothing_is_forgotten(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    flush, full = Ledger.flush, asyncio.Event()

    def flushing(ledger: Ledger, at: float) -> None:
        if full.is_set():
            raise LedgerUnavailable("the disk is full")
        flush(ledger, at)

    monkeypatch.setattr(Ledger, "flush", flushing)

    async def test(house: House) -> None:
        worker = await house.worker()
        worker.mirror(mirrored())
        await house.settled(1)
        full.set()
        worker.mirror(*[mirrored()] * 5)
        await until(lambda: "the disk is full" in caplog.text)
        full.clear()
        assert (await house.settled(6)).headings == {Heading.EQUIVALENT: 6}

    comparing(tmp_path, test)
    assert caplog.text.count("the disk is full") == 1


def test_at_the_end_what_has_begun_is_finished_and_what_takes_too_long_is_lost(tmp_path: Path) -> None:
    async def test(house: House) -> None:
        async with living(house.comparator):
            house.comparator.adopt(house.snapshot())
            worker = await house.worker()
            worker.mirror(*[mirrored()] * 3)
            await until(lambda: len(house.candidate.asked) == 3)
            house.candidate.answering = lambda *_: None
            worker.mirror(mirrored())
            await until(lambda: len(house.candidate.asked) == 4)
            worker.leave()
        record = house.record()
        assert record is not None
        assert record.headings == {Heading.EQUIVALENT: 3, Heading.LOST: 1}
        assert record.pending == 0

    comparing(tmp_path, test, open_=False)
