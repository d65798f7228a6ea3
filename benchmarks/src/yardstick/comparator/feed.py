"""A worker's part: mirrors as fast as the comparator takes it."""

import os
import socket
import time
from collections.abc import Iterator, Sequence
from itertools import count
from pathlib import Path

from strangler.link.mirrored import Account, Batch, Mirrored, Opening, encode_frame

ROUTE = "products"
_BATCH = 32
_HEAD = (
    b"GET /products/%d HTTP/1.1\r\nHost: shop.example\r\nUser-Agent: Mozilla/5.0 (X11; Linux x86_64)\r\n"
    b"Accept: application/json\r\nAccept-Language: en\r\nAccept-Encoding: gzip, br\r\nCookie: session=%032x\r\n"
    b"X-Forwarded-For: 10.0.0.9\r\nX-Forwarded-Proto: http\r\nX-Request-ID: %032x\r\n\r\n"
)
_ANSWER = (
    b"HTTP/1.1 200 OK\r\nServer: gunicorn\r\nContent-Type: application/json\r\nX-Request-ID: %032x\r\n"
    b"Content-Length: %d\r\n\r\n"
)


def exchanges(pages: Sequence[bytes]) -> Iterator[Mirrored]:
    """Without end, each with identifiers of its own."""
    for number in count():
        place = number % len(pages)
        page = pages[place]
        head = _HEAD % (place, number, number)
        answer = _ANSWER % (number, len(page))
        yield Mirrored(ROUTE, 1, time.time(), 0.01, head, b"", "10.0.0.9", b"shop.example", "127.0.0.1:1", answer, page)


class Feed:
    """One connection."""

    def __init__(self, path: Path, pages: Sequence[bytes]) -> None:
        self._source = exchanges(pages)
        self._socket = socket.socket(socket.AF_UNIX)
        self._socket.connect(str(path))
        self.sent = 0
        self._socket.sendall(encode_frame(Opening(f"{os.getpid():x}", 0, os.getpid(), ())))

    def run(self, seconds: float) -> None:
        """Send for so long; waits while the comparator does not take more."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            batch = tuple(next(self._source) for _ in range(_BATCH))
            self.sent += len(batch)
            self._socket.sendall(encode_frame(Batch(batch, (Account(ROUTE, self.sent, self.sent, ()),))))
