"""The monolith's session table, asked from threads of its own; the event loop never waits for a database."""

import asyncio
from concurrent.futures import ThreadPoolExecutor
from functools import partial

from strangler.adapters.django_sessions import THREADS, DjangoSessionTable, SessionsUnreadable
from strangler.policies.refusals import Unavailable

MOST_WAITING = 256
"""Look-ups under way or waiting for a thread; one more is not begun."""


class ThreadedSessions:
    """Fills the port ``Sessions``."""

    def __init__(self, url: str, table: str, timeout: float) -> None:
        """Raises ``SessionsUnreadable`` for a URL that is none."""
        self._table = DjangoSessionTable(url, table, timeout)
        self._timeout = timeout
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="sessions")
        self._waiting = 0

    def retire(self) -> None:
        """Nobody asks any more but those who do already, who are given the time that they have."""
        loop = asyncio.get_running_loop()
        loop.call_later(2 * self._timeout, partial(self._threads.shutdown, wait=False, cancel_futures=True))
        loop.call_later(2 * self._timeout, self._table.close)

    async def read(self, key: str) -> tuple[str, float] | None:
        """A session's data and its end. Raises ``Unavailable``."""
        if self._waiting >= MOST_WAITING:
            raise Unavailable(f"{MOST_WAITING} sessions are being looked up already")
        self._waiting += 1
        try:
            async with asyncio.timeout(self._timeout):
                return await asyncio.get_running_loop().run_in_executor(self._threads, self._table.read, key)
        except TimeoutError:
            raise Unavailable(f"the session table does not answer within {self._timeout:g} s") from None
        except SessionsUnreadable as error:
            raise Unavailable(str(error)) from None
        finally:
            self._waiting -= 1
