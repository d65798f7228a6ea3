"""When a shadow may write on SQLite, which has one writer at a time: writers in earnest keep most of that time.

One shadow after the other, and after each of them a pause as much longer as the share says. That is for one process:
each further one takes as much again.
"""

import asyncio
import time

SHARE = 0.005
"""Of the time, that shadows may keep others from writing: one writer in two hundred meets one, and 99 in a hundred
wait no longer than without."""
LONGEST_PAUSE = 30.0
"""Seconds, after a turn that was much longer than they are: nothing is learned of writes while there are no shadows."""
PATIENCE = 2.0
"""Seconds that a shadow waits for its turn; the comparator waits five for an answer where a route says nothing."""


class Turns:
    """Gives turns. One event loop's own."""

    def __init__(self, share: float, patience: float = PATIENCE) -> None:
        """Raises ``ValueError`` for a share that is none."""
        if not 0 < share <= 1:
            raise ValueError(f"shadows may have a share of the time above 0 and up to 1, not {share:g}")
        self._pause = 1 / share - 1
        """Times as long as the turn before."""
        self._patience = patience
        self._lock = asyncio.Lock()
        self._free_at = 0.0
        self._waiting = 0
        self._apart = 0.0
        """Seconds from the beginning of one turn to that of the next."""

    async def take(self) -> None:
        """Wait for a turn. Raises ``TimeoutError``: at once if it cannot come in time, since whoever waits keeps
        others from asking the service."""
        if max(0.0, self._free_at - time.perf_counter()) + self._waiting * self._apart > self._patience:
            raise TimeoutError
        self._waiting += 1
        try:
            async with asyncio.timeout(self._patience):
                await self._lock.acquire()
                try:
                    pause = self._free_at - time.perf_counter()
                    if pause > self._patience:
                        raise TimeoutError
                    await asyncio.sleep(pause)
                except BaseException:
                    self._lock.release()
                    raise
        finally:
            self._waiting -= 1

    def give_back(self, seconds: float) -> None:
        """The turn is over, and others could not write for so long."""
        pause = min(LONGEST_PAUSE, self._pause * seconds)
        self._apart = seconds + pause
        self._free_at = time.perf_counter() + pause
        self._lock.release()
