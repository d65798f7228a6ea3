"""Control's line to the comparator: snapshots go there as to workers, and the order to begin a new run."""

import asyncio
import contextlib

from strangler.link.stream import Link
from strangler.model.errors import StranglerError
from strangler.model.messages import BeginRun, RunBegun

PATIENCE = 5.0
"""Seconds for the comparator to write down that a run has begun."""
ARRIVAL = 8.0
"""Seconds for a comparator that is being started to connect."""


class ComparatorLost(StranglerError):
    """The comparator does not answer; nothing is known to have changed."""


class ComparatorLine:
    """At most one comparator is on the line: the one that came last."""

    def __init__(self) -> None:
        self._link: Link | None = None
        self._stands = asyncio.Event()
        self._asking = asyncio.Lock()
        self._reply: asyncio.Future[RunBegun] | None = None
        self._asked = ""
        """The route that ``_reply`` is about."""

    @property
    def connected(self) -> bool:
        """Whether the line stands."""
        return self._link is not None

    def join(self, link: Link) -> None:
        """A comparator said Hello."""
        self._link = link
        self._stands.set()

    async def wait(self) -> Link:
        """The connection, once it stands: a comparator that has just been started takes a moment.

        Raises ``ComparatorLost``."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(ARRIVAL):
                await self._stands.wait()
        if self._link is None:
            raise ComparatorLost(
                f"the comparator has not been connected for {ARRIVAL:g} s; it is started again by itself, and "
                "the log of `strangler serve` says what ended it"
            )
        return self._link

    def leave(self, link: Link) -> None:
        """Its connection ended."""
        if self._link is link:
            self._link = None
            self._stands.clear()
            if self._reply is not None and not self._reply.done():
                self._reply.set_exception(ComparatorLost("the comparator ended before it answered; ask again"))

    def hear(self, begun: RunBegun) -> None:
        """It answers, and perhaps too late, when nobody waits for it any more."""
        if self._reply is not None and not self._reply.done() and begun.route == self._asked:
            self._reply.set_result(begun)

    async def begin_run(self, order: BeginRun) -> RunBegun:
        """Have a new run begin. Raises ``ComparatorLost``."""
        async with self._asking:
            link = await self.wait()
            self._reply, self._asked = asyncio.get_running_loop().create_future(), order.route
            link.send(order)
            try:
                async with asyncio.timeout(PATIENCE):
                    begun = await self._reply
            except TimeoutError:
                raise ComparatorLost(f"the comparator did not answer within {PATIENCE:g} s") from None
            finally:
                self._reply = None
        if begun.error:
            raise ComparatorLost(f"the comparator could not begin a run of {order.route}: {begun.error}")
        return begun
