"""The questions to one application: so many at a time, the others wait in their order, and not for ever."""

import asyncio
from collections import deque
from collections.abc import Callable, Coroutine
from typing import Any, Generic, TypeVar

T = TypeVar("T")
AT_A_TIME = 32
"""Questions under way to one application: a mirror must not be what overloads it."""


class Lane(Generic[T]):
    """``work`` is done for each that is added, unless ``stale`` says at its turn that it has waited too long."""

    def __init__(
        self, work: Callable[[T], Coroutine[Any, Any, None]], stale: Callable[[T], bool], at_a_time: int = AT_A_TIME
    ) -> None:
        """``work`` must not raise; ``stale`` sees to what it says yes to."""
        self._work = work
        self._stale = stale
        self._at_a_time = at_a_time
        self._waiting: deque[T] = deque()
        self._tasks: set[asyncio.Task[None]] = set()

    @property
    def is_empty(self) -> bool:
        """Whether nothing waits or is under way."""
        return not self._waiting and not self._tasks

    def add(self, item: T) -> None:
        """Begin with it now, or when it is its turn."""
        self._waiting.append(item)
        self._go_on()

    def sweep(self) -> None:
        """Let those go that have waited too long; called several times a second, for nobody's turn may come."""
        waiting = self._waiting
        while waiting and self._stale(waiting[0]):
            waiting.popleft()

    def cancel(self) -> list[T]:
        """End what is under way; what still waited."""
        for task in self._tasks:
            task.cancel()
        left = list(self._waiting)
        self._waiting.clear()
        return left

    def _go_on(self) -> None:
        while self._waiting and len(self._tasks) < self._at_a_time:
            item = self._waiting.popleft()
            if self._stale(item):
                continue
            task = asyncio.get_running_loop().create_task(self._work(item))
            self._tasks.add(task)
            task.add_done_callback(self._ended)

    def _ended(self, task: "asyncio.Task[None]") -> None:
        self._tasks.discard(task)
        self._go_on()
