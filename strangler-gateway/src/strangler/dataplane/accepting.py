"""Accepting connections for as long as there are descriptors for what may come of them.

Where none is left, libuv accepts a connection and closes it at once, so that its event loop does not spin, and a client
sees its connection end for no reason. So the worker stops before: what comes next waits in the socket, for a better
moment or for the worker's successor.
"""

import asyncio
import logging
import resource
import select
import socket
from collections.abc import Callable

from strangler.telemetry.families.processes import ACCEPT_PAUSES
from strangler.telemetry.meters import Meters

BACKLOG = 4096
"""Connections that may wait to be accepted; the kernel's own limit may be lower."""
OWN = 64
"""Descriptors of the worker itself: sockets of the links, logs, event loop, and what is opened now and then."""
FOR_UPSTREAMS = 4096
"""Kept free for connections to applications; half of what there is, where that is less."""

logger = logging.getLogger("strangler.dataplane")


class Accepting:
    """A worker's end of the listening socket."""

    def __init__(self, begin: Callable[[], asyncio.BaseProtocol], open_now: Callable[[], int], meters: Meters) -> None:
        """``begin`` makes the protocol of a new connection, ``open_now`` says how many there are."""
        self._begin = begin
        self._open_now = open_now
        self._pauses = meters.of(ACCEPT_PAUSES)
        self._loop = asyncio.get_running_loop()
        self._listener: socket.socket | None = None
        self._server: asyncio.Server | None = None
        self._reopening: asyncio.Task[None] | None = None
        self._room = room(descriptors())

    @property
    def begun(self) -> bool:
        """Whether it has begun; pauses do not count."""
        return self._listener is not None

    async def open(self, listener: socket.socket) -> None:
        """Begin to accept."""
        self._listener = listener
        await self._listen()

    def look(self) -> None:
        """Pause or go on, as there is room; called about twice a second, since the limit may change too."""
        self._room = room(descriptors())
        if self._listener is None or self._reopening is not None:
            return
        if self._server is not None and self._open_now() >= self._room:
            self._pause()
        elif self._server is None and self._open_now() < self._room - self._room // 16:
            self._reopening = self._loop.create_task(self._go_on())

    async def close(self) -> None:
        """Accept those who are connected already, then nobody, for good: once every worker has done so the port is
        closed, and the kernel resets whoever still waits."""
        if self._listener is not None:
            waiting = select.poll()
            waiting.register(self._listener, select.POLLIN)
            # libuv accepts one connection in a turn of its event loop.
            for _ in range(BACKLOG):
                if self._server is None or not waiting.poll(0):
                    break
                await asyncio.sleep(0)
            self._listener.close()
            self._listener = None
        if self._reopening is not None:
            self._reopening.cancel()
        if self._server is not None:
            self._server.close()

    def _accepted(self) -> asyncio.BaseProtocol:
        if self._open_now() + 1 >= self._room:
            self._loop.call_soon(self._pause)  # Before the event loop looks for the next one.
        return self._begin()

    async def _listen(self) -> None:
        assert self._listener is not None
        # A copy: the server closes what it was given, and this worker may want to go on later.
        self._server = await self._loop.create_server(self._accepted, sock=self._listener.dup(), backlog=BACKLOG)

    def _pause(self) -> None:
        server, self._server = self._server, None
        if server is not None:
            server.close()
            self._pauses.value += 1
            logger.warning(
                "no more than %d connections fit into %d descriptors: others wait until some have closed; "
                "give the gateway more (LimitNOFILE in systemd, --ulimit nofile in Docker)",
                self._room,
                descriptors(),
            )

    async def _go_on(self) -> None:
        try:
            await self._listen()
        except OSError as error:
            logger.warning("accepting cannot go on yet: %s", error)
        finally:
            self._reopening = None


def descriptors() -> int:
    """How many this process may have."""
    limit = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    return 1 << 30 if limit == resource.RLIM_INFINITY else limit


def room(limit: int) -> int:
    """How many client connections fit: each may want a connection to an application."""
    left = max(2, limit - OWN)
    return left - min(left // 2, FOR_UPSTREAMS)
