"""An access log that is the same behind every server: one JSON line per request, written when its answer begins.

{"start": "2026-01-31T09:30:00.000000Z", "request_id": "…" or null, "method": "GET", "target": "/api/products?page=2",
 "status": 200, "seconds": 0.0012, "pid": 4711}
"""

import json
import os
from collections.abc import Awaitable, Callable, Iterable, MutableMapping
from datetime import UTC, datetime
from pathlib import Path
from time import perf_counter
from typing import Any

Message = MutableMapping[str, Any]


class AccessLog:
    """Appends whole lines in single writes, so that several processes can share the file."""

    def __init__(self, path: Path) -> None:
        self._descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)

    def began(self, request_id: str | None, method: str, target: str) -> Callable[[int], None]:
        """Note the start of a request; call what is returned with the status when the answer begins."""
        start, ticks = datetime.now(UTC), perf_counter()

        def answered(status: int) -> None:
            line = {
                "start": start.strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
                "request_id": request_id,
                "method": method,
                "target": target,
                "status": status,
                "seconds": round(perf_counter() - ticks, 6),
                "pid": os.getpid(),
            }
            os.write(self._descriptor, json.dumps(line).encode() + b"\n")

        return answered


def log_wsgi(app: Callable[..., Iterable[bytes]], log: AccessLog) -> Callable[..., Iterable[bytes]]:
    """Wrap a WSGI application."""

    def logged(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        target = environ.get("RAW_URI") or environ["PATH_INFO"]
        answered = log.began(environ.get("HTTP_X_REQUEST_ID"), environ["REQUEST_METHOD"], target)

        def start(status: str, headers: list[tuple[str, str]], *rest: Any) -> Any:
            answered(int(status[:3]))
            return start_response(status, headers, *rest)

        return app(environ, start)

    return logged


class AsgiAccessLog:
    """Wraps an ASGI application."""

    def __init__(self, app: Callable[..., Awaitable[None]], log: AccessLog) -> None:
        self._app = app
        self._log = log

    async def __call__(self, scope: Message, receive: Callable[..., Any], send: Callable[..., Any]) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request_id = dict(scope["headers"]).get(b"x-request-id")
        target = scope["raw_path"] + (b"?" + scope["query_string"] if scope["query_string"] else b"")
        answered = self._log.began(
            request_id.decode("latin-1") if request_id else None, scope["method"], target.decode("latin-1")
        )

        async def observed(message: Message) -> None:
            if message["type"] == "http.response.start":
                answered(message["status"])
            await send(message)

        await self._app(scope, receive, observed)
