"""Who follows control: what is pushed is taken and acknowledged, a broken line is made anew, the disk stands in."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from strangler.link.codec import encode_leases, encode_snapshot
from strangler.link.following import Following
from strangler.link.stream import Link
from strangler.model.errors import StranglerError
from strangler.model.messages import Ack, FilesChanged, Hello, Message, Refused, RegistryPush, SnapshotPush
from strangler.model.registry import Lease
from strangler.model.snapshot import Gateway, Snapshot
from strangler.model.upstream import Endpoint
from support.asker import run, until

LEASES = (Lease("catalog", "one", Endpoint("127.0.0.1", 9), 30.0),)


def snapshot(revision: int) -> Snapshot:
    return Snapshot(revision, "f" * 64, Gateway(), (), ())


class Follower:
    """Notes what it is told."""

    def __init__(self) -> None:
        self.revision = 0
        self.refuses = False
        self.looks = 0
        self.registered: Mapping[str, tuple[Endpoint, ...]] = {}

    def adopt(self, snapshot: Snapshot) -> None:
        if self.refuses:
            raise StranglerError("the secret is not there")
        self.revision = snapshot.revision

    def take_registered(self, endpoints: Mapping[str, tuple[Endpoint, ...]]) -> None:
        self.registered = endpoints

    def look_at_files(self) -> None:
        self.looks += 1


class Control:
    """The other end, which notes what it hears on each connection."""

    def __init__(self) -> None:
        self.lines: list[Link] = []
        self.heard: list[Message] = []

    async def converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        link = Link(reader, writer)
        self.lines.append(link)
        async for message in link.receive():
            self.heard.append(message)
        link.close()


@asynccontextmanager
async def following(folder: Path) -> AsyncIterator[tuple[Control, Follower, Following]]:
    control, follower = Control(), Follower()
    server = await asyncio.start_unix_server(control.converse, folder / "control.sock")
    line = Following(folder, follower, lambda: (Hello("comparator", 7, revision=follower.revision),), lambda: None)
    task = asyncio.create_task(line.run())
    try:
        yield control, follower, line
    finally:
        task.cancel()
        server.close()
        for link in control.lines:
            link.close()


def on_the_line(folder: Path, test: Callable[[Control, Follower, Following], Awaitable[None]]) -> None:
    async def within() -> None:
        async with following(folder) as (control, follower, line):
            await until(lambda: bool(control.heard))
            await test(control, follower, line)

    run(within)


def test_a_snapshot_is_taken_and_acknowledged(tmp_path: Path) -> None:
    async def test(control: Control, follower: Follower, line: Following) -> None:
        control.lines[0].send(SnapshotPush(snapshot(3)))
        await until(lambda: Ack(3) in control.heard)
        assert follower.revision == 3

    on_the_line(tmp_path, test)


def test_a_snapshot_that_cannot_be_used_is_answered_with_why(tmp_path: Path) -> None:
    async def test(control: Control, follower: Follower, line: Following) -> None:
        follower.revision, follower.refuses = 2, True
        control.lines[0].send(SnapshotPush(snapshot(3)))
        await until(lambda: len(control.heard) == 2)
        assert control.heard[1] == Ack(2, "StranglerError: the secret is not there")
        assert follower.revision == 2

    on_the_line(tmp_path, test)


def test_registrations_and_changed_files_are_passed_on(tmp_path: Path) -> None:
    async def test(control: Control, follower: Follower, line: Following) -> None:
        control.lines[0].send(RegistryPush(LEASES))
        control.lines[0].send(FilesChanged())
        await until(lambda: follower.looks == 1)
        assert follower.registered == {"catalog": (Endpoint("127.0.0.1", 9),)}

    on_the_line(tmp_path, test)


def test_a_line_that_breaks_is_made_anew_and_begins_with_the_revision_that_is_in_use(tmp_path: Path) -> None:
    async def test(control: Control, follower: Follower, line: Following) -> None:
        follower.revision = 5
        control.lines[0].close()
        await until(lambda: len(control.heard) == 2)
        assert control.heard[1] == Hello("comparator", 7, revision=5)
        line.send(Refused("heard on the new line"))
        await until(lambda: control.heard[-1] == Refused("heard on the new line"))

    on_the_line(tmp_path, test)


def test_without_control_the_disk_says_what_was_last(tmp_path: Path) -> None:
    (tmp_path / "snapshot.json").write_bytes(encode_snapshot(snapshot(4)))
    (tmp_path / "registry.json").write_bytes(encode_leases(LEASES))
    follower = Follower()
    changes: list[int] = []
    line = Following(tmp_path, follower, lambda: (), lambda: changes.append(follower.revision))
    line.take_from_disk()
    assert (follower.revision, changes) == (4, [4])
    assert follower.registered == {"catalog": (Endpoint("127.0.0.1", 9),)}


def test_a_damaged_snapshot_on_disk_is_not_used(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    (tmp_path / "snapshot.json").write_bytes(b"{")
    follower = Follower()
    Following(tmp_path, follower, lambda: (), lambda: None).take_from_disk()
    assert follower.revision == 0
    assert "snapshot.json cannot be used" in caplog.text
