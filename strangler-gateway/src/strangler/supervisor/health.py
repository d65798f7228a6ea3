"""``/livez`` and ``/readyz`` of the data plane, on a port of their own: a dead control kills no healthy gateway.

Answered by hand: two fixed documents do not need a web framework in the one process that must not fail.
"""

import asyncio
import contextlib
import json
import socket
from collections.abc import Mapping

from strangler.supervisor.roll import Roll

PATIENCE = 5.0
"""Seconds that a client may take to send its request."""
LONGEST_HEAD = 8 * 1024

_REASONS = {200: "OK", 400: "Bad Request", 404: "Not Found", 405: "Method Not Allowed", 503: "Service Unavailable"}


async def serve_health(sock: socket.socket, roll: Roll) -> asyncio.Server:
    """Answer on ``sock`` until the server is closed."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError, TimeoutError, asyncio.IncompleteReadError):
            async with asyncio.timeout(PATIENCE):
                writer.write(await _response(reader, roll))
                await writer.drain()
        writer.close()

    return await asyncio.start_server(answer, sock=sock, limit=LONGEST_HEAD)


async def _response(reader: asyncio.StreamReader, roll: Roll) -> bytes:
    try:
        head = await reader.readuntil(b"\r\n\r\n")
        method, target, _ = head.split(b"\r\n", 1)[0].split(b" ")
    except (asyncio.LimitOverrunError, ValueError):
        return _message(400, {"error": "not an HTTP request"})
    if method not in {b"GET", b"HEAD"}:
        return _message(405, {"error": "GET and HEAD only"})
    match target.partition(b"?")[0]:
        case b"/livez":
            answer = _message(200, {"status": "alive"})
        case b"/readyz":
            answer = _message(*_readiness(roll))
        case _:
            answer = _message(404, {"error": "there are /livez and /readyz"})
    return answer if method == b"GET" else answer[: answer.index(b"\r\n\r\n") + 4]


def _readiness(roll: Roll) -> tuple[int, dict[str, object]]:
    is_ready = roll.is_ready()
    waiting = [seat.slot for seat in roll.seats if not seat.ready]
    state = "ready" if is_ready else "ending" if roll.is_ending else "waiting for workers"
    return 200 if is_ready else 503, {"status": state, "workers": len(roll.seats), "not_accepting": waiting}


def _message(status: int, document: Mapping[str, object]) -> bytes:
    body = json.dumps(document).encode() + b"\n"
    head = (
        f"HTTP/1.1 {status} {_REASONS[status]}\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n"
        "Cache-Control: no-store\r\nConnection: close\r\n\r\n"
    )
    return head.encode() + body
