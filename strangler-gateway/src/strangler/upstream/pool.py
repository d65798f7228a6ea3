"""The connections to one endpoint: idle ones to take, new ones to open, and a bounded queue for those who wait."""

import asyncio
import errno
from collections import deque
from typing import TYPE_CHECKING, Final, Protocol

from strangler.http1.response import ResponseParser
from strangler.model.failure import Failure
from strangler.model.messages import PoolState
from strangler.model.upstream import Endpoint, Upstream
from strangler.tls.refusal import HandshakeFailed
from strangler.upstream.connection import Home, UpstreamConnection
from strangler.upstream.cork import Cork
from strangler.upstream.health import HealthChecker
from strangler.upstream.standing import Standing

if TYPE_CHECKING:
    from strangler.upstream.secure import Security

REUSE_UNSAFE_WITHIN: Final = 1.0
"""Seconds. A request that cannot be repeated only takes a connection that was in use until so recently: applications
close idle connections after 2 s (gunicorn) or more, and such a request would be lost in the race with that."""
OUT_OF_DESCRIPTORS = frozenset((errno.EMFILE, errno.ENFILE))
"""Of this process, and of the system; the endpoint has no part in either."""


class Waiter(Protocol):
    """Whoever wants a connection."""

    abandoned: bool
    """Set when it does not want one any more."""

    def connected(self, connection: UpstreamConnection) -> None:
        """Here it is."""

    def not_connected(self, failure: Failure, detail: str) -> None:
        """There is none to be had."""


class _Place:
    """One who waits. If only a fresh connection will do, used ones go to others, but not for ever."""

    __slots__ = ("fresh", "passed_over", "waiter")

    def __init__(self, waiter: Waiter, fresh: bool) -> None:  # noqa: FBT001 - see ``EndpointPool.take``
        self.waiter = waiter
        self.fresh = fresh
        self.passed_over = 0


