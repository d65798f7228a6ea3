"""A proxy as many are written: an ASGI application under uvicorn that asks by aiohttp's client; the same job."""

import logging
import sys
import time
import uuid
from typing import Any

import aiohttp
import uvicorn

_DROPPED = {b"host", b"connection", b"keep-alive", b"transfer-encoding", b"te", b"upgrade", b"x-request-id"}


class Proxy:
    """The ASGI application."""

    def __init__(self, upstream: str, log: logging.Logger) -> None:
        self._upstream = upstream
        self._log = log
        self._session: aiohttp.ClientSession | None = None

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        began = time.perf_counter()
        if self._session is None:
            connector = aiohttp.TCPConnector(limit=256)
            self._session = aiohttp.ClientSession(connector=connector, auto_decompress=False)
        given = dict(scope["headers"])
        request_id = given.get(b"x-request-id", b"").decode() or uuid.uuid4().hex
        headers = [(name.decode(), value.decode("latin-1")) for name, value in scope["headers"] if name not in _DROPPED]
        host = given.get(b"host", b"").decode()
        headers += [("Host", host), ("X-Request-ID", request_id), ("X-Forwarded-For", scope["client"][0])]
        headers += [("X-Forwarded-Proto", "http"), ("X-Forwarded-Host", host)]
        body = await _body(receive) if b"content-length" in given else None
        url = f"{self._upstream}{scope['path']}"
        async with self._session.request(scope["method"], url, headers=headers, data=body) as answer:
            back = [(name, value) for name, value in answer.raw_headers if name.lower() not in _DROPPED]
            back.append((b"x-request-id", request_id.encode()))
            await send({"type": "http.response.start", "status": answer.status, "headers": back})
            sent = 0
            async for piece in answer.content.iter_any():
                sent += len(piece)
                await send({"type": "http.response.body", "body": piece, "more_body": True})
            await send({"type": "http.response.body"})
        self._log.info(
            '{"time":%.6f,"request_id":"%s","client":"%s","method":"%s","path":"%s","status":%d,"endpoint":"%s",'
            '"duration":%.6f,"bytes_out":%d}',
            time.time(), request_id, scope["client"][0], scope["method"], scope["path"], answer.status, self._upstream,
            time.perf_counter() - began, sent,
        )  # fmt: skip


async def _body(receive: Any) -> bytes:
    parts = []
    while True:
        message = await receive()
        parts.append(message.get("body", b""))
        if not message.get("more_body"):
            return b"".join(parts)


def main() -> None:
    """``PORT UPSTREAM-PORT LOG``."""
    port, upstream, path = sys.argv[1:]
    log = logging.getLogger("proxy")
    log.setLevel(logging.INFO)
    log.addHandler(logging.FileHandler(path))
    application = Proxy(f"http://127.0.0.1:{upstream}", log)
    uvicorn.run(application, port=int(port), access_log=False, log_level="error", lifespan="off", backlog=4096)


if __name__ == "__main__":
    main()
