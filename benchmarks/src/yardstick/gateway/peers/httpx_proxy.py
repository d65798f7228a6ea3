"""A proxy as many are written: Starlette under uvicorn that asks by httpx; the same job."""

import logging
import sys
import time
import uuid

import httpx
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import StreamingResponse
from starlette.routing import Route

_DROPPED = {"host", "connection", "keep-alive", "transfer-encoding", "te", "upgrade", "x-request-id", "content-length"}
_METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE"]


def application(upstream: str, log: logging.Logger) -> Starlette:
    """The whole of it."""
    client = httpx.AsyncClient(base_url=upstream, limits=httpx.Limits(max_connections=256, keepalive_expiry=60))

    async def forward(request: Request) -> StreamingResponse:
        began = time.perf_counter()
        request_id = request.headers.get("x-request-id") or uuid.uuid4().hex
        host = request.headers.get("host", "")
        peer = request.client.host if request.client else ""
        headers = [(name, value) for name, value in request.headers.items() if name not in _DROPPED]
        headers += [("Host", host), ("X-Request-ID", request_id), ("X-Forwarded-For", peer)]
        headers += [("X-Forwarded-Proto", "http"), ("X-Forwarded-Host", host)]
        outgoing = client.build_request(request.method, request.url.path, headers=headers, content=await request.body())
        answer = await client.send(outgoing, stream=True)
        response = StreamingResponse(answer.aiter_raw(), answer.status_code)
        response.raw_headers = [
            (name.lower(), value)
            for name, value in answer.headers.raw
            if name.lower() == b"content-length" or name.lower().decode() not in _DROPPED
        ]
        response.headers["X-Request-ID"] = request_id
        log.info(
            '{"time":%.6f,"request_id":"%s","client":"%s","method":"%s","path":"%s","status":%d,"endpoint":"%s",'
            '"duration":%.6f}',
            time.time(), request_id, peer, request.method, request.url.path, answer.status_code, upstream,
            time.perf_counter() - began,
        )  # fmt: skip
        return response

    return Starlette(routes=[Route("/{path:path}", forward, methods=_METHODS)])


def main() -> None:
    """``PORT UPSTREAM-PORT LOG``."""
    port, upstream, path = sys.argv[1:]
    log = logging.getLogger("proxy")
    log.setLevel(logging.INFO)
    log.addHandler(logging.FileHandler(path))
    uvicorn.run(
        application(f"http://127.0.0.1:{upstream}", log),
        port=int(port), access_log=False, log_level="error", lifespan="off", backlog=4096,
    )  # fmt: skip


if __name__ == "__main__":
    main()
