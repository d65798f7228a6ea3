"""How much is read at a time: as much as fits into one buffer that all connections of a worker share.

Without it the event loop reads up to 256 KB at once, and each stalled stream keeps so much.
"""

import asyncio
from typing import Final

READ_SIZE: Final = 64 * 1024
ROOM: Final = bytearray(READ_SIZE)
VIEW: Final = memoryview(ROOM)


class SharedReads(asyncio.BufferedProtocol):
    """A protocol that is given what was read as bytes of its own; between reading and copying nothing else runs."""

    __slots__ = ()

    def get_buffer(self, sizehint: int) -> bytearray:
        """Where the event loop reads to."""
        return ROOM

    def buffer_updated(self, nbytes: int) -> None:
        """So much was read."""
        self.data_received(VIEW[:nbytes].tobytes())

    def data_received(self, data: bytes) -> None:
        """Take it."""
        raise NotImplementedError
