"""How the stub upstream can answer, each behaviour asked for by the first segment of the path."""

import asyncio
import base64
import hashlib
import json
import random
import time
from collections.abc import Callable, Coroutine, Iterator

from support.stub_connection import Connection, Request

_BLOCK = random.Random(0).randbytes(65_521)
"""What bodies are made of. The length is a prime, so that a lost or doubled buffer of a usual size changes the hash."""
_JSON = ("Content-Type", "application/json")


def behave(connection: Connection, request: Request) -> Coroutine[None, None, None] | None:
    """Answer as the path asks; any other path gets arm, path and request id."""
    segments = request.path.split("/")
    behaviour = BEHAVIOURS.get(segments[1], _default) if len(segments) > 1 else _default
    return behaviour(connection, request)


def body_sha256(length: int) -> str:
    """Return the hex SHA-256 of the body that ``/bytes/N`` and ``/chunked/N`` send."""
    digest = hashlib.sha256()
    for piece in _pieces(length, len(_BLOCK)):
        digest.update(piece)
    return digest.hexdigest()


def _default(connection: Connection, request: Request) -> None:
    body = {"arm": connection.settings.arm, "path": request.target, "request_id": request.header("x-request-id")}
    connection.answer(request, 200, json.dumps(body).encode(), _JSON)


def _bytes(connection: Connection, request: Request) -> Coroutine[None, None, None] | None:
    length = _number_in(request)
    connection.head(request, 200, ("Content-Type", "application/octet-stream"), ("Content-Length", str(length)))
    return None if request.method == "HEAD" else connection.stream(_pieces(length, len(_BLOCK)), chunked=False)


def _chunked(connection: Connection, request: Request) -> Coroutine[None, None, None] | None:
    connection.head(request, 200, ("Content-Type", "application/octet-stream"), ("Transfer-Encoding", "chunked"))
    if request.method == "HEAD":
        return None
    return connection.stream(_pieces(_number_in(request), request.number("size", len(_BLOCK))), chunked=True)


async def _slow(connection: Connection, request: Request) -> None:
    await asyncio.sleep(request.number("ms", 1000) / 1000)
    _default(connection, request)


async def _drip(connection: Connection, request: Request) -> None:
    connection.head(request, 200, ("Content-Type", "text/plain"), ("Transfer-Encoding", "chunked"))
    for _ in range(request.number("count", 5)):
        connection.transport.write(b"2\r\n.\n\r\n")
        await asyncio.sleep(request.number("ms", 100) / 1000)
    connection.transport.write(b"0\r\n\r\n")


def _echo(connection: Connection, request: Request) -> None:
    body = {"arm": connection.settings.arm, "length": request.length, "sha256": request.digest.hexdigest()}
    connection.answer(request, 200, json.dumps(body).encode(), _JSON)


def _status(connection: Connection, request: Request) -> None:
    body = {"arm": connection.settings.arm, "path": request.target, "request_id": request.header("x-request-id")}
    connection.answer(request, _number_in(request), json.dumps(body).encode(), _JSON)


def _noisy(connection: Connection, request: Request) -> None:
    seldom, often = random.random() < 0.02, random.random() < 0.3
    body = {"path": request.target, "at": time.time_ns(), "seldom": seldom, "often": often}
    connection.answer(request, 200, json.dumps(body).encode(), _JSON)


def _headers(connection: Connection, request: Request) -> None:
    body = {"arm": connection.settings.arm, "headers": request.headers}
    connection.answer(request, 200, json.dumps(body).encode(), _JSON)


def _answer_headers(connection: Connection, request: Request) -> None:
    connection.answer(request, 200, b"", *request.query)


def _reset_before_head(connection: Connection, request: Request) -> None:
    connection.log(request, 0)
    connection.reset()


async def _cut_mid_body(connection: Connection, request: Request) -> None:
    """Promise 1,000 bytes (or a chunked body), send half, then end the connection once those have left."""
    chunked = ("chunked", "") in request.query
    framing = ("Transfer-Encoding", "chunked") if chunked else ("Content-Length", "1000")
    connection.head(request, 200, framing)
    connection.transport.write(b"1f4\r\n%b\r\n" % _BLOCK[:500] if chunked else _BLOCK[:500])
    await asyncio.sleep(0.05)  # an RST may overtake data that the receiver has not read yet
    if request.path == "/reset-mid-body":
        connection.reset()
    else:
        connection.transport.close()


def _early_hints(connection: Connection, request: Request) -> None:
    connection.transport.write(b"HTTP/1.1 103 Early Hints\r\nLink: </style.css>; rel=preload\r\n\r\n")
    _default(connection, request)


def _no_content(connection: Connection, request: Request) -> None:
    connection.answer(request, 204, b"")


def _close(connection: Connection, request: Request) -> None:
    request.keep_alive = False
    _default(connection, request)


def _close_silently(connection: Connection, request: Request) -> None:
    _default(connection, request)
    request.keep_alive = False


def _until_close(connection: Connection, request: Request) -> None:
    request.keep_alive = False
    connection.head(request, 200, ("Content-Type", "application/octet-stream"))
    connection.transport.write(_BLOCK[:1000])


def _tunnel(connection: Connection, request: Request) -> None:
    key = request.header("sec-websocket-key").encode() + b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"  # RFC 6455 §4.2.2
    accept = base64.b64encode(hashlib.sha1(key).digest()).decode()
    upgrade = ("Upgrade", request.header("upgrade"))
    connection.head(request, 101, upgrade, ("Connection", "Upgrade"), ("Sec-WebSocket-Accept", accept))
    connection.tunnel = True


BEHAVIOURS: dict[str, Callable[[Connection, Request], Coroutine[None, None, None] | None]] = {
    "bytes": _bytes,  # /bytes/N: N bytes with a Content-Length
    "chunked": _chunked,  # /chunked/N?size=: N bytes in chunks of `size`
    "slow": _slow,  # /slow?ms=: the default answer, that much later
    "drip": _drip,  # /drip?count=&ms=: one small chunk every `ms`
    "echo": _echo,  # the received body's length and SHA-256
    "slow-read": _echo,  # /slow-read?ms=: the same, pausing after every read
    "early": _status,  # /early/NNN: answers at the end of the head, without waiting for the body
    "status": _status,  # /status/NNN
    "noisy": _noisy,  # /noisy/…: a clock, a value that differs seldom, and one that differs often
    "headers": _headers,  # the received headers, in their order
    "answer-headers": _answer_headers,  # /answer-headers?Set-Cookie=a&Set-Cookie=b: the query as headers
    "reset-before-head": _reset_before_head,
    "reset-mid-body": _cut_mid_body,  # ?chunked
    "close-mid-body": _cut_mid_body,  # the same with FIN
    "1xx": _early_hints,  # 103, then 200
    "no-content": _no_content,
    "close": _close,  # Connection: close
    "close-silently": _close_silently,  # closes after an answer that promised to stay
    "until-close": _until_close,  # 1,000 bytes whose end is the connection's
    "tunnel": _tunnel,  # with `Upgrade: websocket`: 101, then every byte comes back
}


def _number_in(request: Request) -> int:
    return int(request.path.split("/")[2])


def _pieces(length: int, size: int) -> Iterator[bytes]:
    """Cut a body of ``length`` bytes into pieces; the bytes do not depend on ``size``."""
    sent = 0
    while sent < length:
        start = sent % len(_BLOCK)
        piece = _BLOCK[start : start + min(size, length - sent)]
        sent += len(piece)
        yield piece
