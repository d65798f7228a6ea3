"""What comes over ``comparator.sock``: batches in their order, nobody who talks nonsense, and no more than there is
room for."""

import asyncio
import contextlib
import stat
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from strangler.comparator.intake import Intake
from strangler.comparator.room import Room
from strangler.link.mirrored import MAX_FRAME, Account, Batch, Opening, encode_frame
from support.asker import run, until

ACCOUNT = Account("products-get", 3, 2, (("not_sampled", 1),))
BATCH = Batch((), (ACCOUNT,))


class Reception:
    """Notes what it is told, in its order."""

    def __init__(self) -> None:
        self.heard: list[tuple[str, object]] = []

    def opened(self, opening: Opening) -> Awaitable[None]:
        return self._note("opened", opening)

    def received(self, worker: str, batch: Batch) -> Awaitable[None]:
        return self._note(worker, batch)

    def left(self, worker: str) -> None:
        self.heard.append(("left", worker))

    def _note(self, what: str, value: object) -> Awaitable[None]:
        self.heard.append((what, value))
        done = asyncio.get_running_loop().create_future()
        done.set_result(None)
        return done


class Line:
    """A worker's end."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self.writer = writer

    def send(self, *messages: Opening | Batch | bytes) -> "Line":
        for message in messages:
            self.writer.write(message if isinstance(message, bytes) else encode_frame(message))
        return self

    async def ended(self) -> bool:
        """Wait until the other side closes."""
        with contextlib.suppress(ConnectionError):
            return await self._reader.read() == b""
        return True


class House:
    """An intake on a folder."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "comparator.sock"
        self.room = Room(2, 1000)
        self.reception = Reception()
        self.intake = Intake(self.path, self.room, self.reception)
        self._lines: list[Line] = []

    async def connect(self) -> Line:
        line = Line(*await asyncio.open_unix_connection(self.path))
        self._lines.append(line)
        return line

    def close(self) -> None:
        for line in self._lines:
            line.writer.close()


@asynccontextmanager
async def house(folder: Path) -> AsyncIterator[House]:
    house = House(folder)
    await house.intake.open()
    try:
        yield house
    finally:
        house.close()
        await house.intake.finish(1.0)


def opening(worker: str = "a1", **more: int) -> Opening:
    return Opening(worker, 0, 7, (ACCOUNT,), **more)


def at(folder: Path, test: Callable[[House], Awaitable[None]]) -> None:
    async def within() -> None:
        async with house(folder) as it:
            await test(it)

    run(within)


def test_batches_are_received_in_their_order_and_the_end_is_told(tmp_path: Path) -> None:
    async def test(it: House) -> None:
        line = await it.connect()
        second = Batch((), (Account("x", 1, 1, ()),))
        line.send(opening(), BATCH, second)
        line.writer.close()
        await until(lambda: len(it.reception.heard) == 4)
        assert it.reception.heard == [("opened", opening()), ("a1", BATCH), ("a1", second), ("left", "a1")]

    at(tmp_path, test)


def test_only_this_user_may_connect_and_a_socket_that_was_left_is_replaced(tmp_path: Path) -> None:
    (tmp_path / "comparator.sock").write_bytes(b"")

    async def test(it: House) -> None:
        assert stat.S_IMODE(it.path.stat().st_mode) == 0o600
        (await it.connect()).send(opening())
        await until(lambda: bool(it.reception.heard))

    at(tmp_path, test)
    assert not (tmp_path / "comparator.sock").exists()


@pytest.mark.parametrize(
    ("said", "why"),
    [
        ([BATCH], "begins with an Opening"),
        ([b"\0\0\0\x05Xabcd"], "not a frame"),
        ([b"\0\0\0\0"], "a frame of 0 bytes"),
        ([(MAX_FRAME + 1).to_bytes(4)], f"a frame of {MAX_FRAME + 1} bytes"),
        ([b"\0\0\0\x03O\xc1\xc1"], "not a frame"),
        ([opening(protocol=9)], "protocol 9 is not known"),
        ([opening("")], "names no worker"),
        ([opening(), opening()], "one Opening"),
    ],
)
def test_who_sends_nonsense_is_disconnected_and_the_log_says_why(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, said: list[Opening | Batch | bytes], why: str
) -> None:
    async def test(it: House) -> None:
        line = (await it.connect()).send(*said)
        assert await line.ended()

    at(tmp_path, test)
    assert why in caplog.text


def test_half_a_batch_of_a_worker_that_died_counts_for_nothing(tmp_path: Path) -> None:
    async def test(it: House) -> None:
        line = await it.connect()
        line.send(opening(), BATCH, encode_frame(BATCH)[:-1])
        line.writer.close()
        await until(lambda: ("left", "a1") in it.reception.heard)
        assert [what for what, _ in it.reception.heard] == ["opened", "a1", "left"]

    at(tmp_path, test)


def test_without_room_nothing_more_is_read_until_there_is_some(tmp_path: Path) -> None:
    async def test(it: House) -> None:
        it.room.take(1)
        it.room.take(1)
        line = (await it.connect()).send(opening())
        await until(lambda: len(it.reception.heard) == 1)
        big = Batch((), (Account("x" * 100_000, 1, 1, ()),))
        line.send(*[big] * 50)
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.1):
                await line.writer.drain()
        assert len(it.reception.heard) == 1
        it.room.give_back(1)
        await line.writer.drain()
        await until(lambda: len(it.reception.heard) == 51)

    at(tmp_path, test)


def test_a_worker_that_connects_again_is_heard_on_its_new_connection_alone(tmp_path: Path) -> None:
    """What the old one still holds is older than the accounts of the new one, which count it as lost."""

    async def test(it: House) -> None:
        it.room.take(1)
        it.room.take(1)
        old = (await it.connect()).send(opening(), BATCH)
        await until(lambda: len(it.reception.heard) == 1)
        later = Opening("a1", 0, 7, (Account("products-get", 9, 9, ()),))
        (await it.connect()).send(later)
        assert await old.ended()
        it.room.give_back(1)
        await until(lambda: len(it.reception.heard) == 2)
        assert it.reception.heard == [("opened", opening()), ("opened", later)]

    at(tmp_path, test)


def test_at_the_end_what_was_sent_is_taken_in(tmp_path: Path) -> None:
    async def test(it: House) -> None:
        line = await it.connect()
        line.send(opening(), *[BATCH] * 30)
        await line.writer.drain()
        await until(lambda: bool(it.reception.heard))
        line.writer.close()
        await it.intake.finish(5.0)
        assert [what for what, _ in it.reception.heard] == ["opened", *["a1"] * 30, "left"]

    at(tmp_path, test)