class EndpointPool:
    """All connections of this worker to one endpoint."""

    def __init__(
        self,
        upstream: Upstream,
        endpoint: Endpoint,
        parser: ResponseParser,
        cork: Cork,
        standing: Standing,
        security: "Security | None" = None,
    ) -> None:
        self.endpoint = endpoint
        self.standing = standing
        self.checker: HealthChecker | None = None
        """Who asks the endpoint whether it is well, if anybody does."""
        self._security = security
        self._upstream = upstream
        self._parser = parser
        self._cork = cork
        self._loop = asyncio.get_running_loop()
        self._idle: deque[UpstreamConnection] = deque()
        self._waiting: deque[_Place] = deque()
        self._tasks: set[asyncio.Task[None]] = set()
        self._open: set[UpstreamConnection] = set()
        self._opening = 0
        self._opened_ever = 0
        self._retired = False
        self.authority = endpoint.authority

    def take(self, waiter: Waiter, *, repeatable: bool, fresh: bool = False) -> UpstreamConnection | None:
        """Return an idle connection; or None, and the waiter is told later (or at once, if the queue is full).

        ``repeatable``: the request may be sent again should the connection turn out to be stale; ``fresh``: only a
        connection that has not been used before will do.
        """
        if not fresh:
            while self._idle:
                connection = self._idle.pop()
                if connection.closed:
                    continue
                if repeatable or self._loop.time() - connection.idle_since <= REUSE_UNSAFE_WITHIN:
                    return connection
                self._idle.append(connection)
                break
        if self._crowded:
            self._waiting = deque(place for place in self._waiting if not place.waiter.abandoned)
        if self._crowded:
            waiter.not_connected(Failure.POOL_FULL, f"{len(self._waiting)} requests already wait for {self.authority}")
            return None
        self._waiting.append(_Place(waiter, fresh))
        if self._idle and self._full:
            self._idle.popleft().discard()  # It will not do for this request; another can be opened in its place.
        self._open_more()
        return None

    def back(self, connection: UpstreamConnection) -> None:
        """A connection whose answer is complete: for the next who waits, or idle."""
        connection.idle_since = self._loop.time()
        if self._serve(connection, fresh=False):
            return
        if self._retired or (self._waiting and self._full):
            connection.discard()
        else:
            self._idle.append(connection)

    def gone(self, connection: UpstreamConnection) -> None:
        """A connection was closed; there is room for another."""
        self._open.discard(connection)
        if connection in self._idle:
            self._idle.remove(connection)
        self._open_more()

    def reap(self, now: float) -> None:
        """Close what was idle for too long; called about twice a second."""
        while self._idle and now - self._idle[0].idle_since > self._upstream.idle_timeout:
            self._idle.popleft().discard()

    def retire(self) -> None:
        """Keep no connection any longer than its exchange lasts."""
        self._retired = True
        if self.checker is not None:
            self.checker.stop()
        while self._idle:
            self._idle.pop().discard()

    def state(self) -> PoolState:
        """For metrics."""
        return PoolState(
            upstream=self._upstream.name,
            endpoint=self.authority,
            idle=len(self._idle),
            active=len(self._open) - len(self._idle),
            pending=sum(not place.waiter.abandoned for place in self._waiting),
            opened=self._opened_ever,
        )

    @property
    def load(self) -> int:
        """Requests under way, and those that wait."""
        return len(self._open) - len(self._idle) + len(self._waiting)

    # What became of the requests, where that changes anything: see ``Standing``

    @property
    def ejected(self) -> bool:
        """Whether others are asked in its place for what it answered."""
        return self.standing.ejected(self._loop.time())

    def note_answer(self, token: object, status: int) -> None:
        """It answered."""
        self.standing.answer(token, status, self._loop.time())

    def note_failure(self, token: object, failure: Failure) -> None:
        """The attempt failed, through whomever."""
        self.standing.failure(token, failure, self._loop.time())

    @property
    def _full(self) -> bool:
        return len(self._open) + self._opening >= self._upstream.max_connections

    @property
    def _crowded(self) -> bool:
        """Whether one more would wait for a connection of others, and as many do so as may."""
        return self._full and not self._idle and len(self._waiting) - self._opening >= self._upstream.max_pending

    def _serve(self, connection: UpstreamConnection, *, fresh: bool) -> bool:
        """Give it to the first who waits and can use it; False if there is nobody, or if it has to make room."""
        waiting = self._waiting
        while waiting and waiting[0].waiter.abandoned:
            waiting.popleft()
        for number, place in enumerate(waiting):
            if place.waiter.abandoned:
                continue
            if place.fresh and not fresh:
                if not number:
                    place.passed_over += 1
                    if place.passed_over == 2:  # Others might always come: this one is closed, and a fresh one opened.
                        return False
                continue
            del waiting[number]
            place.waiter.connected(connection)
            return True
        return False

    def _open_more(self) -> None:
        """Open connections until every waiter has one on its way, or the cap is reached."""
        while self._opening < len(self._waiting) and not self._full:
            self._opening += 1
            task = self._loop.create_task(self._connect())
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def dial(self, home: Home) -> UpstreamConnection:
        """A new connection to the endpoint, which belongs to ``home``. Raises ``OSError``."""
        connection = UpstreamConnection(home, self._parser, self._cork)
        try:
            if self._security is not None:
                await self._security.connect(connection, self.endpoint)
            else:
                await self._loop.create_connection(lambda: connection, self.endpoint.host, self.endpoint.port)
        except UnicodeError as error:
            raise OSError(f"{self.endpoint.host} is no name that can be looked up: {error}") from error
        return connection

    async def _connect(self) -> None:
        try:
            async with asyncio.timeout(self._upstream.connect_timeout):
                connection = await self.dial(self)
        except TimeoutError:
            seconds = self._upstream.connect_timeout
            self._not_opened(Failure.CONNECT_TIMEOUT, f"no connection to {self.authority} within {seconds:g} s")
        except HandshakeFailed as error:
            self._not_opened(Failure.TLS, f"no TLS with {self.authority}: {error}")
        except OSError as error:
            ours = error.errno in OUT_OF_DESCRIPTORS
            self._not_opened(
                Failure.DESCRIPTORS if ours else Failure.CONNECT,
                f"no connection to {self.authority}: {error.strerror or error}",
            )
        else:
            if connection.closed:
                self._not_opened(Failure.CONNECT, f"{self.authority} closed the connection as soon as it was open")
            else:
                self._opened(connection)

    def _opened(self, connection: UpstreamConnection) -> None:
        self._opening -= 1
        self._open.add(connection)
        self._opened_ever += 1
        if not self._serve(connection, fresh=True):
            self.back(connection)

    def _not_opened(self, failure: Failure, detail: str) -> None:
        """One attempt failed: so does the one who has waited longest."""
        self._opening -= 1
        while self._waiting:
            waiter = self._waiting.popleft().waiter
            if not waiter.abandoned:
                waiter.not_connected(failure, detail)
                break
        self._open_more()
