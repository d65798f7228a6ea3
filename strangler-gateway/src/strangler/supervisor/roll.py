"""The roll: which worker sits in which slot, and what each has acknowledged. No I/O."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass

from strangler.link.stream import Link
from strangler.model.flag import Kill
from strangler.model.hold import HoldState
from strangler.model.messages import Alive, Roster, Slot, Status


@dataclass(slots=True)
class Seat:
    """One slot and the worker in it. Everything but ``slot`` and ``restarts`` belongs to the process ``pid``."""

    slot: int
    pid: int = 0
    """0 while the worker is being replaced."""
    link: Link | None = None
    has_linked: bool = False
    """Once it has, it may serve requests, and under the kills that it was told last."""
    ready: bool = False
    has_been_ready: bool = False
    revision: int = 0
    acknowledged: int = 0
    """The generation of kills that it has acknowledged."""
    restarts: int = 0
    silent: int = 0
    """Looks of the watch since the worker last said anything."""

    def take(self, pid: int) -> None:
        """A new worker sits down."""
        self.leave()
        self.pid = pid

    def leave(self) -> None:
        """The worker has died."""
        self.pid = self.revision = self.acknowledged = 0
        self.link = None
        self.has_linked = self.ready = self.has_been_ready = False
        self.silent = 0

    def hear(self, status: Status) -> None:
        """The worker says how it is."""
        self.ready, self.revision = status.accepting, status.revision
        self.silent = 0
        self.has_been_ready |= self.ready


class Roll:
    """All seats of a gateway, and the processes beside the workers."""

    def __init__(self, slots: int) -> None:
        self.seats = tuple(Seat(slot) for slot in range(slots))
        self.control_pid = 0
        self.control_has_linked = False
        self.comparator_pid = 0
        self.comparator_silent: int | None = None
        """Looks of the watch since the comparator last said anything; None before its first word."""
        self.is_ending = False
        self._changed = asyncio.Event()

    def hear_comparator(self, word: Alive) -> None:
        """A comparator lives; the word of one that has been replaced may come late."""
        if word.pid == self.comparator_pid:
            self.comparator_silent = 0

    def changed(self) -> None:
        """Wake everybody who waits for something to become true; to be called after any change."""
        self._changed.set()
        self._changed = asyncio.Event()

    async def until(self, condition: Callable[[], bool]) -> None:
        """Wait until ``condition`` holds; it is looked at after each change."""
        while not condition():
            await self.next_change()

    async def next_change(self) -> None:
        """Wait until something has changed after this call."""
        await self._changed.wait()

    def is_ready(self) -> bool:
        """Whether every slot has a worker that accepts connections."""
        return not self.is_ending and all(seat.ready for seat in self.seats)

    def is_empty(self) -> bool:
        """Whether no worker is alive."""
        return not any(seat.pid for seat in self.seats)

    def behind(self, generation: int) -> set[tuple[int, int]]:
        """Slot and pid of every living worker that may serve requests under older kills than ``generation``.

        A worker that has not linked yet is not among them: it is told the kills before it accepts anything.
        """
        return {(seat.slot, seat.pid) for seat in self.seats if seat.has_linked and seat.acknowledged < generation}

    def roster(self, *, kills: tuple[Kill, ...], listening: tuple[str, ...], holds: tuple[HoldState, ...]) -> Roster:
        """The roll as it is told to others."""
        slots = tuple(Slot(seat.slot, seat.pid, seat.ready, seat.revision, seat.restarts) for seat in self.seats)
        return Roster(slots, kills, self.control_pid, listening, holds, self.comparator_pid)
