"""Sends load: schedules requests, hands them to connections, collects what becomes of them."""

import asyncio
import json
import time
from collections import deque
from typing import cast
from urllib.parse import urlsplit

import httptools

from support.load_values import Plan, Request, Result, Summary, summarise


async def drive(plan: Plan, stop: asyncio.Event | None = None) -> Summary:
    """Send what is planned, wait for the answers, return what came of it. ``stop`` ends the sending early."""
    return await _Driver(plan).run(stop or asyncio.Event())


class _Exchange:
    """One request on its way."""

    __slots__ = ("connection", "data", "first_byte", "request", "request_id", "scheduled", "sent", "timer")

    def __init__(self, scheduled: float, request: Request, request_id: str, data: bytes) -> None:
        self.scheduled = scheduled
        self.request = request
        self.request_id = request_id
        self.data = data
        self.sent = 0.0
        self.first_byte = 0.0
        self.timer: asyncio.TimerHandle | None = None
        self.connection: _Connection | None = None


class _Driver:
    """Schedules, hands exchanges to connections, and collects results."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.loop = asyncio.get_running_loop()
        parts = urlsplit(plan.url)
        assert parts.hostname is not None
        self.host, self.port = parts.hostname, parts.port or 80
        self.heads = [self._head(request, parts.netloc) for request in plan.requests]
        self.waiting: deque[_Exchange] = deque()
        self.idle: list[_Connection] = []
        self.opened = 0
        self.open = 0
        self.connecting: dict[int, asyncio.Task[None]] = {}
        """By the connection's number, until it stands or has failed; each is meant for one that waits."""
        self.in_flight = 0
        self.results: list[Result] = []
        self.all_done = asyncio.Event()

    async def run(self, stop: asyncio.Event) -> Summary:
        plan = self.plan
        start = time.monotonic() + 0.01
        total = round(plan.rate * plan.seconds)
        stopped = self.loop.create_task(stop.wait())
        try:
            for number in range(total):
                scheduled = start + number / plan.rate
                pause = scheduled - time.monotonic()
                if pause > 0:
                    await asyncio.wait((stopped,), timeout=pause)
                elif number % 50 == 0:
                    await asyncio.sleep(0)  # behind the schedule: answers must be read nevertheless
                if stop.is_set():
                    break
                self._begin(number, scheduled)
            if self.in_flight:
                self.all_done.clear()
                await self.all_done.wait()
        finally:
            stopped.cancel()
            for connection in self.idle:
                connection.transport.close()
            for task in self.connecting.values():
                task.cancel()
        return summarise(self.results)

    def _head(self, request: Request, host: str) -> bytes:
        lines = [f"{request.method} {request.target} HTTP/1.1", f"Host: {host}"]
        lines += [f"{name}: {value}" for name, value in request.headers]
        if not self.plan.keep_alive:
            lines.append("Connection: close")
        if request.body or request.method not in ("GET", "DELETE", "OPTIONS"):
            lines.append(f"Content-Length: {len(request.body.encode())}")
        return "\r\n".join(lines).encode("latin-1") + b"\r\nX-Request-ID: "

    def _begin(self, number: int, scheduled: float) -> None:
        which = number % len(self.heads)
        request, request_id = self.plan.requests[which], f"{self.plan.name}-{number}"
        data = self.heads[which] + request_id.encode("latin-1") + b"\r\n\r\n" + request.body.encode()
        exchange = _Exchange(scheduled, request, request_id, data)
        exchange.timer = self.loop.call_later(
            max(0.0, scheduled + self.plan.timeout - time.monotonic()), self._timed_out, exchange
        )
        self.in_flight += 1
        if self.idle:
            self.idle.pop().send(exchange)
            return
        self.waiting.append(exchange)
        self._open()

    def _open(self) -> None:
        if self.open < self.plan.connections and len(self.connecting) < len(self.waiting):
            self.open += 1
            number = self.opened
            self.opened += 1
            self.connecting[number] = self.loop.create_task(self._connect(number))

    async def _connect(self, number: int) -> None:
        try:
            await self.loop.create_connection(lambda: _Connection(self, number), self.host, self.port)
        except OSError as error:
            self.open -= 1
            del self.connecting[number]
            if self.waiting:
                self.finish(self.waiting.popleft(), error=f"connect: {error.strerror or error}")
            self._open()

    def ready(self, connection: "_Connection") -> None:
        """A connection can take an exchange."""
        if self.waiting:
            connection.send(self.waiting.popleft())
        else:
            self.idle.append(connection)

    def lost(self, connection: "_Connection") -> None:
        self.open -= 1
        if connection in self.idle:
            self.idle.remove(connection)
        if self.waiting:
            self._open()

    def finish(
        self, exchange: _Exchange, *, status: int = 0, arm: str = "", error: str = "", connection: int = -1
    ) -> None:
        assert exchange.timer is not None
        exchange.timer.cancel()
        self.in_flight -= 1
        self.results.append(
            Result(
                exchange.request_id,
                exchange.request.target,
                exchange.scheduled,
                exchange.sent,
                exchange.first_byte,
                time.monotonic(),
                status,
                arm,
                error,
                connection,
            )
        )
        if not self.in_flight:
            self.all_done.set()

    def _timed_out(self, exchange: _Exchange) -> None:
        if exchange.connection is not None:
            exchange.connection.fail("timeout")
        else:
            self.waiting.remove(exchange)
            self.finish(exchange, error="timeout before it could be sent")


