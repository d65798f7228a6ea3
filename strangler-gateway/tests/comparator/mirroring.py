"""Exchanges as a worker mirrors them, and applications that are asked about them."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from strangler.http1.response import ResponseParser
from strangler.link.mirrored import Mirrored
from strangler.model.upstream import Endpoint, Upstream
from strangler.telemetry.meters import Meters
from strangler.upstream.balancers import Balancers
from strangler.upstream.cork import Cork
from support.asker import server

ANSWER = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nX-Request-ID: id-1\r\nContent-Length: %d\r\n\r\n"
Answering = Callable[[bytes, bytes], bytes | None]
"""From a request's head and body to all bytes of the answer; None to never answer."""


def mirrored(
    *,
    route: str = "products-get",
    method: bytes = b"GET",
    target: bytes = b"/api/products/7",
    fields: bytes = b"",
    body: bytes = b"",
    content: bytes = b'{"id":7}',
    answer: bytes | None = None,
    **more: object,
) -> Mirrored:
    """One exchange, answered just now."""
    framing = b"Content-Length: %d\r\n" % len(body) if body else b""
    head = b"%b %b HTTP/1.1\r\nHost: shop.example\r\nX-Request-ID: id-1\r\nX-Forwarded-For: 10.0.0.9\r\n%b%b\r\n" % (
        method,
        target,
        fields,
        framing,
    )
    known = {
        "route": route,
        "revision": 1,
        "at": time.time(),
        "seconds": 0.01,
        "head": head,
        "body": body,
        "client": "10.0.0.9",
        "host": b"shop.example",
        "endpoint": "127.0.0.1:9",
        "answer": answer if answer is not None else ANSWER % len(content),
        "content": content,
    }
    return Mirrored(**{**known, **more})  # type: ignore[arg-type]


def json(content: bytes, status: bytes = b"200 OK", fields: bytes = b"") -> bytes:
    """An application's answer."""
    head = b"HTTP/1.1 %b\r\nContent-Type: application/json\r\n%bContent-Length: %d\r\n\r\n"
    return head % (status, fields, len(content)) + content


class Application:
    """Answers as it is told, and keeps what it was asked."""

    def __init__(self, answering: Answering) -> None:
        self.answering = answering
        self.asked: list[tuple[bytes, bytes]] = []
        self.port = 0
        self.goes_on = asyncio.Event()
        """While it is not set the application stands still."""
        self.goes_on.set()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            head = await reader.readuntil(b"\r\n\r\n")
            length = next(
                (int(line[15:]) for line in head.split(b"\r\n") if line.lower().startswith(b"content-length:")), 0
            )
            body = await reader.readexactly(length)
            self.asked.append((head, body))
            await self.goes_on.wait()
            answer = self.answering(head, body)
            if answer is None:
                await asyncio.sleep(3600)
            assert answer is not None
            if not answer:
                return
            writer.write(answer)


@asynccontextmanager
async def application(answering: Answering) -> AsyncIterator[Application]:
    """One on a free port."""
    it = Application(answering)
    async with server(it.serve) as port:
        it.port = port
        yield it


def upstream(name: str, port: int, **more: object) -> Upstream:
    """One of one endpoint."""
    return Upstream(name, (Endpoint("127.0.0.1", port),), **more)  # type: ignore[arg-type]


def balancers(*upstreams: Upstream) -> Balancers:
    """Connections to these."""
    made = Balancers(ResponseParser(own=frozenset((b"x-request-id",))), Cork(asyncio.get_running_loop()), Meters())
    made.update(upstreams)
    return made
