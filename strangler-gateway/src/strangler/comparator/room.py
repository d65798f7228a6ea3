"""How much waits in the comparator: beyond that, workers are not listened to until there is room again."""

import asyncio


class Room:
    """Counts exchanges and their bytes from their receipt to their end. One event loop's own."""

    def __init__(self, exchanges: int, size: int) -> None:
        """``exchanges`` and bytes that may wait; what is taken in last may go beyond them once."""
        self._most = exchanges
        self._most_bytes = size
        self.exchanges = 0
        self.bytes = 0
        self._free = asyncio.Event()
        self._free.set()

    def take(self, size: int) -> None:
        """One more waits."""
        self.exchanges += 1
        self.bytes += size
        if self.exchanges >= self._most or self.bytes >= self._most_bytes:
            self._free.clear()

    def give_back(self, size: int) -> None:
        """One has ended."""
        self.exchanges -= 1
        self.bytes -= size
        if self.exchanges < self._most and self.bytes < self._most_bytes:
            self._free.set()

    async def until_free(self) -> None:
        """Wait until one more may be taken."""
        await self._free.wait()
