"""Holding the writes of a module: which are in flight, which wait, and when that is over. Time comes in from outside.

A worker has one ``Gate`` per module that routes declare to write. Every unsafe request of such a route passes the gates
of all its modules, and is counted there until its last byte. While a module is held its gate has a ``Queue``.
"""

import logging
import math
from collections.abc import Callable, Iterator
from itertools import islice
from typing import TYPE_CHECKING, Protocol

from strangler.model.failure import Failure
from strangler.model.hold import Hold
from strangler.model.messages import HoldReport
from strangler.policies.guard import Denied
from strangler.telemetry.families.holds import HELD_NOW, HELD_TOTAL
from strangler.telemetry.meters import Meters, Reading

if TYPE_CHECKING:
    from strangler.dataplane.exchange import Exchange

logger = logging.getLogger("strangler.dataplane")

SAFE = frozenset((b"GET", b"HEAD", b"OPTIONS", b"TRACE"))
"""Methods that are defined not to change anything (RFC 9110 §9.2.1)."""
AT_ONCE = 64
"""Requests that are let go in one turn of the event loop, so that a thousand of them do not stop everything else."""
LAST_MOMENT = 0.5
"""Seconds before the end of a drain's grace by which those that wait are answered."""


class Waiter(Protocol):
    """Somebody who has a request that may have to wait."""

    def hold_on(self, seconds: float) -> None:
        """The request waits from now on, at most for so long."""

    def go_on(self) -> None:
        """The wait is over."""

    def turn_away(self, denied: Denied) -> None:
        """The wait is over, and was in vain."""

    def abort(self) -> None:
        """Cut the client's connection."""


class Timer(Protocol):
    """Something that happens later."""

    def cancel(self) -> None:
        """It does not happen."""


class Clock(Protocol):
    """The part of an event loop that is needed here."""

    def time(self) -> float:
        """Now, in seconds."""

    def call_later(self, delay: float, callback: Callable[..., object], *args: object) -> Timer:
        """Call it in ``delay`` seconds."""

    def call_soon(self, callback: Callable[..., object], *args: object) -> object:
        """Call it in the next turn."""


class Queue:
    """Those who wait for the end of one hold, in the order in which they came; a request's ``Place`` while it waits."""

    def __init__(self, hold: Hold, ends: float, tally: "Tally") -> None:
        self.hold = hold
        self.ends = ends
        self._tally = tally
        self._waiting: dict[Exchange, Waiter] = {}

    def __len__(self) -> int:
        return len(self._waiting)

    def join(self, exchange: "Exchange", waiter: Waiter, now: float) -> None:
        """Wait, as the last. Raises ``Denied`` where there are enough already."""
        if len(self._waiting) >= self.hold.most:
            self._tally.refused.value += 1
            raise sorry(f"{len(self._waiting)} changes wait already", max(0.0, self.ends - now))
        self._waiting[exchange] = waiter
        exchange.place = self
        waiter.hold_on(self.hold.seconds)

    def leave(self, exchange: "Exchange") -> None:
        """The client has gone."""
        if self._waiting.pop(exchange, None) is not None:
            self._tally.left.value += 1

    def take(self, count: int) -> list[Waiter]:
        """The next ones, which wait no longer."""
        first = list(islice(self._waiting, count))
        for exchange in first:
            exchange.place = None
        return [self._waiting.pop(exchange) for exchange in first]


class Tally:
    """What became of a module's writes that met a hold."""

    def __init__(self, module: str, meters: Meters) -> None:
        self.released = meters.of(HELD_TOTAL, module, "released")
        self.expired = meters.of(HELD_TOTAL, module, "expired")
        self.refused = meters.of(HELD_TOTAL, module, "refused")
        self.left = meters.of(HELD_TOTAL, module, "left")


class Gate:
    """What every write of one module passes."""

    __slots__ = ("in_flight", "module", "on_empty", "queue", "tally")

    def __init__(self, module: str, on_empty: Callable[["Gate"], None], tally: Tally) -> None:
        self.module = module
        self.tally = tally
        self.in_flight = 0
        self.on_empty = on_empty
        """Called when nothing is in flight any more while the module is held."""
        self.queue: Queue | None = None


class Writes:
    """What a route writes: the ``Place`` of its unsafe requests while they are in flight."""

    __slots__ = ("_clock", "_gates")

    def __init__(self, gates: tuple[Gate, ...], clock: Clock) -> None:
        self._gates = gates
        self._clock = clock

    def admit(self, exchange: "Exchange", waiter: Waiter) -> bool:
        """Whether the request may go on; if not it waits. Raises ``Denied`` if it may not even wait.

        A WebSocket can carry anything, so asking for one is a write.
        """
        head = exchange.head
        if head.method in SAFE and not head.fields.websocket:
            return True
        for gate in self._gates:
            if gate.queue is not None:
                gate.queue.join(exchange, waiter, self._clock.time())
                return False
        for gate in self._gates:
            gate.in_flight += 1
        exchange.place = self
        return True

    def leave(self, _exchange: "Exchange") -> None:
        """The request is over."""
        for gate in self._gates:
            gate.in_flight -= 1
            if not gate.in_flight and gate.queue is not None:
                gate.on_empty(gate)


