"""Recordings in the comparator: bounded in number, bytes and memory, whole lines only, and their end is told."""

import asyncio
import os
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from strangler.comparator import recorder as recorder_module
from strangler.comparator.recorder import Recorder
from strangler.comparator.tape import FOLDER, Tape
from strangler.model.messages import RecordingState
from strangler.model.recording import Recording
from strangler.shadow.recording import Recorded, read_exchange
from support.asker import run, until

from .mirroring import mirrored

FAR = 1e12
ROUTE = "products-get"


def recording(
    name: str = "a1", count: int = 3, size: int = 1 << 20, until: float = FAR, route: str = ROUTE
) -> Recording:
    return Recording(name, route, count, size, until)


def kept(state: Path, name: str = "a1") -> list[Recorded]:
    lines = (state / FOLDER / f"{name}.jsonl").read_bytes().splitlines(keepends=True)
    assert all(line.endswith(b"\n") for line in lines)
    return [read_exchange(line, number) for number, line in enumerate(lines, 1)]


def with_recorder(state: Path, scene: Callable[[Recorder, list[RecordingState]], Awaitable[None]]) -> None:
    async def play() -> None:
        told: list[RecordingState] = []
        recorder = Recorder(state, told.append)
        try:
            await scene(recorder, told)
        finally:
            recorder.close()

    run(play)


async def ended(recorder: Recorder, told: list[RecordingState], now: float = 0.0) -> RecordingState:
    def is_over() -> bool:
        recorder.tick(now)
        return bool(told) and told[-1].ended

    await until(is_over)
    return told[-1]


def test_so_many_are_kept_and_then_the_end_is_told(tmp_path: Path) -> None:
    async def scene(recorder: Recorder, told: list[RecordingState]) -> None:
        recorder.adopt((recording(count=3),))
        await asyncio.sleep(0)
        for number in range(5):
            recorder.take(mirrored(target=b"/api/products/%d" % number))
        state = await ended(recorder, told)
        assert (state.id, state.exchanges, state.dropped, state.error) == ("a1", 3, 0, "")
        assert state.size == (tmp_path / FOLDER / "a1.jsonl").stat().st_size

    with_recorder(tmp_path, scene)
    assert [each.question.target for each in kept(tmp_path)] == [b"/api/products/%d" % number for number in range(3)]


def test_only_its_own_route_is_kept(tmp_path: Path) -> None:
    async def scene(recorder: Recorder, told: list[RecordingState]) -> None:
        recorder.adopt((recording("a1", 1), recording("b2", 1, route="orders")))
        recorder.take(mirrored(route="search"))
        recorder.take(mirrored(route="orders", target=b"/api/orders"))
        recorder.take(mirrored())
        await until(lambda: recorder.tick(0.0) or sum(state.ended for state in told) == 2)

    with_recorder(tmp_path, scene)
    assert [each.question.target for each in kept(tmp_path, "b2")] == [b"/api/orders"]


def test_so_many_bytes_are_kept_in_whole_lines(tmp_path: Path) -> None:
    async def scene(recorder: Recorder, told: list[RecordingState]) -> None:
        recorder.adopt((recording(count=100, size=2000),))
        for _ in range(20):
            recorder.take(mirrored())
        state = await ended(recorder, told)
        assert 0 < state.size <= 2000
        assert 0 < state.exchanges < 20

    with_recorder(tmp_path, scene)
    assert kept(tmp_path)


def test_it_ends_by_time_and_when_it_is_not_wanted_any_more(tmp_path: Path) -> None:
    async def scene(recorder: Recorder, told: list[RecordingState]) -> None:
        recorder.adopt((recording("a1", until=100.0),))
        recorder.take(mirrored())
        recorder.tick(99.0)
        assert not [state for state in told if state.ended]
        assert (await ended(recorder, told, now=100.0)).exchanges == 1
        told.clear()
        recorder.adopt((recording("b2"),))
        recorder.take(mirrored())
        recorder.adopt(())
        recorder.take(mirrored())
        assert (await ended(recorder, told)).exchanges == 1, "what was taken before is written"

    with_recorder(tmp_path, scene)


def test_a_comparator_that_was_started_again_goes_on_behind_the_last_whole_line(tmp_path: Path) -> None:
    async def scene(recorder: Recorder, told: list[RecordingState]) -> None:
        recorder.adopt((recording(count=3),))
        for _ in range(5):
            recorder.take(mirrored())
        assert (await ended(recorder, told)).exchanges == 3

    async def first(recorder: Recorder, told: list[RecordingState]) -> None:
        recorder.adopt((recording(count=3),))
        recorder.take(mirrored(target=b"/api/products/1"))

    with_recorder(tmp_path, first)
    file = tmp_path / FOLDER / "a1.jsonl"
    with file.open("ab") as lines:
        lines.write(b'{"at":1,"meth')  # It was killed in the middle of a line.
    with_recorder(tmp_path, scene)
    assert [each.question.target for each in kept(tmp_path)] == [b"/api/products/1", *[b"/api/products/7"] * 2]


def test_nobody_else_may_read_it(tmp_path: Path) -> None:
    async def scene(recorder: Recorder, told: list[RecordingState]) -> None:
        recorder.adopt((recording(),))
        recorder.take(mirrored())

    with_recorder(tmp_path, scene)
    assert (tmp_path / FOLDER).stat().st_mode & 0o777 == 0o700
    assert (tmp_path / FOLDER / "a1.jsonl").stat().st_mode & 0o777 == 0o600


def test_what_comes_faster_than_it_can_be_written_is_dropped_and_counted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recorder_module, "WAITING", 2)

    async def scene(recorder: Recorder, told: list[RecordingState]) -> None:
        recorder.adopt((recording(count=10),))
        for _ in range(5):  # The thread's answers come in a later turn of the event loop.
            recorder.take(mirrored())
        recorder.adopt(())
        state = await ended(recorder, told)
        assert (state.exchanges, state.dropped) == (2, 3)

    with_recorder(tmp_path, scene)


def test_a_disk_that_takes_nothing_ends_it_and_says_so(tmp_path: Path) -> None:
    (tmp_path / FOLDER).write_bytes(b"")  # A file where the folder should be.

    async def scene(recorder: Recorder, told: list[RecordingState]) -> None:
        recorder.adopt((recording(),))
        recorder.take(mirrored())
        state = await ended(recorder, told)
        assert (state.exchanges, "cannot be written" in state.error) == (0, True)

    with_recorder(tmp_path, scene)


def test_half_a_line_is_taken_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tape = Tape(recording(count=5), tmp_path / FOLDER)
    tape.open()
    tape.write(mirrored())
    write = os.write
    monkeypatch.setattr(os, "write", lambda file, data: write(file, data[:10]))
    tape.write(mirrored())
    monkeypatch.undo()
    assert (tape.is_done, tape.state().exchanges, "no space" in tape.state().error) == (True, 1, True)
    tape.close()
    assert len(kept(tmp_path)) == 1
