"""``comparator.sock``: takes in what workers mirror, as fast as there is room for it and no faster.

A worker that is not listened to finds its socket full, and counts what it cannot hand over.
"""

import asyncio
import logging
import os
from collections.abc import Awaitable
from pathlib import Path
from typing import Protocol

from strangler.comparator.room import Room
from strangler.link.codec import LinkError
from strangler.link.mirrored import MAX_FRAME, PROTOCOL, Batch, Opening, decode_frame
from strangler.model.errors import StranglerError

OPENING_SECONDS = 5.0
"""How long a new connection may take to say who it is."""

logger = logging.getLogger("strangler.comparator")


class Reception(Protocol):
    """Who is told what workers send."""

    def opened(self, opening: Opening) -> Awaitable[object]:
        """A worker begins; what an earlier connection of it has sent and is not here is lost."""

    def received(self, worker: str, batch: Batch) -> Awaitable[object]:
        """A batch, whole. All of it is taken in, in the order of these calls, whether or not that is waited for."""

    def left(self, worker: str) -> None:
        """Its connection has ended, and all that came over it was received."""


class Intake:
    """Listens until closed."""

    def __init__(self, path: Path, room: Room, reception: Reception) -> None:
        self._path = path
        self._room = room
        self._reception = reception
        self._server: asyncio.Server | None = None
        self._conversations: dict[asyncio.Task[None], str] = {}
        """With the worker of each; empty before it has said who it is."""

    async def open(self) -> None:
        """Listen. A socket that an earlier comparator left behind is replaced; only this user may connect."""
        self._path.unlink(missing_ok=True)
        before = os.umask(0o177)
        try:
            self._server = await asyncio.start_unix_server(self._accept, str(self._path))
        finally:
            os.umask(before)

    async def finish(self, seconds: float) -> None:
        """Take in what was sent already, for so long at most, and end every conversation."""
        if self._server is not None:
            self._server.close()
        self._path.unlink(missing_ok=True)
        tasks = tuple(self._conversations)
        if tasks:
            await asyncio.wait(tasks, timeout=seconds)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._conversations[task] = ""
        try:
            await self._converse(task, reader)
        except asyncio.CancelledError:
            pass  # Only ``finish`` and a successor cancel; asyncio would log it as an error.
        except (StranglerError, TimeoutError) as error:
            logger.warning("a worker is disconnected: %s", str(error) or f"no Opening within {OPENING_SECONDS:g} s")
        except (ConnectionError, asyncio.IncompleteReadError):
            pass  # It died; of a batch that it was sending nothing counts.
        finally:
            worker = self._conversations.pop(task)
            writer.close()
            if worker:
                self._reception.left(worker)

    async def _converse(self, task: "asyncio.Task[None]", reader: asyncio.StreamReader) -> None:
        async with asyncio.timeout(OPENING_SECONDS):
            opening = _checked(decode_frame(await _frame(reader)))
        self._succeed(opening.worker)
        self._conversations[task] = opening.worker
        await asyncio.shield(self._reception.opened(opening))
        while True:
            await self._room.until_free()
            batch = decode_frame(await _frame(reader))
            if not isinstance(batch, Batch):
                raise LinkError("a connection to the comparator has one Opening")
            await asyncio.shield(self._reception.received(opening.worker, batch))

    def _succeed(self, worker: str) -> None:
        """An earlier connection of the same worker ends: what it has not read yet is older than this one's accounts."""
        for task, its in self._conversations.items():
            if its == worker:
                self._conversations[task] = ""
                task.cancel()


async def _frame(reader: asyncio.StreamReader) -> bytes:
    """Raises ``IncompleteReadError`` at the end, ``LinkError`` for a frame that nobody would send."""
    length = int.from_bytes(await reader.readexactly(4))
    if not 0 < length <= MAX_FRAME:
        raise LinkError(f"a frame of {length} bytes is not between 1 and {MAX_FRAME}")
    return await reader.readexactly(length)


def _checked(first: Opening | Batch) -> Opening:
    """The Opening of a worker of this version. Raises ``LinkError``."""
    if not isinstance(first, Opening):
        raise LinkError("a connection to the comparator begins with an Opening")
    if first.protocol != PROTOCOL:
        raise LinkError(
            f"its protocol {first.protocol} is not known here; this is {PROTOCOL}: run one version of strangler"
        )
    if not first.worker:
        raise LinkError("its Opening names no worker")
    return first
