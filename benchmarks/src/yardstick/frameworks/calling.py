"""Calls an application in this process, without a server or a socket: what is left is framework and use case."""

import asyncio
import io
from collections.abc import Awaitable, Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any, Protocol

from yardstick.frameworks.endpoints import Ask

Wsgi = Callable[..., Iterable[bytes]]
Asgi = Callable[..., Awaitable[None]]


class Call(Protocol):
    """Asks once; returns status and body."""

    def __call__(self, ask: Ask) -> tuple[int, bytes]: ...


@contextmanager
def calling_wsgi(application: Wsgi) -> Iterator[Call]:
    """As a server calls it in a thread."""

    def call(ask: Ask) -> tuple[int, bytes]:
        said: list[str] = []

        def start(status: str, _headers: list[tuple[str, str]], _error: Any = None) -> None:
            said[:] = [status]

        answer = application(_environ(ask), start)
        try:
            body = b"".join(answer)
        finally:
            close = getattr(answer, "close", None)
            if close is not None:
                close()
        return int(said[0][:3]), body

    yield call


@contextmanager
def calling_asgi(application: Asgi) -> Iterator[Call]:
    """As a server calls it in its event loop, with the lifespan that it is promised."""
    with asyncio.Runner() as runner:
        lifespan = _Lifespan(application)
        runner.run(lifespan.start())

        async def asked(ask: Ask) -> tuple[int, bytes]:
            status, pieces = 0, []

            async def receive() -> dict[str, Any]:
                return {"type": "http.request", "body": ask.body, "more_body": False}

            async def send(message: dict[str, Any]) -> None:
                nonlocal status
                if message["type"] == "http.response.start":
                    status = message["status"]
                else:
                    pieces.append(message.get("body", b""))

            await application(_scope(ask, dict(lifespan.state)), receive, send)
            return status, b"".join(pieces)

        yield lambda ask: runner.run(asked(ask))
        runner.run(lifespan.end())


class _Lifespan:
    """The two ends of an application's life (ASGI lifespan 2.0)."""

    def __init__(self, application: Asgi) -> None:
        self.state: dict[str, Any] = {}
        self._application = application
        self._said: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self._heard: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self._life: asyncio.Task[None] | None = None

    async def start(self) -> None:
        scope = {"type": "lifespan", "asgi": {"version": "3.0"}, "state": self.state}
        self._life = asyncio.ensure_future(self._application(scope, self._heard.get, self._said.put))
        await self._step("startup")

    async def end(self) -> None:
        await self._step("shutdown")
        assert self._life is not None
        await self._life

    async def _step(self, name: str) -> None:
        self._heard.put_nowait({"type": f"lifespan.{name}"})
        message = await self._said.get()
        if message["type"] != f"lifespan.{name}.complete":
            raise RuntimeError(f"the application says {message}")


def _environ(ask: Ask) -> dict[str, Any]:
    path, _, query = ask.target.partition("?")
    headers = {f"HTTP_{name.upper().replace('-', '_')}": value for name, value in ask.headers.items()}
    length = str(len(ask.body)) if ask.body else ""
    return headers | {
        "REQUEST_METHOD": ask.method, "SCRIPT_NAME": "", "PATH_INFO": path, "QUERY_STRING": query,
        "RAW_URI": ask.target, "REQUEST_URI": ask.target, "CONTENT_TYPE": ask.headers.get("Content-Type", ""),
        "CONTENT_LENGTH": length, "SERVER_NAME": "shop.example", "SERVER_PORT": "80", "HTTP_HOST": "shop.example",
        "SERVER_PROTOCOL": "HTTP/1.1", "REMOTE_ADDR": "127.0.0.1", "wsgi.version": (1, 0), "wsgi.url_scheme": "http",
        "wsgi.input": io.BytesIO(ask.body), "wsgi.errors": io.StringIO(), "wsgi.multithread": True,
        "wsgi.multiprocess": True, "wsgi.run_once": False, "wsgi.input_terminated": True,
    }  # fmt: skip


def _scope(ask: Ask, state: dict[str, Any]) -> dict[str, Any]:
    path, _, query = ask.target.partition("?")
    headers = [
        (b"host", b"shop.example"),
        *((name.lower().encode(), its.encode()) for name, its in ask.headers.items()),
    ]
    if ask.body:
        headers.append((b"content-length", str(len(ask.body)).encode()))
    return {
        "type": "http", "asgi": {"version": "3.0", "spec_version": "2.3"}, "http_version": "1.1",
        "method": ask.method, "scheme": "http", "path": path, "raw_path": path.encode(), "query_string": query.encode(),
        "root_path": "", "headers": headers, "client": ("127.0.0.1", 1), "server": ("shop.example", 80), "state": state,
    }  # fmt: skip
