"""A faulty network between two programs: a TCP proxy that delays, cuts, stops or ends what passes, and alters nothing.

Each direction has toxics of its own, applied in their order: ``up`` is from whoever connects to the target.
"""

import asyncio
import contextlib
import random
import socket
import struct
import threading
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from typing import Protocol

_RESET = struct.pack("ii", 1, 0)
_ROOM = 16 * 1024
"""Bytes that the network keeps of one direction."""


class ConnectionCut(Exception):
    """A toxic ends the connection, both directions of it; by a reset or by a FIN."""

    def __init__(self, *, reset: bool) -> None:
        self.reset = reset
        super().__init__("reset" if reset else "closed")


class Toxic(Protocol):
    """A fault of one direction."""

    def through(self, pieces: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
        """What arrives of ``pieces``, and when. Ends to end this direction; raises ``ConnectionCut`` for both."""


@dataclass(frozen=True, slots=True)
class Latency:
    """Every piece comes ``seconds`` later, up to ``jitter`` more or less; pieces keep their order."""

    seconds: float
    jitter: float = 0.0
    chance: random.Random = field(default_factory=lambda: random.Random(1))

    async def through(self, pieces: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
        async for piece in pieces:
            await asyncio.sleep(max(0.0, self.seconds + self.chance.uniform(-self.jitter, self.jitter)))
            yield piece


@dataclass(frozen=True, slots=True)
class Bandwidth:
    """No more than so many bytes per second."""

    rate: float

    async def through(self, pieces: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
        clock = asyncio.get_running_loop()
        free_at = clock.time()
        async for piece in pieces:
            free_at = max(free_at, clock.time()) + len(piece) / self.rate
            yield piece
            await asyncio.sleep(free_at - clock.time())


@dataclass(frozen=True, slots=True)
class Slicer:
    """Every piece in slices of ``size`` bytes, each in a segment of its own."""

    size: int = 1

    async def through(self, pieces: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
        async for piece in pieces:
            for start in range(0, len(piece), self.size):
                yield piece[start : start + self.size]
                await asyncio.sleep(0)


@dataclass(frozen=True, slots=True)
class After:
    """Something happens once exactly ``count`` bytes have passed."""

    count: int

    async def through(self, pieces: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
        left = self.count
        if not left:
            await self.happen()
            return
        async for piece in pieces:
            yield piece[:left]
            left -= len(piece)
            if left <= 0:
                await self.happen()
                return

    async def happen(self) -> None:
        """Ends this direction when it returns."""


class HalfClose(After):
    """This direction ends (FIN); the other goes on."""


class Blackhole(After):
    """Nothing arrives any more, and nobody is told."""

    async def happen(self) -> None:
        await asyncio.Event().wait()


class Limit(After):
    """The whole connection is closed."""

    async def happen(self) -> None:
        raise ConnectionCut(reset=False)


class Reset(After):
    """The whole connection is reset."""

    async def happen(self) -> None:
        # What has just been written has to leave this machine's buffers first: a reset throws it away.
        await asyncio.sleep(0.05)
        raise ConnectionCut(reset=True)


class Network:
    """Listens on ``port`` and connects each connection to ``target``, through the toxics of each direction."""

    def __init__(self, target: int, up: tuple[Toxic, ...], down: tuple[Toxic, ...]) -> None:
        self.port = 0
        self.connections = 0
        """How many were made so far."""
        self.up, self.down = up, down
        """Connections made from now on have those that stand here."""
        self._target = target
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)

    def start(self) -> None:
        self._thread.start()
        asyncio.run_coroutine_threadsafe(self._listen(), self._loop).result(10)

    def stop(self) -> None:
        asyncio.run_coroutine_threadsafe(self._end(), self._loop).result(10)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    async def _listen(self) -> None:
        self._server = await asyncio.start_server(self._join, "127.0.0.1", 0, limit=_ROOM, backlog=512)
        self.port = self._server.sockets[0].getsockname()[1]

    async def _end(self) -> None:
        self._server.close()
        tasks = asyncio.all_tasks() - {asyncio.current_task()}
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _join(self, near_reader: asyncio.StreamReader, near: asyncio.StreamWriter) -> None:
        self.connections += 1
        up, down = self.up, self.down
        try:
            far_reader, far = await asyncio.open_connection("127.0.0.1", self._target, limit=_ROOM)
        except OSError:
            _end(near, reset=True)
            return
        reset = False
        try:
            async with asyncio.TaskGroup() as directions:
                directions.create_task(_pass(near_reader, far, up))
                directions.create_task(_pass(far_reader, near, down))
        except* ConnectionCut as cut:
            reset = any(error.reset for error in cut.exceptions if isinstance(error, ConnectionCut))
        except* OSError:
            reset = True  # One end was reset, which the other is to see.
        except* asyncio.CancelledError:
            pass  # The network ends, and asyncio would log a handler that was cancelled.
        finally:
            for writer in (near, far):
                _end(writer, reset=reset)


async def _pieces(reader: asyncio.StreamReader) -> AsyncIterator[bytes]:
    while piece := await reader.read(_ROOM):
        yield piece


async def _pass(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, toxics: tuple[Toxic, ...]) -> None:
    writer.transport.set_write_buffer_limits(_ROOM)
    pieces = _pieces(reader)
    for toxic in toxics:
        pieces = toxic.through(pieces)
    async for piece in pieces:
        writer.write(piece)
        await writer.drain()
    with contextlib.suppress(OSError):  # The other side may have ended first.
        writer.write_eof()


def _end(writer: asyncio.StreamWriter, *, reset: bool) -> None:
    if reset:
        sock: socket.socket = writer.get_extra_info("socket")
        with contextlib.suppress(OSError):
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
        writer.transport.abort()
    else:
        writer.close()


@contextlib.contextmanager
def network(target: int, *, up: tuple[Toxic, ...] = (), down: tuple[Toxic, ...] = ()) -> Iterator[Network]:
    """A network to ``target`` (a port on loopback) for the length of the block."""
    between = Network(target, up, down)
    between.start()
    try:
        yield between
    finally:
        between.stop()
