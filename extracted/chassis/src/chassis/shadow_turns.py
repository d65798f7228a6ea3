"""When a shadow may write on SQLite, which has one writer at a time: writers in earnest keep most of that time.

One shadow after the other, and after each of them a pause as much longer as the share says. That is for one process:
each further one takes as much again.
"""

import asyncio
import time

SHARE = 0.005
"""Of the time, that shadows may keep others from writing: one writer in two hundred meets one, and 99 in a hundred
wait no longer than without."""
LONGEST_PAUSE = 1.0
"""Seconds, however long a turn was: who has just waited for one shadow is not to wait for another at once."""
PATIENCE = 2.0
"""Seconds that a shadow waits for its turn: more than a pause, less than the comparator waits for an answer."""


class Turns:
    """Gives turns. One event loop's own."""

    def __init__(self, share: float, patience: float = PATIENCE) -> None:
        self._pause = 1 / share - 1
        """Times as long as the turn before."""
        self._patience = patience
        self._lock = asyncio.Lock()
        self._free_at = 0.0

    async def take(self) -> None:
        """Wait for a turn. Raises ``TimeoutError``."""
        async with asyncio.timeout(self._patience):
            await self._lock.acquire()
            try:
                await asyncio.sleep(self._free_at - time.perf_counter())
            except BaseException:
                self._lock.release()
                raise

    def give_back(self, seconds: float) -> None:
        """The turn is over, and others could not write for so long."""
        self._free_at = time.perf_counter() + min(LONGEST_PAUSE, self._pause * seconds)
        self._lock.release()
