"""One connection of the stub upstream: reads requests, keeps their order, logs them, and has a behaviour answer."""

import asyncio
import functools
import hashlib
import json
import os
import socket
import struct
import sys
import time
from collections import deque
from collections.abc import Callable, Coroutine, Iterator
from dataclasses import dataclass, field
from typing import cast
from urllib.parse import parse_qsl

import httptools

READY = "/-/ready"
"""Answered 200 and not logged."""
_HIGH_WATER = 256 * 1024
_SUBJECT_HEADERS = ("x-user", "cookie")
_LINGER_ZERO = struct.pack("ii", 1, 0)  # closing then sends RST instead of FIN


@dataclass(slots=True)
class Request:
    """A request as it came in. Its body is not kept, only counted and hashed."""

    arrival: float
    monotonic: float
    method: str = ""
    target: str = ""
    headers: list[tuple[str, str]] = field(default_factory=list)
    keep_alive: bool = True
    length: int = 0
    digest: "hashlib._Hash" = field(default_factory=hashlib.sha256)
    logged: bool = False

    def header(self, name: str) -> str:
        return next((value for key, value in self.headers if key.lower() == name), "")

    @property
    def path(self) -> str:
        return self.target.partition("?")[0]

    @property
    def query(self) -> list[tuple[str, str]]:
        return parse_qsl(self.target.partition("?")[2], keep_blank_values=True)

    def number(self, name: str, default: int) -> int:
        return int(dict(self.query).get(name, default))


@dataclass(frozen=True, slots=True)
class Settings:
    """What the connections of one stub share."""

    arm: str
    log: int
    """A file descriptor open for appending."""
    keep_alive: float
    behave: "Callable[[Connection, Request], Coroutine[None, None, None] | None]"
    """Answers a request: at once, or in the coroutine that it returns."""


class Connection(asyncio.Protocol):
    """One connection. Requests are answered one after the other, in their order, also when they were pipelined."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.loop = asyncio.get_running_loop()
        self.parser = httptools.HttpRequestParser(self)
        self.writable = asyncio.Event()
        self.writable.set()
        self.waiting: deque[Request] = deque()
        self.task: asyncio.Task[None] | None = None
        self.idle: asyncio.TimerHandle | None = None
        self.tunnel = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.Transport", transport)  # uvloop's has the methods, not the base class
        self.transport.set_write_buffer_limits(high=_HIGH_WATER)
        self._rest()

    def connection_lost(self, exc: Exception | None) -> None:
        self._wake()
        self.writable.set()
        if self.task is not None:
            self.task.cancel()
        for request in self.waiting:
            self.log(request, 0)

    def pause_writing(self) -> None:
        self.writable.clear()

    def resume_writing(self) -> None:
        self.writable.set()

    def data_received(self, data: bytes) -> None:
        if self.tunnel:
            self.transport.write(data)
            return
        self._wake()
        try:
            self.parser.feed_data(data)
        except httptools.HttpParserUpgrade:
            pass  # `/tunnel` has answered 101; anything else is free to ignore the header
        except httptools.HttpParserError as error:
            self.transport.write(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
            sys.stderr.write(f"{self.settings.arm}: {error}\n")
            self.transport.close()

    def on_message_begin(self) -> None:
        self.request = Request(time.time(), time.monotonic())

    def on_url(self, url: bytes) -> None:
        self.request.target += url.decode("latin-1")

    def on_header(self, name: bytes, value: bytes) -> None:
        self.request.headers.append((name.decode("latin-1"), value.decode("latin-1")))

    def on_headers_complete(self) -> None:
        self.request.method = self.parser.get_method().decode("latin-1")
        self.request.keep_alive = self.parser.should_keep_alive()
        if self.request.path.startswith("/early/"):
            self._take(self.request)
        elif self.request.header("expect").lower() == "100-continue":
            self.transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")

    def on_body(self, body: bytes) -> None:
        self.request.length += len(body)
        self.request.digest.update(body)
        if self.request.path == "/slow-read":
            self.transport.pause_reading()
            self.loop.call_later(self.request.number("ms", 20) / 1000, self._read_on)

    def on_message_complete(self) -> None:
        if not self.request.path.startswith("/early/"):
            self._take(self.request)

    def answer(self, request: Request, status: int, body: bytes, *headers: tuple[str, str]) -> None:
        """Send a whole answer with a Content-Length, unless the status or the method forbids a body."""
        bodiless = status in (204, 304)
        self.head(request, status, *headers, *(() if bodiless else (("Content-Length", str(len(body))),)))
        if not bodiless and request.method != "HEAD":
            self.transport.write(body)

    def head(self, request: Request, status: int, *headers: tuple[str, str]) -> None:
        self.log(request, status)
        if not request.keep_alive:
            headers = (*headers, ("Connection", "close"))
        lines = "".join(f"{name}: {value}\r\n" for name, value in headers)
        self.transport.write(f"HTTP/1.1 {status} Stub\r\nX-Arm: {self.settings.arm}\r\n{lines}\r\n".encode("latin-1"))

    def log(self, request: Request, status: int) -> None:
        if request.logged or request.path == READY:
            return
        request.logged = True
        line = {
            "arrival": request.arrival,
            "monotonic": request.monotonic,
            "arm": self.settings.arm,
            "method": request.method,
            "target": request.target,
            "request_id": request.header("x-request-id"),
            "subject": {name.lower(): value for name, value in request.headers if name.lower() in _SUBJECT_HEADERS},
            "status": status,
            "ended": time.monotonic(),
        }
        os.write(self.settings.log, json.dumps(line).encode() + b"\n")

    async def stream(self, pieces: Iterator[bytes], *, chunked: bool) -> None:
        """Send pieces no faster than they are read."""
        for piece in pieces:
            await self.writable.wait()
            if self.transport.is_closing():
                return
            self.transport.write(b"%x\r\n%b\r\n" % (len(piece), piece) if chunked else piece)
        if chunked:
            self.transport.write(b"0\r\n\r\n")

    def reset(self) -> None:
        """End the connection with RST."""
        self.transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _LINGER_ZERO)
        self.transport.abort()

    def _take(self, request: Request) -> None:
        self.waiting.append(request)
        if self.task is None:
            self._serve()

    def _serve(self) -> None:
        while self.waiting and not self.transport.is_closing():
            request = self.waiting.popleft()
            slow = self.settings.behave(self, request)
            if slow is not None:
                self.task = self.loop.create_task(slow)
                self.task.add_done_callback(functools.partial(self._finished, request))
                return
            self._answered(request)

    def _finished(self, request: Request, task: "asyncio.Task[None]") -> None:
        self.task = None
        if not task.cancelled():
            task.result()
            self._answered(request)
            self._serve()

    def _answered(self, request: Request) -> None:
        if not request.keep_alive:
            self.transport.close()
        elif not self.waiting:
            self._rest()

    def _read_on(self) -> None:
        if not self.transport.is_closing():
            self.transport.resume_reading()

    def _rest(self) -> None:
        self._wake()
        self.idle = self.loop.call_later(self.settings.keep_alive, self.transport.close)

    def _wake(self) -> None:
        if self.idle is not None:
            self.idle.cancel()
            self.idle = None
