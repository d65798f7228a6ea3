"""Requests that arrive at a fixed rate, whatever became of those before them (an open loop).

A request's latency counts from the moment at which it was due, so that one slow answer shows in all those that had to
wait for it (coordinated omission: G. Tene, «How NOT to Measure Latency»).
"""

import asyncio
import contextlib
import gc
from collections import deque
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import cast

import httptools

PATIENCE = 10.0
"""Seconds that the last answers are waited for."""


@dataclass(frozen=True, slots=True)
class Arrivals:
    """What came back. Times are in seconds."""

    latencies: tuple[float, ...]
    """Of right answers, sorted."""
    wrong: int
    """Answers with another status than the right one."""
    unanswered: int
    lateness: float
    """How late the generator itself was with 99 of 100 requests at most, where a connection was free: what cannot be
    told apart from latency."""

    @property
    def errors(self) -> int:
        """Requests that were not answered as they should."""
        return self.wrong + self.unanswered

    def quantile(self, share: float) -> float:
        """The latency that ``share`` of all are not above. Raises ``ValueError`` where there is none."""
        if not self.latencies:
            raise ValueError("nothing was answered")
        return self.latencies[min(len(self.latencies) - 1, int(share * len(self.latencies)))]


class _Connection(asyncio.Protocol):
    """One request at a time."""

    def __init__(self, generator: "_Generator") -> None:
        self._generator = generator
        self._transport = cast("asyncio.Transport", None)
        self._parser = httptools.HttpResponseParser(self)
        self._due: float | None = None
        self._request = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)

    def ask(self, request: bytes, due: float) -> None:
        self._request, self._due = request, due
        self._transport.write(request)

    def data_received(self, data: bytes) -> None:
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserError:
            self._transport.abort()

    def on_message_complete(self) -> None:
        """Called by the parser."""
        due, status, kept = self._due, self._parser.get_status_code(), self._parser.should_keep_alive()
        if due is None or status < 200:
            return
        self._due = None
        self._parser = httptools.HttpResponseParser(self)
        if not kept:
            self._transport.close()
        self._generator.answered(self if kept else None, due, status)

    def connection_lost(self, exc: Exception | None) -> None:
        due, self._due = self._due, None
        self._generator.lost(self, due)

    def close(self) -> None:
        self._transport.abort()


class _Generator:
    def __init__(self, host: str, port: int, right: Collection[int]) -> None:
        self.latencies: list[float] = []
        self.wrong = self.unanswered = 0
        self.late: list[float] = []
        self._address = host, port
        self._right = right
        self._loop = asyncio.get_running_loop()
        self._idle: deque[_Connection] = deque()
        self._waiting: deque[tuple[bytes, float]] = deque()
        self._opening: set[asyncio.Task[None]] = set()
        self._all: set[_Connection] = set()
        self._open = True
        self._wanted = -1
        self._complete = asyncio.Event()

    async def connect(self) -> None:
        _, connection = await self._loop.create_connection(lambda: _Connection(self), *self._address)
        self._all.add(connection)
        self._free(connection)

    def arrive(self, request: bytes, due: float) -> None:
        if self._idle:
            self.late.append(self._loop.time() - due)
            self._idle.popleft().ask(request, due)
        else:
            self._waiting.append((request, due))

    async def until(self, count: int) -> None:
        """Wait until so many have been answered, or lost."""
        self._wanted = count
        self._look()
        await self._complete.wait()

    def answered(self, connection: _Connection | None, due: float, status: int) -> None:
        if status in self._right:
            self.latencies.append(self._loop.time() - due)
        else:
            self.wrong += 1
        if connection is not None:
            self._free(connection)
        self._look()

    def lost(self, connection: _Connection, due: float | None) -> None:
        """A connection ended; another takes its place."""
        self._all.discard(connection)
        with contextlib.suppress(ValueError):
            self._idle.remove(connection)
        if due is not None:
            self.unanswered += 1
            self._look()
        if self._open:
            task = self._loop.create_task(self._replace())
            self._opening.add(task)
            task.add_done_callback(self._opening.discard)

    async def _replace(self) -> None:
        while self._open:
            with contextlib.suppress(OSError):
                await self.connect()
                return
            await asyncio.sleep(0.05)

    def _free(self, connection: _Connection) -> None:
        if self._waiting:
            connection.ask(*self._waiting.popleft())
        else:
            self._idle.append(connection)

    def _look(self) -> None:
        if len(self.latencies) + self.wrong + self.unanswered == self._wanted:
            self._complete.set()

    def close(self) -> None:
        self._open = False
        for connection in tuple(self._all):
            connection.close()
        for task in self._opening:
            task.cancel()


async def arrive(
    authority: str, requests: Sequence[bytes], *, right: Collection[int], rate: float, seconds: float, connections: int
) -> Arrivals:
    """Send ``rate`` requests a second to ``host:port``, in turn, each over whichever connection is free.

    ``right`` are the statuses of right answers. Raises ``OSError`` if there is nobody to connect to.
    """
    host, _, port = authority.rpartition(":")
    generator = _Generator(host.strip("[]"), int(port), right)
    loop = asyncio.get_running_loop()
    total = max(1, round(rate * seconds))
    collected = gc.isenabled()
    try:
        await asyncio.gather(*(generator.connect() for _ in range(connections)))
        gc.disable()  # A pause of the collector would be taken for one of the server.
        began, sent = loop.time(), 0
        while sent < total:
            due = began + sent / rate
            if due > loop.time():
                await asyncio.sleep(due - loop.time())
            while sent < total and began + sent / rate <= loop.time():
                generator.arrive(requests[sent % len(requests)], began + sent / rate)
                sent += 1
            await asyncio.sleep(0)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(PATIENCE):
                await generator.until(total)
    finally:
        if collected:
            gc.enable()
        generator.close()
    latencies = tuple(sorted(generator.latencies))
    late = sorted(generator.late) or [0.0]
    return Arrivals(
        latencies, generator.wrong, total - len(latencies) - generator.wrong, late[int(0.99 * (len(late) - 1))]
    )