class _Connection(asyncio.Protocol):
    """One connection, with at most one exchange at a time."""

    def __init__(self, driver: _Driver, number: int) -> None:
        self.driver = driver
        self.number = number
        self.exchange: _Exchange | None = None
        self.parser = httptools.HttpResponseParser(self)
        self.body = bytearray()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.Transport", transport)  # uvloop's has the methods, not the base class
        del self.driver.connecting[self.number]
        self.driver.ready(self)

    def send(self, exchange: _Exchange) -> None:
        self.exchange = exchange
        exchange.connection = self
        exchange.sent = time.monotonic()
        self.transport.write(exchange.data)

    def data_received(self, data: bytes) -> None:
        if self.exchange is None:
            self.transport.abort()  # an answer to nothing
            return
        if not self.exchange.first_byte:
            self.exchange.first_byte = time.monotonic()
        try:
            self.parser.feed_data(data)
        except httptools.HttpParserError as error:
            self.fail(f"not HTTP: {error}")

    def connection_lost(self, exc: Exception | None) -> None:
        self.fail("closed before the answer" if exc is None else f"{type(exc).__name__} before the answer")
        self.driver.lost(self)

    def fail(self, error: str) -> None:
        """The exchange cannot be completed, and the connection not be used again."""
        exchange, self.exchange = self.exchange, None
        self.transport.abort()
        if exchange is not None:
            if exchange.first_byte:
                error = error.replace("before the answer", "within the answer")
            self.driver.finish(exchange, error=error, connection=self.number)

    # What the parser calls.

    def on_body(self, body: bytes) -> None:
        self.body += body

    def on_message_complete(self) -> None:
        status = self.parser.get_status_code()
        if status < 200:
            return
        exchange, self.exchange = self.exchange, None
        assert exchange is not None
        self.driver.finish(exchange, status=status, arm=_arm(self.body), connection=self.number)
        self.body.clear()
        if self.driver.plan.keep_alive and self.parser.should_keep_alive():
            self.driver.ready(self)
        else:
            self.transport.close()


def _arm(body: bytearray) -> str:
    """Return what a JSON object says under ``arm``, else an empty string."""
    if b'"arm"' not in body[:4096]:
        return ""
    try:
        return str(json.loads(body)["arm"])
    except (ValueError, KeyError, TypeError):
        return ""
