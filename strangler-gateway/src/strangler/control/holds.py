"""Holds of a module's writes: asked of the supervisor, which does them, and written to the audit."""

import asyncio
import logging
import os
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path

from strangler.config.loaded import Topology
from strangler.config.nearness import near_names
from strangler.control.store import Change, ChangeKind, Store, StoreUnavailable
from strangler.control.supervisor_client import SupervisorLost
from strangler.control.targets import UnknownTarget
from strangler.link.codec import LinkError
from strangler.link.stream import connect
from strangler.model.errors import StranglerError
from strangler.model.hold import Hold, HoldState
from strangler.model.messages import Hello, HoldReply, HoldRequest, Refused, ReleaseRequest

logger = logging.getLogger(__name__)

ANSWER_SECONDS = 5.0
"""Beyond the patience that was asked for."""
REPLY_LEAD = 0.5
"""Seconds by which the roster may be ahead of the reply that explains it."""


class HoldRefused(StranglerError):
    """The module is held already, or is not held."""


@dataclass(frozen=True, slots=True)
class Held:
    """What a hold or a release came to, and the routes that it is about."""

    reply: HoldReply
    routes: tuple[str, ...]
    warnings: tuple[str, ...] = ()


def routes_that_write(topology: Topology, module: str) -> tuple[str, ...]:
    """Never none. Raises ``NothingWrites``."""
    names = tuple(route.name for route in topology.routes if module in route.writes)
    if not names:
        raise NothingWrites(module, {written for route in topology.routes for written in route.writes})
    return names


class NothingWrites(UnknownTarget):
    """No route declares to write the module: there would be nothing to hold."""

    def __init__(self, module: str, known: Iterable[str]) -> None:
        super().__init__(module, near_names(module, sorted(known)))
        hint = f"; did you mean {' or '.join(self.near)}?" if self.near else ""
        self.args = (f"no route declares to write «{module}», so there is nothing to hold{hint}; see `writes:`",)


class Holds:
    """Asks for holds, and keeps their history."""

    def __init__(self, supervisor_socket: Path, store: Store) -> None:
        self._socket = supervisor_socket
        self._store = store
        self._in_force: dict[int, HoldState] = {}
        self._explained: set[int] = set()
        """Holds whose end is in the history, or will be when the answer to whoever asked for it has come."""
        self._writing: set[asyncio.Task[None]] = set()

    async def hold(self, topology: Topology, request: HoldRequest) -> Held:
        """Write to the audit first: a hold whose author is not known is not begun.

        Raises ``NothingWrites``, ``HoldRefused``, ``StoreUnavailable``, ``SupervisorLost``.
        """
        module, author = request.module, request.author
        routes = routes_that_write(topology, module)
        other = next((state.hold for state in self._in_force.values() if state.hold.module == module), None)
        if other is not None:
            raise HoldRefused(f"«{module}» is held already, by {other.author} since {other.at}; release it first")
        after: dict[str, object] = {"held": True, "module": module, "seconds": request.seconds, "max": request.most}
        await asyncio.to_thread(
            self._record, Change(ChangeKind.HOLD, author, request.reason, None, {"held": False}, after), routes
        )
        try:
            reply = await self._ask(request, request.patience)
        except StranglerError as error:
            await self._note_release(module, author, f"not begun: {error}", routes)
            raise
        if reply.in_force or reply.hold is None:
            return Held(reply, routes)
        self._explained.add(reply.hold.number)
        why = f"not every write was over within {reply.seconds:.1f} s"
        return Held(reply, routes, await self._note_release(module, author, why, routes))

    async def release(self, topology: Topology, request: ReleaseRequest) -> Held:
        """Release first, since clients wait; then write it down. Raises ``HoldRefused``, ``SupervisorLost``."""
        module = request.module
        self._explained |= {number for number, state in self._in_force.items() if state.hold.module == module}
        reply = await self._ask(request, 0.0)
        routes = tuple(route.name for route in topology.routes if module in route.writes)
        return Held(reply, routes, await self._note_release(module, request.author, request.reason, routes))

    def hear(self, states: tuple[HoldState, ...], topology: Topology) -> None:
        """What the supervisor's roster says now; a hold that is gone and was not released has ended by itself."""
        now = {state.hold.number: state for state in states}
        for number in self._in_force.keys() - now.keys():
            task = asyncio.create_task(self._note_end(self._in_force[number].hold, topology))
            self._writing.add(task)
            task.add_done_callback(self._writing.discard)
        self._in_force = now

    async def _note_end(self, hold: Hold, topology: Topology) -> None:
        await asyncio.sleep(REPLY_LEAD)
        if hold.number in self._explained:
            self._explained.discard(hold.number)
            return
        routes = tuple(route.name for route in topology.routes if hold.module in route.writes)
        why = f"it ended by itself after {hold.seconds:g} s; it was held for: {hold.reason}"
        await self._note_release(hold.module, "gateway", why, routes)

    async def _note_release(self, module: str, author: str, reason: str, routes: tuple[str, ...]) -> tuple[str, ...]:
        """What to warn of, if it cannot be written."""
        before: dict[str, object] = {"held": True, "module": module}
        try:
            await asyncio.to_thread(
                self._record, Change(ChangeKind.RELEASE, author, reason, None, before, {"held": False}), routes
            )
        except StoreUnavailable as error:
            logger.error("the release of %s is not in the history: %s", module, error)
            return (f"the release is not in the history: {error}",)
        return ()

    def _record(self, change: Change, routes: tuple[str, ...]) -> None:
        """One row for each route that writes the module, so that each route's history is whole."""
        with self._store.writing() as writing:
            writing.record(replace(change, route=route) for route in routes)

    async def _ask(self, request: HoldRequest | ReleaseRequest, patience: float) -> HoldReply:
        """On a line of its own: what waits for writes to end must not keep a kill waiting."""
        try:
            async with asyncio.timeout(patience + ANSWER_SECONDS):
                link = await connect(self._socket)
                try:
                    link.send(Hello("control", os.getpid()))
                    link.send(request)
                    async for message in link.receive():
                        if isinstance(message, HoldReply):
                            if message.error:
                                raise HoldRefused(message.error)
                            return message
                        if isinstance(message, Refused):
                            raise SupervisorLost(f"the supervisor refuses: {message.reason}")
                finally:
                    link.close()
        except (OSError, TimeoutError, LinkError) as error:
            raise SupervisorLost(f"the supervisor does not answer on {self._socket}: {error}") from error
        raise SupervisorLost("the supervisor ended before it answered")
