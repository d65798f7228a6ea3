"""Recordings as control has them: who may begin one, when it is over, and what is left of it."""

import asyncio
from collections.abc import Coroutine
from pathlib import Path
from typing import Any, Self

import pytest

from strangler.control import recordings as recordings_module
from strangler.control.comparator_line import ComparatorLost
from strangler.control.recordings import FOLDER, KEPT, RecordingRefused, Recordings, UnknownRecording
from strangler.control.targets import UnknownTarget
from strangler.model.messages import Message, RecordingState
from strangler.model.recording import Recording
from strangler.model.route import Route, RouteMatch
from strangler.model.shadow import Redaction, Shadow
from strangler.model.snapshot import Gateway, Snapshot

REDACTION = Redaction(query=("q",))
ROUTES = (
    Route("products-get", RouteMatch("/p"), "m", "g", "monolith", shadow=Shadow(redaction=REDACTION)),
    Route("orders", RouteMatch("/o"), "m", "g", "monolith"),
)
SNAPSHOT = Snapshot(1, "", Gateway(), (), ROUTES)


class Workers:
    def __init__(self) -> None:
        self.told: list[Message] = []

    def broadcast(self, message: Message) -> None:
        self.told.append(message)


class Line:
    connected = True

    async def wait(self) -> None:
        if not self.connected:
            raise ComparatorLost("nobody is there")


class Writing:
    def __init__(self, changes: list[Any]) -> None:
        self._changes = changes

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def record(self, changes: list[Any]) -> None:
        self._changes += changes


class Rig:
    """Control's part, with nobody at the other ends."""

    def __init__(self, folder: Path) -> None:
        self.workers, self.line, self.changes = Workers(), Line(), []
        self.now = 1000.0
        self.writing = lambda: Writing(self.changes)
        self.all = Recordings(folder, self.workers, lambda: self.line, self, lambda: self.now)  # type: ignore[arg-type]

    async def begin(self, route: str = "products-get", **more: Any) -> Recording:
        how = {"count": 5, "size": 1000, "seconds": 60.0, "author": "maria", "reason": "a test", **more}
        return (await self.all.begin(SNAPSHOT, route, **how)).recording

    def pushed(self) -> list[str]:
        """The routes that are recorded, as workers were told last."""
        return [each.route for each in self.workers.told[-1].recordings]  # type: ignore[union-attr]

    def hear(self, recording: Recording, exchanges: int = 1, *, ended: bool = False) -> None:
        self.all.hear(RecordingState(recording.id, exchanges, 100, 0, ended))


def play(scene: Coroutine[Any, Any, None]) -> None:
    asyncio.run(scene)


@pytest.fixture
def rig(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Rig:
    monkeypatch.setattr(recordings_module, "LINGER", 0.0)
    return Rig(tmp_path)


def test_one_that_begins_is_told_to_all_and_stands_in_the_history(rig: Rig) -> None:
    async def scene() -> None:
        found = await rig.begin()
        assert (found.route, found.count, found.until, found.redaction) == ("products-get", 5, 1060.0, REDACTION)
        assert rig.pushed() == ["products-get"]
        await rig.begin("orders")
        assert rig.pushed() == ["products-get", "orders"]

    play(scene())
    change = rig.changes[0]
    assert (change.action.value, change.route, change.author, change.reason) == (
        "record",
        "products-get",
        "maria",
        "a test",
    )


def test_one_that_cannot_be_is_refused_and_changes_nothing(rig: Rig) -> None:
    async def scene() -> None:
        with pytest.raises(UnknownTarget, match="did you mean products-get"):
            await rig.begin("product-get")
        rig.line.connected = False
        with pytest.raises(ComparatorLost, match="nobody is there"):
            await rig.begin()
        rig.line.connected = True
        assert not rig.workers.told
        await rig.begin()
        with pytest.raises(RecordingRefused, match="is being recorded already"):
            await rig.begin()

    play(scene())
    assert len(rig.changes) == 1


def test_of_two_that_begin_at_the_same_time_one_is_refused(rig: Rig) -> None:
    async def scene() -> None:
        one, other = await asyncio.gather(rig.begin(), rig.begin(), return_exceptions=True)
        assert isinstance(one, Recording)
        assert isinstance(other, RecordingRefused)
        assert rig.pushed() == ["products-get"]
        assert len(rig.changes) == 1

    play(scene())


def test_the_end_is_told_to_all_and_waits_until_all_is_written(rig: Rig) -> None:
    async def scene() -> None:
        found = await rig.begin()
        rig.hear(found, 3)
        assert rig.all.find(found.id).state.exchanges == 3
        ending = asyncio.create_task(rig.all.end(found.id))
        while rig.pushed():  # noqa: ASYNC110 - a few turns of this loop
            await asyncio.sleep(0)
        assert not ending.done()
        rig.hear(found, 4, ended=True)
        assert (await ending).state.exchanges == 4
        assert (await rig.all.end(found.id)).ended == 1000.0, "once more is no harm"
        await rig.begin()

    play(scene())


def test_what_was_answered_before_the_order_to_end_has_time_to_arrive(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recordings_module, "LINGER", 0.02)

    async def scene() -> None:
        found = await rig.begin()
        ending = asyncio.create_task(rig.all.end(found.id))
        await asyncio.sleep(0)
        assert rig.pushed() == ["products-get"], "it is still recorded"
        rig.now = 1001.0
        rig.hear(found, 5, ended=True)
        told = len(rig.workers.told)
        await ending
        assert (len(rig.workers.told), rig.all.find(found.id).ended) == (told, 1001.0), "it was full meanwhile"

    play(scene())


def test_one_that_is_full_ends_by_itself(rig: Rig) -> None:
    async def scene() -> None:
        found = await rig.begin()
        rig.now = 1010.0
        rig.hear(found, 5, ended=True)
        assert (rig.pushed(), rig.all.find(found.id).ended) == ([], 1010.0)

    play(scene())


def test_a_comparator_that_does_not_answer_keeps_nobody_waiting(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recordings_module, "PATIENCE", 0.01)

    async def scene() -> None:
        found = await rig.begin()
        with pytest.raises(ComparatorLost, match="did not end the recording"):
            await rig.all.end(found.id)
        rig.line.connected = False
        await rig.all.end(found.id)

    play(scene())


def test_what_is_fetched_or_old_or_of_an_earlier_control_is_removed(rig: Rig, tmp_path: Path) -> None:
    async def scene() -> None:
        folder = tmp_path / FOLDER
        folder.mkdir(exist_ok=True)
        fetched, old = await rig.begin(), await rig.begin("orders")
        for each in (fetched, old):
            rig.all.file(each.id).write_bytes(b"{}\n")
            rig.hear(each, ended=True)
        await rig.all.forget(fetched.id)
        with pytest.raises(UnknownRecording, match="record anew"):
            rig.all.find(fetched.id)
        assert [file.stem for file in folder.iterdir()] == [old.id]
        rig.now = 1061.0 + KEPT
        await rig.begin()
        assert not list(folder.iterdir())
        (folder / "0123456789abcdef.jsonl").write_bytes(b"{}\n")
        Rig(tmp_path)
        assert not list(folder.iterdir())

    play(scene())
