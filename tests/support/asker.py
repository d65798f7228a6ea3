"""An upstream's side and a taker's side of real connections, inside one event loop."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from strangler.http1.response import ResponseHead
from strangler.model.failure import Failure
from strangler.upstream.connection import UpstreamConnection
from strangler.upstream.pool import EndpointPool

ASK = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
Serve = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


async def friendly(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Answer every head with 200."""
    while await reader.readuntil(b"\r\n\r\n"):
        writer.write(OK)


@asynccontextmanager
async def server(serve: Serve = friendly) -> AsyncIterator[int]:
    """A server on a free port."""

    async def guarded(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await serve(reader, writer)
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    running = await asyncio.start_server(guarded, "127.0.0.1", 0)
    try:
        yield running.sockets[0].getsockname()[1]
    finally:
        running.close()


@dataclass(eq=False)
class Asker:
    """Takes a connection, sends one request and keeps what comes back; both waiter and receiver."""

    send: bool = True
    abandoned: bool = False
    connection: UpstreamConnection | None = None
    failure: Failure | None = None
    status: int = 0
    body: bytes = b""
    pause_at_the_end: bool = False
    got: asyncio.Event = field(default_factory=asyncio.Event)
    done: asyncio.Event = field(default_factory=asyncio.Event)

    def ask(self, pool: EndpointPool, *, repeatable: bool = True, fresh: bool = False) -> "Asker":
        connection = pool.take(self, repeatable=repeatable, fresh=fresh)
        if connection is not None:
            self.connected(connection)
        return self

    def connected(self, connection: UpstreamConnection) -> None:
        self.connection = connection
        connection.begin(self, bodiless=False)
        if self.send:
            connection.write(ASK)
            connection.request_complete = True
        self.got.set()

    def not_connected(self, failure: Failure, detail: str) -> None:
        self.failure = failure
        assert detail
        self.done.set()

    def informational(self, head: ResponseHead) -> None:
        raise AssertionError(head)

    def response_head(self, head: ResponseHead, pieces: list[bytes], *, ended: bool) -> None:
        self.status = head.status
        self.response_body(pieces, ended=ended)

    def response_body(self, pieces: list[bytes], *, ended: bool) -> None:
        self.body += b"".join(pieces)
        if ended and self.pause_at_the_end:
            assert self.connection is not None
            self.connection.pause_reading()

    def response_end(self) -> None:
        self.done.set()

    def response_failed(self, failure: Failure, detail: str) -> None:
        self.not_connected(failure, detail)

    def sending_paused(self) -> None:
        pass

    def sending_resumed(self) -> None:
        pass

    async def answered(self) -> "Asker":
        async with asyncio.timeout(5):
            await self.done.wait()
        return self


@asynccontextmanager
async def within(seconds: float = 10) -> AsyncIterator[None]:
    async with asyncio.timeout(seconds):
        yield


def run(
    test: Callable[[], Awaitable[None]], start: Callable[[Coroutine[None, None, None]], None] = asyncio.run
) -> None:
    """Run a test in an event loop of its own; ``start`` says of which kind."""

    async def bounded() -> None:
        async with within():
            await test()

    start(bounded())


async def until(condition: Callable[[], bool]) -> None:
    """Let the loop run until the condition holds."""
    async with asyncio.timeout(5):
        while not condition():  # noqa: ASYNC110 - nothing tells of what is waited for
            await asyncio.sleep(0.005)


def tasks(name: str) -> list[object]:
    """The tasks whose coroutine is a method of this class."""
    return [task for task in asyncio.all_tasks() if name in repr(task.get_coro())]
