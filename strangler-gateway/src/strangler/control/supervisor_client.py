"""Control's line to the supervisor: who should be there, what was killed, and kills that are asked for over the API."""

import asyncio
import logging
import os
from collections import deque
from collections.abc import Callable
from pathlib import Path

from strangler.control.store import Change, ChangeKind, Store, StoreUnavailable
from strangler.control.workers import Workers
from strangler.link.codec import LinkError
from strangler.link.stream import Link, connect
from strangler.model.errors import StranglerError
from strangler.model.messages import (
    Hello,
    KillEvent,
    KillEventsRequest,
    KillReply,
    KillRequest,
    Message,
    Refused,
    Roster,
    RosterRequest,
)

logger = logging.getLogger(__name__)

RECONNECT_SECONDS = 0.2
STORE_RETRY_SECONDS = 1.0
KILL_SECONDS = 10.0
"""How long a kill may take; the supervisor itself waits for its workers less than that."""


class SupervisorLost(StranglerError):
    """The supervisor does not answer; nothing is known to have changed."""


class SupervisorClient:
    """Connects for ever, from ``run``; between connections the last roster stays."""

    def __init__(self, path: Path, store: Store, workers: Workers, revision: Callable[[], int]) -> None:
        self._path = path
        self._store = store
        self._workers = workers
        self._revision = revision
        self._link: Link | None = None
        self._asking = asyncio.Lock()
        self._reply: asyncio.Future[KillReply] | None = None
        self._unmerged: deque[KillEvent] = deque()
        self._has_unmerged = asyncio.Event()
        self.roster = Roster(())
        self.on_roster: Callable[[Roster], None] = lambda _: None
        """Called with each roster that comes."""

    @property
    def connected(self) -> bool:
        """Whether the line stands."""
        return self._link is not None

    @property
    def killed(self) -> frozenset[str]:
        """The routes whose kill is in force, as far as is known."""
        return frozenset(kill.route for kill in self.roster.kills)

    async def run(self) -> None:
        """Keep the line up, and the audit complete, until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._stay_connected())
            tasks.create_task(self._merge())

    async def kill(self, request: KillRequest) -> KillReply:
        """Ask for kills or for lifting them. Raises ``SupervisorLost``."""
        async with self._asking:
            if self._link is None:
                raise SupervisorLost(f"the supervisor is not connected ({self._path}); is `strangler serve` running?")
            self._reply = asyncio.get_running_loop().create_future()
            self._link.send(request)
            try:
                async with asyncio.timeout(KILL_SECONDS):
                    return await self._reply
            except TimeoutError:
                raise SupervisorLost(f"the supervisor did not answer within {KILL_SECONDS:.0f} s") from None
            finally:
                self._reply = None

    async def _stay_connected(self) -> None:
        while True:
            try:
                await self._converse(await connect(self._path))
            except (OSError, LinkError, StoreUnavailable) as error:
                logger.debug("no line to the supervisor: %s", error)
            await asyncio.sleep(RECONNECT_SECONDS)

    async def _converse(self, link: Link) -> None:
        try:
            after = await asyncio.to_thread(self._store.kill_sequence)
            link.send(Hello("control", os.getpid(), revision=self._revision()))
            link.send(RosterRequest())
            link.send(KillEventsRequest(after))
            self._link = link
            async for message in link.receive():
                self._hear(message)
        finally:
            self._link = None
            link.close()
            if self._reply is not None and not self._reply.done():
                self._reply.set_exception(SupervisorLost("the supervisor ended before it answered"))

    def _hear(self, message: Message) -> None:
        match message:
            case Roster():
                self.roster = message
                self._workers.expect(slot.slot for slot in message.slots)
                self.on_roster(message)
            case KillEvent():
                self._unmerged.append(message)
                self._has_unmerged.set()
            case KillReply():
                if self._reply is not None and not self._reply.done():
                    self._reply.set_result(message)
            case Refused():
                logger.error("the supervisor refused control: %s", message.reason)
            case _:
                logger.warning("the supervisor sent %s, which is not for control", type(message).__name__)

    async def _merge(self) -> None:
        """Bring kill events into the audit, in their order; a store that is away is waited for."""
        while True:
            await self._has_unmerged.wait()
            self._has_unmerged.clear()
            while self._unmerged:
                events = tuple(self._unmerged)
                try:
                    await asyncio.to_thread(merge_kill_events, self._store, events)
                except StoreUnavailable as error:
                    logger.warning("kills are not in the audit yet: %s", error)
                    await asyncio.sleep(STORE_RETRY_SECONDS)
                    continue
                for _ in events:
                    self._unmerged.popleft()


def merge_kill_events(store: Store, events: tuple[KillEvent, ...]) -> None:
    """Write each event to the audit exactly once, however often it is sent: its number is kept with it."""
    with store.writing() as writing:
        new = sorted({event.sequence: event for event in events if event.sequence > writing.kill_sequence}.items())
        if not new:
            return
        writing.record(change for _, event in new for change in _changes(event))
        writing.merged_kills(new[-1][0])


def _changes(event: KillEvent) -> list[Change]:
    action = ChangeKind.LIFT if event.lift else ChangeKind.KILL
    before, after = {"killed": event.lift}, {"killed": not event.lift}
    return [Change(action, event.author, event.reason, route, before, after, event.at) for route in event.routes]
