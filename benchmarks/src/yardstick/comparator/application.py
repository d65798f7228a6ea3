"""An application that answers ``/products/N`` with its Nth page; a process of its own."""

import asyncio
import sys
from collections.abc import Sequence
from typing import cast

import uvloop

from yardstick.comparator.documents import differing, documents


class Answering(asyncio.Protocol):
    """One kept connection; requests have no body and come one at a time."""

    def __init__(self, answers: Sequence[bytes]) -> None:
        self._answers = answers

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        number = int(data.split(b" ", 2)[1].rpartition(b"/")[2])
        self._transport.write(self._answers[number])


async def _serve(port: int, answers: Sequence[bytes]) -> None:
    server = await asyncio.get_running_loop().create_server(lambda: Answering(answers), "127.0.0.1", port)
    await server.serve_forever()


def answer(page: bytes) -> bytes:
    """A page as it goes out."""
    head = b"HTTP/1.1 200 OK\r\nServer: other\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n"
    return head % len(page) + page


if __name__ == "__main__":
    port, count, size, percent = (float(argument) for argument in sys.argv[1:])
    pages = documents(int(count), int(size))
    uvloop.run(_serve(int(port), [answer(page) for page in differing(pages, percent)]))
