"""What is known of an endpoint's condition, and what follows: may it be asked, and should it?

Three things are known. Its *breaker* forbids: an endpoint that lets requests wait in vain is left alone. *Outlier
detection* and the *health check* advise: an endpoint that answers badly, or refuses connections, is passed over for one
that does not, but rather it than nobody.
"""

import math
from collections.abc import Callable

from strangler.model.failure import Failure
from strangler.model.upstream import Upstream
from strangler.resilience.circuit_breaker import CircuitBreaker, State
from strangler.resilience.outlier import OutlierDetector

CLOSED = State.CLOSED
REFUSED = Failure.CONNECT
UNANSWERED = frozenset((
    Failure.CONNECT, Failure.TLS, Failure.CONNECT_TIMEOUT, Failure.SEND_TIMEOUT, Failure.RESPONSE_TIMEOUT,
    Failure.RESET_BEFORE_HEAD, Failure.BAD_RESPONSE, Failure.RESET_IN_BODY, Failure.BODY_TIMEOUT, Failure.DEADLINE,
))  # fmt: skip
"""Failures that speak against the endpoint."""


class Standing:
    """The record of one endpoint. ``token`` is whoever asks; each says once how it ended."""

    __slots__ = ("_changed", "_may_eject", "_said", "answered", "breaker", "healthy", "outlier", "troubled")

    def __init__(
        self,
        upstream: Upstream,
        *,
        chance: Callable[[], float],
        may_eject: Callable[[], bool],
        changed: Callable[[], None],
    ) -> None:
        self.breaker = CircuitBreaker(upstream.breaker, chance) if upstream.breaker is not None else None
        self.outlier = OutlierDetector(upstream.outlier) if upstream.outlier is not None else None
        self.healthy = True
        """What the health check says; an endpoint is healthy until it was found not to be."""
        self.answered = 0
        """Attempts that got an answer's head."""
        self.troubled = False
        """Whether a good answer would change anything; who gives one asks this first."""
        self._may_eject = may_eject
        self._changed = changed
        self._said = (math.inf if self.breaker is not None else 0.0, -math.inf if self.outlier is not None else 0.0)
        """Breaker and ejection as they were when ``changed`` was called last."""

    def admits(self, now: float) -> bool:
        """Whether a request may be sent to it."""
        return self.breaker is None or self.breaker.admits(now)

    def recommended(self, now: float) -> bool:
        """Whether it should be asked rather than others."""
        return self.healthy and not self.ejected(now)

    def ejected(self, now: float) -> bool:
        """Whether it is passed over for what it answered."""
        return self.outlier is not None and self.outlier.ejected(now)

    def ready(self, now: float) -> bool:
        """Whether nothing at all speaks against it."""
        return (self.breaker is None or self.breaker.state is CLOSED) and self.recommended(now)

    def due(self, now: float) -> float:
        """Until when nothing that was said of it changes by itself."""
        due = self.breaker.due if self.breaker is not None else math.inf
        if self.outlier is not None and self.outlier.ejected(now):
            due = min(due, self.outlier.until)
        return due

    # What becomes of requests

    def begin(self, token: object) -> None:
        """A request is being sent to it although it is not ready."""
        if self.breaker is not None:
            self.breaker.begin(token)

    def answer(self, token: object, status: int, now: float) -> None:
        """It answered with this status; need not be told while it is not ``troubled`` and the status is below 500."""
        if self.breaker is not None:
            self.breaker.succeeded(token, now)
        if self.outlier is not None:
            if status < 500:
                self.outlier.succeeded()
            else:
                self.outlier.failed(now, allowed=self._may_eject())
        self._judge()

    def failure(self, token: object, failure: Failure, now: float) -> None:
        """It gave no answer, or not the whole of it; or the attempt ended for reasons that are not the endpoint's."""
        if failure in UNANSWERED:
            if failure is REFUSED:  # It costs neither side anything; an endpoint that starts is in use at once.
                self.left(token)
            elif self.breaker is not None:
                self.breaker.failed(token, now, self.answered)
            if self.outlier is not None:
                self.outlier.failed(now, allowed=self._may_eject())
            self._judge()
        else:
            self.left(token)

    def left(self, token: object) -> None:
        """The attempt ended without saying anything about the endpoint."""
        if self.breaker is not None:
            self.breaker.left(token)

    def checked(self, healthy: bool) -> None:  # noqa: FBT001 - it is the opinion
        """The health check has come to another opinion."""
        self.healthy = healthy
        self._changed()

    def _judge(self) -> None:
        breaking = self.breaker is not None and self.breaker.state is not CLOSED
        self.troubled = breaking or (self.outlier is not None and self.outlier.suspicious)
        said = (
            self.breaker.due if self.breaker is not None else 0.0,
            self.outlier.until if self.outlier is not None else 0.0,
        )
        if said != self._said:
            self._said = said
            self._changed()
