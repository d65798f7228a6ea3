"""Work that several requests wait for together: one task per key, and it goes on when those who wait have left."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

from strangler.policies.refusals import Crowded

T = TypeVar("T")
MOST = 1000
"""Pieces of work under way at once."""


class TaskFlights:
    """Fills the port ``Flights``. The work bounds its own time."""

    def __init__(self) -> None:
        self._tasks: dict[object, asyncio.Task[Any]] = {}

    def begin(self, key: object, work: Callable[[], Awaitable[object]]) -> None:
        """Do ``work`` in the background, unless it is under way or too much is."""
        if key not in self._tasks and len(self._tasks) < MOST:
            self._start(key, work)

    async def join(self, key: object, work: Callable[[], Awaitable[T]]) -> T:
        """Wait for the work under way; begin it if there is none. Raises what it raises, and ``Crowded``."""
        task = self._tasks.get(key)
        if task is None:
            if len(self._tasks) >= MOST:
                raise Crowded(f"{MOST} questions are under way already")
            task = self._start(key, work)
        result: T = await asyncio.shield(task)
        return result

    def _start(self, key: object, work: Callable[[], Awaitable[object]]) -> asyncio.Task[Any]:
        async def run() -> object:
            return await work()

        self._tasks[key] = task = asyncio.get_running_loop().create_task(run())
        task.add_done_callback(lambda done: self._landed(key, done))
        return task

    def _landed(self, key: object, task: asyncio.Task[Any]) -> None:
        del self._tasks[key]
        if not task.cancelled():
            task.exception()  # Whoever waited has it; of work that nobody waited for nobody wants it.
