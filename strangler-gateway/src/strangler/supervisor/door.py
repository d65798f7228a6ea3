"""The supervisor's end of the control link: workers report here; control and the command line ask here."""

import asyncio
import contextlib
import logging
import os
import time
from collections.abc import AsyncIterator, Callable, Coroutine
from datetime import UTC, datetime

from strangler.link.codec import LinkError
from strangler.link.stream import Link
from strangler.model.messages import (
    PROTOCOL,
    Alive,
    Hello,
    HoldReply,
    HoldReport,
    HoldRequest,
    KillEventsRequest,
    KillReply,
    KillRequest,
    KillsAck,
    KillsPush,
    Message,
    Refused,
    ReleaseRequest,
    Roster,
    RosterRequest,
    ShutdownRequest,
    Status,
)
from strangler.supervisor.hold_board import HoldBoard
from strangler.supervisor.kill_ledger import KillLedger
from strangler.supervisor.roll import Roll, Seat
from strangler.supervisor.state_folder import StateFolder

logger = logging.getLogger(__name__)

GREETING_TIME = 5.0
"""Seconds until a connection must have said Hello."""
KILL_TIME = 2.0
"""Seconds that workers have to acknowledge a kill; who has not by then is named in the reply."""


class Door:
    """Listens on ``supervisor.sock`` (mode 0600: who may connect may kill routes and end the gateway)."""

    def __init__(
        self,
        folder: StateFolder,
        roll: Roll,
        ledger: KillLedger,
        *,
        listening: tuple[str, ...],
        on_shutdown: Callable[[], None],
    ) -> None:
        self._folder = folder
        self._roll = roll
        self._ledger = ledger
        self._holds = HoldBoard(roll)
        self._listening = listening
        self._on_shutdown = on_shutdown
        self._roster_readers: dict[Link, Roster] = {}
        """Who asked for the roster, with what each was told last."""
        self._event_readers: set[Link] = set()
        self._server: asyncio.Server | None = None
        self._replies: set[asyncio.Task[None]] = set()

    async def open(self) -> None:
        """Listen. A socket left by a crashed supervisor is replaced: the caller holds the folder's lock."""
        path = self._folder.supervisor_socket
        path.unlink(missing_ok=True)
        before = os.umask(0o177)
        try:
            self._server = await asyncio.start_unix_server(self._serve, str(path))
        finally:
            os.umask(before)

    async def tell_roster(self) -> None:
        """For ever: send the roster, whenever it has become another, to those who asked for it."""
        while True:
            roster = self._roster()
            for link, told in self._roster_readers.items():
                if told != roster:
                    self._roster_readers[link] = roster
                    link.send(roster)
            await self._roll.next_change()

    def close(self) -> None:
        """Listen no longer; open connections stay until the process ends."""
        if self._server is not None:
            self._server.close()
        self._folder.supervisor_socket.unlink(missing_ok=True)

    # A connection, from its Hello to its end

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        link = Link(reader, writer)
        messages = link.receive()
        seat: Seat | None = None
        try:
            hello = await _greeting(messages)
            if hello is None:
                return
            if refusal := self._refusal(hello):
                link.send(Refused(refusal))
                return
            if isinstance(hello, Hello) and hello.role == "worker":
                seat = self._roll.seats[hello.slot]
                self._admit(seat, link, hello)
            elif isinstance(hello, Hello) and (hello.role, hello.pid) == ("control", self._roll.control_pid):
                self._roll.control_has_linked = True
            async for message in messages:
                self._handle(message, link, seat)
        except LinkError as error:
            link.send(Refused(str(error)))
        except TimeoutError:
            link.send(Refused(f"no Hello within {GREETING_TIME:g} s"))
        finally:
            self._roster_readers.pop(link, None)
            self._event_readers.discard(link)
            if seat is not None and seat.link is link:
                seat.link, seat.ready = None, False
                self._roll.changed()
            link.close()

    def _refusal(self, hello: Message) -> str:
        if not isinstance(hello, Hello):
            return f"the first message must be Hello, not {type(hello).__name__}"
        if hello.protocol != PROTOCOL:
            return (
                f"protocol {hello.protocol} is not spoken here, only {PROTOCOL}; all processes must be of one version"
            )
        if hello.role == "worker" and not any(
            (seat.slot, seat.pid) == (hello.slot, hello.pid) for seat in self._roll.seats
        ):
            return f"process {hello.pid} is not the worker of slot {hello.slot}"
        return ""

    def _admit(self, seat: Seat, link: Link, hello: Hello) -> None:
        seat.link, seat.has_linked, seat.revision = link, True, hello.revision
        for push in self._holds.pushes():  # before the kills, without which it does not accept
            link.send(push)
        link.send(self._kills())
        self._roll.changed()

    def _handle(self, message: Message, link: Link, seat: Seat | None) -> None:
        match message:
            case Status() | KillsAck() | HoldReport() if seat is not None and seat.link is link:
                self._hear(message, seat)
            case Alive():
                self._roll.hear_comparator(message)
            case KillRequest():
                self._kill(message, link)
            case HoldRequest():
                self._keep(self._reply_to_hold(link, self._holds.hold(message)))
            case ReleaseRequest():
                self._keep(self._reply_to_hold(link, self._holds.release(message)))
            case RosterRequest():
                self._roster_readers[link] = roster = self._roster()
                link.send(roster)
            case KillEventsRequest():
                for event in self._ledger.events_after(message.after):
                    link.send(event)
                self._event_readers.add(link)
            case ShutdownRequest():
                self._on_shutdown()
            case _:
                raise LinkError(f"{type(message).__name__} is not for the supervisor")

    def _hear(self, message: Status | KillsAck | HoldReport, seat: Seat) -> None:
        """A worker says how it is."""
        if isinstance(message, HoldReport):
            self._holds.hear(seat, message)
            return
        if isinstance(message, Status):
            seat.hear(message)
        else:
            seat.acknowledged = message.generation
        self._roll.changed()

    # Kills

    def _kill(self, request: KillRequest, link: Link) -> None:
        """Make it durable, then tell every worker, then wait for them beside the connection's other messages."""
        began = time.monotonic()
        try:
            event = self._ledger.record(request, datetime.now(UTC))
        except OSError as error:
            where = f"{self._folder.kills_log} cannot be written ({error.strerror}); nothing was changed"
            link.send(KillReply(self._ledger.generation, self._ledger.kills, (), 0.0, error=where))
            return
        if event is not None:
            logger.warning(
                "%s %s by %s: %s",
                ", ".join(event.routes),
                "lifted" if event.lift else "killed",
                event.author,
                event.reason,
            )
            push = self._kills()
            for seat in self._roll.seats:
                if seat.link is not None:
                    seat.link.send(push)
            for reader in self._event_readers:
                reader.send(event)
            self._roll.changed()
        self._keep(self._reply_when_acknowledged(link, self._ledger.generation, began))

    def _keep(self, answering: Coroutine[None, None, None]) -> None:
        """Answer beside the connection's other messages, and whether or not it is still there."""
        reply = asyncio.create_task(answering)
        self._replies.add(reply)
        reply.add_done_callback(self._replies.discard)

    async def _reply_to_hold(self, link: Link, answer: Coroutine[None, None, HoldReply]) -> None:
        link.send(await answer)

    async def _reply_when_acknowledged(self, link: Link, generation: int, began: float) -> None:
        concerned = self._roll.behind(generation)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(KILL_TIME):
                await self._roll.until(lambda: not concerned & self._roll.behind(generation))
        missing = tuple(sorted(slot for slot, _ in concerned & self._roll.behind(generation)))
        link.send(KillReply(generation, self._ledger.kills, missing, time.monotonic() - began))

    def _kills(self) -> KillsPush:
        return KillsPush(self._ledger.generation, self._ledger.kills)

    def _roster(self) -> Roster:
        return self._roll.roster(kills=self._ledger.kills, listening=self._listening, holds=self._holds.states())


async def _greeting(messages: AsyncIterator[Message]) -> Message | None:
    """The first message, or None if the other side closed without one."""
    async with asyncio.timeout(GREETING_TIME):
        return await anext(messages, None)
