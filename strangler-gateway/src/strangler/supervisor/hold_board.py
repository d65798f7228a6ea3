"""The holds in force: told to every worker, ended in time, and how far each worker is with each of them.

They are kept in memory only, here, where a worker is told everything before it accepts anything: a worker that is
replaced gets them, and a control that dies takes nothing with it. No hold outlives its time or this process.
"""

import asyncio
import contextlib
import itertools
import logging
import time
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

from strangler.model.hold import Hold, HoldAt, HoldState
from strangler.model.messages import HoldEnd, HoldPush, HoldReply, HoldReport, HoldRequest, Message, ReleaseRequest
from strangler.supervisor.roll import Roll, Seat

logger = logging.getLogger(__name__)

RELEASE_TIME = 2.0
"""Seconds that workers have to acknowledge the end of a hold; who has not by then is named in the reply."""
AFTERMATH = 0.25
"""Seconds after a hold's own end at which workers are told again, for one that was asleep when it began."""


@dataclass(eq=False, slots=True)
class _InForce:
    """A hold, and what was heard of it by slot and pid."""

    hold: Hold
    began: float
    timer: asyncio.TimerHandle | None = None
    heard: dict[tuple[int, int], HoldAt] = field(default_factory=dict)
    ended: set[tuple[int, int]] = field(default_factory=set)

    def left(self) -> float:
        return max(0.0, self.began + self.hold.seconds - time.monotonic())


class HoldBoard:
    """All holds of a gateway, at most one per module."""

    def __init__(self, roll: Roll) -> None:
        self._roll = roll
        self._numbers = itertools.count(1)
        self._in_force: dict[str, _InForce] = {}
        self._known: dict[int, _InForce] = {}
        """With those that are over, for as long as somebody waits for their end."""

    # What workers are told, and tell

    def pushes(self) -> list[HoldPush]:
        """What a worker has to know before it accepts anything."""
        return [HoldPush(replace(held.hold, seconds=held.left())) for held in self._in_force.values()]

    def hear(self, seat: Seat, report: HoldReport) -> None:
        """A worker says how far it is."""
        held = self._known.get(report.number)
        if held is None:
            return
        key = (seat.slot, seat.pid)
        before = held.heard.get(key)
        is_drained = not report.in_flight
        was_drained = before is not None and before.drained
        since = before.seconds if before is not None and was_drained else time.monotonic() - held.began
        held.heard[key] = HoldAt(seat.slot, is_drained or was_drained, report.in_flight, report.held, since)
        if report.ended:
            held.ended.add(key)
        self._roll.changed()

    def states(self) -> tuple[HoldState, ...]:
        """Every hold, by module, for the roster."""
        return tuple(HoldState(held.hold, self._workers(held)) for _, held in sorted(self._in_force.items()))

    # What operators ask for

    async def hold(self, request: HoldRequest) -> HoldReply:
        """Hold a module's writes, and wait until none is in flight in any worker; else end it again.

        1. every worker is told: what comes from now on waits
        2. every worker that may serve has said that nothing is in flight there, or the patience is over
        3. if it is over: end the hold, unless it was to be kept
        """
        if request.module in self._in_force:
            other = self._in_force[request.module].hold
            why = f"«{request.module}» is held already, by {other.author} since {other.at}: {other.reason}"
            return HoldReply(other, (), True, (), 0.0, error=f"{why}; release it first")
        held = self._begin(request)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(min(request.patience, request.seconds)):
                await self._roll.until(lambda: not self._missing(held) or not self._is_in_force(held))
        took = time.monotonic() - held.began
        missing, workers = self._missing(held), self._workers(held)
        if missing and not request.keep and self._is_in_force(held):
            self._end(held)
            self._broadcast(HoldEnd(held.hold.number))
        return HoldReply(held.hold, workers, self._is_in_force(held), missing, took)

    async def release(self, request: ReleaseRequest) -> HoldReply:
        """End a module's hold, and wait until every worker has let its requests go."""
        held = self._in_force.get(request.module)
        if held is None:
            return HoldReply(None, (), False, (), 0.0, error=f"«{request.module}» is not held")
        began = time.monotonic()
        logger.warning("%s is released by %s: %s", request.module, request.author, request.reason)
        self._end(held)
        self._broadcast(HoldEnd(held.hold.number))
        concerned = {(seat.slot, seat.pid) for seat in self._roll.seats if seat.has_linked}

        def missing() -> set[tuple[int, int]]:
            there = {(seat.slot, seat.pid) for seat in self._roll.seats}
            return concerned & there - held.ended

        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(RELEASE_TIME):
                await self._roll.until(lambda: not missing())
        slots = tuple(sorted(slot for slot, _ in missing()))
        return HoldReply(held.hold, self._workers(held), False, slots, time.monotonic() - began)

    def _begin(self, request: HoldRequest) -> _InForce:
        at = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        number = next(self._numbers)
        hold = Hold(number, request.module, request.author, request.reason, at, request.seconds, request.most)
        held = _InForce(hold, time.monotonic())
        held.timer = asyncio.get_running_loop().call_later(hold.seconds, self._expire, held)
        self._in_force[hold.module] = self._known[number] = held
        logger.warning("%s is held for %g s by %s: %s", hold.module, hold.seconds, hold.author, hold.reason)
        self._broadcast(HoldPush(hold))
        return held

    def _expire(self, held: _InForce) -> None:
        logger.warning("the hold of %s is over, since its %g s are", held.hold.module, held.hold.seconds)
        self._end(held)
        asyncio.get_running_loop().call_later(AFTERMATH, self._broadcast, HoldEnd(held.hold.number))

    def _end(self, held: _InForce) -> None:
        if held.timer is not None:
            held.timer.cancel()
        del self._in_force[held.hold.module]
        asyncio.get_running_loop().call_later(2 * RELEASE_TIME, self._known.pop, held.hold.number)
        self._roll.changed()

    def _is_in_force(self, held: _InForce) -> bool:
        return self._in_force.get(held.hold.module) is held

    def _broadcast(self, message: Message) -> None:
        for seat in self._roll.seats:
            if seat.link is not None:
                seat.link.send(message)
        self._roll.changed()

    def _missing(self, held: _InForce) -> tuple[int, ...]:
        """Slots whose worker may have a write in flight. One that has not linked yet is told before it accepts."""
        return tuple(
            seat.slot
            for seat in self._roll.seats
            if seat.has_linked and not ((at := held.heard.get((seat.slot, seat.pid))) and at.drained)
        )

    def _workers(self, held: _InForce) -> tuple[HoldAt, ...]:
        """Those that may serve; one that has not answered counts as not drained."""
        unheard = HoldAt(-1, drained=False, in_flight=0, held=0, seconds=0.0)
        return tuple(
            held.heard.get((seat.slot, seat.pid), replace(unheard, slot=seat.slot))
            for seat in self._roll.seats
            if seat.has_linked
        )
