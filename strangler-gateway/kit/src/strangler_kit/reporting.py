"""Middleware for the monolith: a request that the gateway has marked is answered with a report of what it did.

The report goes to the gateway only, which takes it off before the client sees the answer. Whoever has no valid mark
gets what there is without this middleware, at the cost of one look for a header. An answer with a report is held back
until it is whole, since its header tells of everything before its last byte. Standard library only.
"""

import logging
import time
from collections.abc import Awaitable, Callable, Iterable, Iterator, MutableMapping
from itertools import chain
from typing import Any

from strangler_kit.effects import EFFECTS_HEADER, Recording, recording
from strangler_kit.marks import REPORT_HEADER, MarkRefused, verify
from strangler_kit.targets import of_asgi, of_wsgi

MAX_HELD = 1024 * 1024
"""Bytes of an answer that are held back; a longer one goes out with a report that says that it is not complete."""

Clock = Callable[[], float]
Message = MutableMapping[str, Any]
WsgiApp = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]
AsgiApp = Callable[[Message, Callable[[], Awaitable[Message]], Callable[[Message], Awaitable[None]]], Awaitable[None]]

_log = logging.getLogger(__name__)
_WSGI_NAME = "HTTP_" + REPORT_HEADER.upper().replace("-", "_")
_ASGI_NAME = REPORT_HEADER.lower().encode()
_TOO_LONG = f"the answer is longer than {MAX_HELD} bytes"


def report_wsgi(app: WsgiApp, secret: bytes | None, clock: Clock = time.time) -> WsgiApp:
    """Wrap a WSGI application. Without a secret nothing is reported to anybody."""
    if secret is None:
        return app

    def reporting(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        mark = environ.get(_WSGI_NAME)
        if mark is None or not _holds(secret, environ["REQUEST_METHOD"], of_wsgi(environ), mark, clock):
            return app(environ, start_response)
        with recording() as found:
            return _WsgiAnswer(app, environ, start_response, found)

    return reporting


class _WsgiAnswer:
    """An answer that has been read as far as it is held back."""

    def __init__(
        self, app: WsgiApp, environ: dict[str, Any], start_response: Callable[..., Any], found: Recording
    ) -> None:
        self._held: list[bytes] = []
        started: list[Any] = []

        def start(status: str, headers: list[tuple[str, str]], exc_info: Any = None) -> Callable[[bytes], object]:
            started[:] = [status, list(headers), exc_info]
            return self._held.append

        self._answer = app(environ, start)
        self._rest = iter(self._answer)
        try:
            size = 0
            for chunk in self._rest:
                self._held.append(chunk)
                size += len(chunk)
                if size > MAX_HELD:
                    found.give_up(_TOO_LONG)
                    break
            status, headers, exc_info = started
            start_response(status, [*headers, (EFFECTS_HEADER, found.header())], *([exc_info] if exc_info else []))
        except BaseException:
            self.close()
            raise

    def __iter__(self) -> Iterator[bytes]:
        return chain(self._held, self._rest)

    def close(self) -> None:
        if (close := getattr(self._answer, "close", None)) is not None:
            close()


class AsgiReport:
    """Wraps an ASGI application. Without a secret nothing is reported to anybody.

    What the application does after the last byte of its answer (background tasks, for instance) is in no report; a
    transaction that is open at that moment makes the report say that it is not complete.
    """

    def __init__(self, app: AsgiApp, secret: bytes | None, clock: Clock = time.time) -> None:
        self._app = app
        self._secret = secret
        self._clock = clock

    async def __call__(
        self, scope: Message, receive: Callable[[], Awaitable[Message]], send: Callable[[Message], Awaitable[None]]
    ) -> None:
        secret = self._secret
        if secret is None or scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        marks = [value for name, value in scope["headers"] if name == _ASGI_NAME]
        if len(marks) != 1 or not _holds(
            secret, scope["method"], of_asgi(scope), marks[0].decode("latin-1"), self._clock
        ):
            await self._app(scope, receive, send)
            return
        with recording() as found:
            holding = _Holding(send, found)
            await self._app(scope, receive, holding.send)
            await holding.release()


class _Holding:
    """Holds messages of an answer back until its last byte is there."""

    def __init__(self, send: Callable[[Message], Awaitable[None]], found: Recording) -> None:
        self._send = send
        self._found = found
        self._held: list[Message] = []
        self._size = 0
        self._released = False

    async def send(self, message: Message) -> None:
        if self._released:
            await self._send(message)
            return
        self._held.append(message)
        self._size += len(message.get("body", b""))
        whole = message["type"] == "http.response.body" and not message.get("more_body", False)
        if self._size > MAX_HELD:
            self._found.give_up(_TOO_LONG)
        if whole or self._size > MAX_HELD:
            await self.release()

    async def release(self) -> None:
        self._released = True
        held, self._held = self._held, []
        for message in held:
            if message["type"] == "http.response.start":
                report = (EFFECTS_HEADER.lower().encode(), self._found.header().encode())
                message = {**message, "headers": [*message.get("headers", ()), report]}  # noqa: PLW2901 - the application's stays as it is
            await self._send(message)


def _holds(secret: bytes, method: str, targets: Iterable[str], mark: str, clock: Clock) -> bool:
    reason = ""
    for target in targets:
        try:
            verify(secret, "report", method, target, mark, clock())
        except MarkRefused as refused:
            reason = refused.reason
        else:
            return True
    _log.info("a mark on %s is %s: nothing is reported", method, reason)
    return False
