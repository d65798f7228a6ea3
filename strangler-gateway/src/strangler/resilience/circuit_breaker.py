"""Whether an endpoint may be asked at all: a breaker that opens when too many attempts get no answer.

It is closed, open or half-open; ``TRANSITIONS`` is the whole of it. Who asks is named by a token of the caller's, so
that the answer to a probe is told from answers to requests that were under way when the breaker opened.
"""

from collections import deque
from collections.abc import Callable
from enum import Enum, StrEnum, auto

from strangler.model.upstream import Breaker


class State(StrEnum):
    """The words stand in metrics."""

    CLOSED = "closed"
    OPEN = "open"
    HALF_OPEN = "half_open"


class Event(Enum):
    """What changes the state."""

    TOO_MANY_FAILURES = auto()
    OPEN_TIME_OVER = auto()
    PROBE_FAILED = auto()
    ALL_PROBES_ANSWERED = auto()


TRANSITIONS: dict[tuple[State, Event], State] = {
    (State.CLOSED, Event.TOO_MANY_FAILURES): State.OPEN,
    (State.OPEN, Event.OPEN_TIME_OVER): State.HALF_OPEN,
    (State.HALF_OPEN, Event.PROBE_FAILED): State.OPEN,
    (State.HALF_OPEN, Event.ALL_PROBES_ANSWERED): State.CLOSED,
}
JITTER = 0.5
"""The part of the open time that chance may add to it."""


class CircuitBreaker:
    """The breaker of one endpoint. ``chance`` gives numbers from 0 to 1; ``now`` is the caller's clock, in seconds."""

    def __init__(self, settings: Breaker, chance: Callable[[], float]) -> None:
        self._settings = settings
        self._chance = chance
        self._failures = FailureWindow(settings.window)
        self._until = 0.0
        self._admitted = 0
        """Probes of this half-open time, answered or under way."""
        self._answered = 0
        self._probing: set[object] = set()
        self.state = State.CLOSED
        self.opened = 0
        """How often it has opened."""

    @property
    def due(self) -> float:
        """When it may let requests through that it does not let through now; -inf while that depends on who asks."""
        if self.state is State.OPEN:
            return self._until
        return float("inf") if self.state is State.CLOSED else float("-inf")

    def admits(self, now: float) -> bool:
        """Whether a request may be sent."""
        if self.state is State.OPEN and now >= self._until:
            self._go(Event.OPEN_TIME_OVER, now)
        return self.state is State.CLOSED or (self.state is State.HALF_OPEN and self._admitted < self._settings.probes)

    def begin(self, token: object) -> None:
        """A request that was admitted is being sent."""
        if self.state is State.HALF_OPEN:
            self._admitted += 1
            self._probing.add(token)

    def succeeded(self, token: object, now: float) -> None:
        """It was answered."""
        if token in self._probing:
            self._probing.discard(token)
            self._answered += 1
            if self._answered >= self._settings.probes:
                self._go(Event.ALL_PROBES_ANSWERED, now)

    def failed(self, token: object, now: float, answered: int) -> None:
        """It got no answer; ``answered`` is how many attempts ever did."""
        if self.state is State.CLOSED:
            settings = self._settings
            failed, attempts = self._failures.add(now, answered)
            if attempts >= settings.minimum and failed * 100 >= attempts * settings.failure_percent:
                self._go(Event.TOO_MANY_FAILURES, now)
        elif token in self._probing:
            self._go(Event.PROBE_FAILED, now)

    def left(self, token: object) -> None:
        """It ended without saying anything about the endpoint: its place among the probes is free again."""
        if token in self._probing:
            self._probing.discard(token)
            self._admitted -= 1

    def _go(self, event: Event, now: float) -> None:
        self.state = TRANSITIONS[self.state, event]
        self._probing.clear()
        self._admitted = self._answered = 0
        if self.state is State.OPEN:
            self.opened += 1
            self._until = now + self._settings.open_time * (1 + JITTER * self._chance())
        elif self.state is State.CLOSED:
            self._failures = FailureWindow(self._settings.window)


class FailureWindow:
    """Failures and attempts of the last ``seconds``. It only works when something fails: successes cost a total."""

    SLICES = 10
    """How finely the window slides."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._failures = 0
        self._marks: deque[tuple[float, int, int]] = deque()
        """Moments with the failures and the answered attempts until then; the oldest is where the window begins."""

    def add(self, now: float, answered: int) -> tuple[int, int]:
        """Note one failure. Returns failures and attempts of the window, which begins with a failure."""
        marks = self._marks
        if not marks or now - marks[-1][0] >= self._seconds / self.SLICES:
            marks.append((now, self._failures, answered))
        while marks[0][0] <= now - self._seconds:
            marks.popleft()
        self._failures += 1
        _, failures, base = marks[0]
        failed = self._failures - failures
        return failed, failed + answered - base
