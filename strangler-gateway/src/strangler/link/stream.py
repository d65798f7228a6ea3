"""The control link over asyncio streams: connect, listen, send, receive."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from pathlib import Path

from strangler.link.codec import FrameReader, encode
from strangler.model.messages import Message


class Link:
    """One connection. ``send`` never waits: what is not read within ``BACKLOG`` bytes closes the connection."""

    BACKLOG = 128 * 1024 * 1024

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer
        self._frames = FrameReader()

    def send(self, message: Message) -> None:
        """Queue one message; on a closed connection it is dropped, and ``receive`` is about to end."""
        if self._writer.is_closing():
            return
        transport = self._writer.transport
        if transport.get_write_buffer_size() > self.BACKLOG:
            transport.abort()
            return
        self._writer.write(encode(message))

    async def receive(self) -> AsyncIterator[Message]:
        """Yield messages until the other side closes. Raises ``LinkError`` on what is not of the protocol."""
        with contextlib.suppress(ConnectionError):
            while data := await self._reader.read(256 * 1024):
                for message in self._frames.feed(data):
                    yield message

    def close(self) -> None:
        """Close after what was sent has gone out."""
        self._writer.close()


async def connect(path: Path) -> Link:
    """Connect to a Unix socket. Raises ``OSError`` if nobody listens."""
    return Link(*await asyncio.open_unix_connection(str(path)))
