"""Latency of requests that arrive at a fixed rate, whatever became of those before them (an open loop).

A request's latency counts from the moment at which it was due, so that one slow answer shows in all those that had to
wait for it (coordinated omission: G. Tene, "How NOT to Measure Latency").
"""

import asyncio
import contextlib
import statistics
from collections import deque
from typing import cast

_REQUEST = b"GET /api/products/7 HTTP/1.1\r\nHost: bench\r\nCookie: session=visitor-1\r\n\r\n"


class _Connection(asyncio.Protocol):
    """One request at a time; small answers with a length only."""

    def __init__(self, pool: "_Pool") -> None:
        self._pool = pool
        self._transport = cast("asyncio.Transport", None)
        self._due = 0.0
        self._buffer = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)

    def ask(self, due: float) -> None:
        self._due = due
        self._transport.write(_REQUEST)

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        head, found, body = self._buffer.partition(b"\r\n\r\n")
        if not found:
            return
        length = head.lower().partition(b"content-length: ")[2].partition(b"\r")[0]
        if len(body) >= int(length):
            self._buffer = b""
            self._pool.answered(self, self._due, ok=head.startswith(b"HTTP/1.1 200"))

    def connection_lost(self, exc: Exception | None) -> None:
        self._pool.lost(self)


class _Pool:
    def __init__(self) -> None:
        self.latencies: list[float] = []
        self.failed = 0
        self.idle: deque[_Connection] = deque()
        self.waiting: deque[float] = deque()
        self._loop = asyncio.get_running_loop()
        self._wanted = 0
        self._complete = asyncio.Event()

    def arrive(self, due: float) -> None:
        if self.idle:
            self.idle.popleft().ask(due)
        else:
            self.waiting.append(due)

    async def until(self, count: int) -> None:
        """Wait for so many answers."""
        self._wanted = count
        if len(self.latencies) < count:
            await self._complete.wait()

    def answered(self, connection: _Connection, due: float, *, ok: bool) -> None:
        self.latencies.append(self._loop.time() - due)
        self.failed += not ok
        if len(self.latencies) == self._wanted:
            self._complete.set()
        if self.waiting:
            connection.ask(self.waiting.popleft())
        else:
            self.idle.append(connection)

    def lost(self, connection: _Connection) -> None:
        if connection in self.idle:
            self.idle.remove(connection)


async def latencies(port: int, *, rate: int, seconds: float, connections: int = 16) -> list[float]:
    """Ask ``rate`` times a second; return every latency in seconds. Raises ``RuntimeError`` if a request failed."""
    loop = asyncio.get_running_loop()
    pool = _Pool()
    for _ in range(connections):
        _, connection = await loop.create_connection(lambda: _Connection(pool), "127.0.0.1", port)
        pool.idle.append(connection)
    opened = list(pool.idle)
    began = loop.time()
    total = round(rate * seconds)
    sent = 0
    while sent < total:
        due = began + sent / rate
        if due > loop.time():
            await asyncio.sleep(due - loop.time())
        while sent < total and began + sent / rate <= loop.time():
            pool.arrive(began + sent / rate)
            sent += 1
        await asyncio.sleep(0)
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(10):
            await pool.until(total)
    for connection in opened:
        connection._transport.close()  # noqa: SLF001 - both are of this file
    if pool.failed or len(pool.latencies) < total:
        raise RuntimeError(f"{pool.failed} requests failed, {total - len(pool.latencies)} have no answer")
    return pool.latencies


def percentile(values: list[float], share: float) -> float:
    """The value that ``share`` of all are not above, 0 < ``share`` < 1."""
    return statistics.quantiles(values, n=1000, method="inclusive")[round(share * 1000) - 1]