Place = Writes | Queue
"""Where a write is counted: in flight, or waiting."""


class Holds:
    """All gates of a worker. They outlive snapshots, so that what began before a reload is still counted after it."""

    def __init__(self, clock: Clock, report: Callable[[HoldReport], None], meters: Meters) -> None:
        self._clock = clock
        self._report = report
        self._meters = meters
        meters.ask(self._readings)
        self._gates: dict[str, Gate] = {}
        self._timers: dict[int, Timer] = {}

    def writes(self, modules: tuple[str, ...]) -> Writes | None:
        """The gates of a route that writes these modules; None for a route that writes nothing."""
        return Writes(tuple(map(self._gate, modules)), self._clock) if modules else None

    def begin(self, hold: Hold) -> None:
        """Let no more writes of the module pass. A hold that is there already gives way to it, with those who wait."""
        gate = self._gate(hold.module)
        before, gate.queue = gate.queue, Queue(hold, self._clock.time() + hold.seconds, gate.tally)
        self._timers[hold.number] = self._clock.call_later(hold.seconds, self._expire, gate, gate.queue)
        self._tell(gate, gate.queue)
        if before is not None:
            self._end(before)

    def end(self, number: int) -> None:
        """Let those go on that wait; without effect on a hold that is over."""
        for gate in self._gates.values():
            queue = gate.queue
            if queue is not None and queue.hold.number == number:
                gate.queue = None
                self._tell(gate, queue, ended=True)
                self._end(queue)

    def hurry(self, grace: float) -> None:
        """The worker is stopping: let no wait last longer than it does."""
        latest = max(0.0, grace - LAST_MOMENT)
        for gate in self._gates.values():
            queue = gate.queue
            if queue is not None and queue.ends - self._clock.time() > latest:
                self._timers[queue.hold.number].cancel()
                self._timers[queue.hold.number] = self._clock.call_later(latest, self._expire, gate, queue)

    def tell(self) -> None:
        """Report every hold that there is."""
        for gate in self._gates.values():
            if gate.queue is not None:
                self._tell(gate, gate.queue)

    def _gate(self, module: str) -> Gate:
        gate = self._gates.get(module)
        if gate is None:
            gate = self._gates[module] = Gate(module, self._empty, Tally(module, self._meters))
        return gate

    def _empty(self, gate: Gate) -> None:
        if gate.queue is not None:
            self._tell(gate, gate.queue)

    def _tell(self, gate: Gate, queue: Queue, *, ended: bool = False) -> None:
        self._report(HoldReport(queue.hold.number, gate.in_flight, len(queue), ended))

    def _end(self, queue: Queue) -> None:
        timer = self._timers.pop(queue.hold.number, None)
        if timer is not None:
            timer.cancel()
        self._let_go(self._gate(queue.hold.module), queue)

    def _let_go(self, gate: Gate, queue: Queue) -> None:
        for waiter in queue.take(AT_ONCE):
            gate.tally.released.value += 1
            try:
                waiter.go_on()
            except Exception:  # It concerns one request; the others wait for their turn.
                logger.exception("a held request of %s could not go on", gate.module)
                waiter.abort()
        if queue:
            self._clock.call_soon(self._let_go, gate, queue)

    def _expire(self, gate: Gate, queue: Queue) -> None:
        """Nobody ended the hold in time: whoever asked for it has lost the moment, and knows no more than the client
        on which side a write would be right. So nothing that waited is let loose; what comes from now on passes."""
        self._timers.pop(queue.hold.number, None)
        if gate.queue is queue:
            gate.queue = None
            self._tell(gate, queue, ended=True)
        self._dismiss(gate, queue)

    def _dismiss(self, gate: Gate, queue: Queue) -> None:
        for waiter in queue.take(AT_ONCE):
            gate.tally.expired.value += 1
            waiter.turn_away(sorry(f"changes were held for {queue.hold.seconds:g} s", 0))
        if queue:
            self._clock.call_soon(self._dismiss, gate, queue)

    def _readings(self) -> Iterator[Reading]:
        for module, gate in self._gates.items():
            yield HELD_NOW, (module,), len(gate.queue) if gate.queue is not None else 0


def sorry(why: str, seconds: float) -> Denied:
    """The answer to a write that cannot wait any longer; in ``seconds`` it may be welcome."""
    fields = b"\r\nRetry-After: %d" % max(1, math.ceil(seconds))
    return Denied(Failure.HELD, f"{Failure.HELD.title}: {why}; send it again in a moment.", fields)
