"""The slow server that ``/bench/slow`` waits for: ``python -m yardstick.frameworks.slow_server PORT MILLISECONDS``.

Any request is answered after that time, however many wait: only whoever asks can be what limits. Requests have no body
and come one at a time on a kept connection.
"""

import asyncio
import sys
from typing import cast

import uvloop

BODY = b'{"source":"downstream","value":42}'
_ANSWER = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%b" % (len(BODY), BODY)
_END = b"\r\n\r\n"


class Waiting(asyncio.Protocol):
    """One connection."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._received = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        self._received += data
        while _END in self._received:
            _, _, self._received = self._received.partition(_END)
            asyncio.get_running_loop().call_later(self._seconds, self._answer)

    def _answer(self) -> None:
        if not self._transport.is_closing():
            self._transport.write(_ANSWER)


async def serve(port: int, seconds: float) -> None:
    """Answer on this port of the loopback interface until the task is cancelled."""
    server = await asyncio.get_running_loop().create_server(lambda: Waiting(seconds), "127.0.0.1", port, backlog=2048)
    await server.serve_forever()


if __name__ == "__main__":
    uvloop.run(serve(int(sys.argv[1]), float(sys.argv[2]) / 1000))
