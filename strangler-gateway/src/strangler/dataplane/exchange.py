"""One request and its answer: what was decided about it, what became of it, and where that is counted."""

import time
from typing import TYPE_CHECKING, Final

from strangler.dataplane.forwarded import Ids
from strangler.http1.body import CHUNKED, BodyReader, BoundedReader, request_reader
from strangler.http1.refusal import RequestRefused
from strangler.http1.request import RequestHead
from strangler.model.decision import Arm, Decision, Reason
from strangler.model.failure import Failure
from strangler.resilience.deadline import Deadline

if TYPE_CHECKING:
    from strangler.dataplane.access_log import AccessLog
    from strangler.dataplane.active import Active, ActiveArm, ActiveRoute
    from strangler.dataplane.capture import Capture
    from strangler.dataplane.counters import Counters
    from strangler.dataplane.forwarder import Forwarding
    from strangler.dataplane.hold import Place

UNDECIDED: Final = Decision(Arm.MONOLITH, Reason.NO_ROUTE)


class Exchange:
    """Values of one request. It keeps the snapshot that it began with until its last byte.

    Once it is recorded nothing of it changes but that its capture is let go: the access log reads it in another thread.
    """

    __slots__ = (
        "active", "answer_fields", "answered", "arm", "attempts", "began", "body", "bytes_in", "bytes_out", "capture",
        "client", "deadline", "decision", "endpoint", "failure", "forwarding", "head", "held", "identity", "ids",
        "keep_alive", "place", "recovered_from", "route", "scheme", "status", "took",
    )  # fmt: skip

    took: float
    """Seconds from the head's last byte in to the answer's last byte out; known once it is recorded."""

    def __init__(self, head: RequestHead, active: "Active", client: str, scheme: bytes) -> None:
        self.head = head
        self.active = active
        self.client = client
        self.scheme = scheme
        self.began = time.perf_counter()
        self.deadline: Deadline | None = None
        self.ids = Ids(head)
        if active.trace_share is not None:
            self.ids.sample(active.trace_share)
        self.body: BodyReader | None = (
            request_reader(head.length, active.snapshot.gateway.limits) if head.length else None
        )
        """What takes the request's body apart; None when its last byte has been read."""
        self.keep_alive = head.keep_alive
        self.route: ActiveRoute | None = None
        self.arm: ActiveArm | None = None
        self.decision = UNDECIDED
        self.forwarding: Forwarding | None = None
        self.identity: object | None = None
        """Who asks, where the route has found it out."""
        self.answer_fields = b""
        """Block of fields that the answer gets besides its own."""
        self.place: Place | None = None
        """Where it is counted as a write, in flight or held; None for a request that writes nothing."""
        self.capture: Capture | None = None
        """What is kept of it to be compared; None where its route is not shadowed."""
        self.endpoint = ""
        self.attempts = 0
        """How often the request was sent, or was to be sent, to an endpoint."""
        self.answered = 0.0
        """When the head of the answer came, by the clock of ``began``; 0 if not, or with the whole of it."""
        self.held = 0.0
        """Seconds for which it was held; while it is, those before less the moment in which that began, below zero."""
        self.status = 0
        self.failure: Failure | None = None
        self.recovered_from: Failure | None = None
        """Why it was sent once more, or to the monolith after all; the last time, if it was more than once."""
        self.bytes_in = 0
        self.bytes_out = 0

    def bound_body(self, most: int) -> None:
        """Take no longer body than this. Raises ``RequestRefused``, here or when it turns out to be longer."""
        if self.head.length > most:
            raise RequestRefused(413, f"the body is longer than {most} bytes, which is the most for this route")
        if self.head.length == CHUNKED and self.body is not None:
            self.body = BoundedReader(self.body, most)

    @property
    def in_time(self) -> bool:
        """Whether its deadline, if it has one, lies ahead."""
        return self.deadline is None or not self.deadline.passed(time.perf_counter())

    @property
    def bodiless(self) -> bool:
        """Whether the answer has no content whatever its head says."""
        return self.head.method == b"HEAD"

    def record(self, counters: "Counters", log: "AccessLog") -> None:
        """Count the request and log it; the last thing that is done with it."""
        self.took = took = time.perf_counter() - self.began
        failure = self.failure
        if failure is not None:
            counters.failures[failure] += 1
        if self.arm is not None:
            self.arm.counters.count(self.status, self.decision.reason, took, self.bytes_in, self.bytes_out)
        if log.enabled:
            log.add(self)
