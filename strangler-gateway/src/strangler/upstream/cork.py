"""Writes that wait for the end of the event loop's turn, so that one wake-up of a peer serves many of them.

A write to a peer that sleeps wakes it, which costs more than the write itself. A turn of the event loop handles many
requests when there is much to do; were each written as soon as it is ready, a fast peer would have handled it and be
asleep again before the next. Written one right after the other, most of them find the peer awake.
"""

import asyncio
from typing import Final

MOST: Final = 32
"""Writes that are held at most: those behind them should not wait for long."""
LARGE: Final = 16 * 1024
"""Bytes of a write that is worth a wake-up of its own, and not worth the memory of holding it."""


class Cork:
    """What the connections of one event loop write, in its order. TCP_CORK does the like for one socket."""

    __slots__ = ("_held", "_loop", "flushes")

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._held: list[tuple[asyncio.Transport, bytes]] = []
        self.flushes = 0
        """Of what is held under this number nothing has been written yet."""

    def write(self, transport: asyncio.Transport, data: bytes) -> None:
        """Write before the loop waits for anything again. Call ``flush`` before closing or half-closing a transport."""
        held = self._held
        if not held:
            self._loop.call_soon(self.flush)
        held.append((transport, data))
        if len(held) >= MOST or len(data) >= LARGE:
            self.flush()

    def flush(self) -> None:
        """Write all that is held. What was meant for a transport that is closed by now is dropped."""
        held, self._held = self._held, []
        self.flushes += 1
        for transport, data in held:
            if not transport.is_closing():
                transport.write(data)
