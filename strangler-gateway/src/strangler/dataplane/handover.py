"""From the event loop to a thread of its own: what is collected in a tick goes over as one batch, and nobody waits."""

import queue
from typing import Generic, TypeVar

from strangler.telemetry.meters import Meter

T = TypeVar("T")


class Handover(Generic[T]):
    """One thread adds and flushes, another takes; neither has a lock to wait for."""

    def __init__(self, most: int, dropped: Meter) -> None:
        """``most`` may wait, those that are being worked on included; beyond it they are dropped, and counted."""
        self._most = most
        self._dropped = dropped
        self._entries: list[T] = []
        self._batches: queue.SimpleQueue[list[T] | None] = queue.SimpleQueue()
        self._handed = 0
        """Counted by the event loop alone."""
        self._done = 0
        """Counted by the other thread alone."""
        self.add = self._entries.append
        """Take one."""

    # On the event loop

    def flush(self) -> None:
        """Hand over what was collected; called several times a second."""
        if not self._entries:
            return
        batch = self._entries.copy()
        self._entries.clear()
        if self._handed - self._done + len(batch) > self._most:
            self._dropped.value += len(batch)
        else:
            self._handed += len(batch)
            self._batches.put(batch)

    def end(self) -> None:
        """Hand over the rest; nothing comes after it."""
        self.flush()
        self._batches.put(None)

    # In the other thread

    def take(self, timeout: float | None = None) -> list[T] | None:
        """The next batch; None at the end. Raises ``queue.Empty`` if none comes in time."""
        return self._batches.get(timeout=timeout)

    def done(self, count: int) -> None:
        """So many have been worked on."""
        self._done += count
