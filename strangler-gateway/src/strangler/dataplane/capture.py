"""What is kept of an exchange while it goes through, to be compared: references, and never more than may be.

The forwarder tells a capture what it relays anyway. One that cannot be used says why, lets go of all it has, and hears
no more. When the exchange has ended it is judged, here and nowhere else: handed over, or counted under one heading.
"""

import queue
import random
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from strangler.http1.request import RequestHead
from strangler.http1.response import ResponseHead
from strangler.link.mirrored import Mirrored
from strangler.model.decision import Decision, Reason
from strangler.model.shadow import Heading, Shadow
from strangler.policies.marks import REPORT, Marks

if TYPE_CHECKING:
    from strangler.dataplane.exchange import Exchange

KILLED: Final = Heading.KILLED.value
BY_SERVICE: Final = Heading.BY_SERVICE.value
NOT_SAMPLED: Final = Heading.NOT_SAMPLED.value
UNSAFE: Final = Heading.UNSAFE.value
REFUSED: Final = Heading.REFUSED.value
UPGRADE: Final = Heading.UPGRADE.value
STREAMING: Final = Heading.STREAMING.value
REQUEST_TOO_LARGE: Final = Heading.REQUEST_TOO_LARGE.value
ANSWER_TOO_LARGE: Final = Heading.ANSWER_TOO_LARGE.value
PRIMARY_FAILED: Final = Heading.PRIMARY_FAILED.value
QUEUE_FULL: Final = Heading.QUEUE_FULL.value
NO_COMPARATOR: Final = Heading.NO_COMPARATOR.value
"""As plain text: on Python 3.11 the hash of an Enum costs as much as the rest of counting it."""
_REASON_KILLED: Final = Reason.KILLED
_SAFE: Final = frozenset((b"GET", b"HEAD", b"OPTIONS"))
PIECE: Final = 64
"""Bytes that a piece takes besides its content; a body in many small ones is not to take more than is counted."""
EXCHANGE: Final = 1024
"""Bytes that an exchange takes besides its heads and bodies."""

AT_ONCE: Final = 64
"""Exchanges that are handed over before the next tick, since there are so many."""

Note = tuple["Tally", int, tuple[tuple[str, int], ...]]
"""A tally as it was in one moment of the event loop: requests, and the loop's part of what was skipped."""
Handed = tuple[list["Capture"], list[Note]]
"""What the event loop hands over: exchanges, and the tallies that have changed, as they were just then."""


class Tally:
    """What became of the requests of one shadowed route, in this process and over all snapshots.

    At any time ``requests`` is ``sent`` + all of ``skipped`` and ``lost`` + those that wait.
    """

    __slots__ = ("lost", "name", "noted", "requests", "sent", "skipped", "skipping")

    def __init__(self, name: str, *, told: bool = True) -> None:
        """``told``: the comparator hears of it."""
        self.name = name
        self.requests = 0
        self.skipped: dict[str, int] = {}
        """By heading. Counted by the event loop alone, as requests are."""
        self.skipping: dict[str, Capture] = {}
        """By heading: what has nothing of its exchange can be one for all of them, under the snapshot that asked last.
        It stands here, since a ``Shadowed`` that kept it would keep itself."""
        self.noted = not told
        """Whether it is among those that have changed since the last flush, or never will be."""
        self.sent = 0
        self.lost: dict[str, int] = {}
        """Exchanges that could not be sent, by heading. Counted by the thread alone, as those that were sent are."""


class Desk:
    """Where the event loop puts what is to be compared, until the thread fetches it.

    The loop alone adds, the thread alone takes away, each to counts of its own: neither has a lock to wait for.
    """

    __slots__ = (
        "changed", "connected", "done", "entries", "freed_bytes", "handed", "held_bytes", "most", "most_bytes", "taken",
    )  # fmt: skip

    def __init__(self, most: int, most_bytes: int) -> None:
        self.most = most
        self.most_bytes = most_bytes
        self.connected = False
        """Whether a comparator is there; set by the thread."""
        self.handed: queue.SimpleQueue[Handed | None] = queue.SimpleQueue()
        """What the thread is to fetch; None for its end."""
        self.entries: list[Capture] = []
        self.changed: list[Tally] = []
        self.taken = 0
        self.held_bytes = 0
        self.done = 0
        self.freed_bytes = 0

    @property
    def waiting_bytes(self) -> int:
        """What is held of them, and of requests under way."""
        return self.held_bytes - self.freed_bytes

    def obstacle(self) -> str:
        """The heading of what cannot be taken now; empty if it can."""
        if not self.connected:
            return NO_COMPARATOR
        full = self.taken - self.done >= self.most or self.held_bytes - self.freed_bytes >= self.most_bytes
        return QUEUE_FULL if full else ""

    def judge(self, exchange: "Exchange") -> None:
        """Count a request of a shadowed route that has ended, and take it if it is to be compared."""
        capture = exchange.capture
        assert capture is not None
        exchange.capture = None  # Whoever keeps the exchange, such as the access log, is not to keep its bodies.
        tally = capture.shadowed.tally
        tally.requests += 1
        if not tally.noted:
            tally.noted = True
            self.changed.append(tally)
        heading = capture.heading or capture.end(exchange) or self.obstacle()
        if not heading:
            self.taken += 1
            self.entries.append(capture)
            if len(self.entries) >= AT_ONCE:
                self.flush()
            return
        tally.skipped[heading] = tally.skipped.get(heading, 0) + 1
        if not capture.heading:
            capture.give_up(heading)

    def flush(self) -> None:
        """Hand over what is there; called several times a second where there is a thread that takes it."""
        told = self.changed
        left: list[Tally] = []
        if not self.handed.empty():
            # The thread has enough to do: what does not come with an exchange can wait, so that it does not pile up.
            theirs = {capture.shadowed.tally for capture in self.entries}
            told = [tally for tally in self.changed if tally in theirs]
            left = [tally for tally in self.changed if tally not in theirs]
        if not told and not self.entries:
            return
        notes: list[Note] = []
        for tally in told:
            tally.noted = False
            notes.append((tally, tally.requests, tuple(tally.skipped.items())))
        self.handed.put((self.entries, notes))
        self.entries = []
        self.changed = left


class Shadowed:
    """One route at stage ``shadow`` or ``canary``, or one that is recorded, under one snapshot."""

    __slots__ = (
        "_chance",
        "answer_bytes",
        "desk",
        "marks",
        "only_recorded",
        "request_bytes",
        "revision",
        "sample",
        "tally",
    )

    def __init__(
        self,
        tally: Tally,
        desk: Desk,
        shadow: Shadow,
        revision: int,
        marks: Marks | None = None,
        chance: Callable[[], float] = random.random,
        *,
        only_recorded: bool = False,
    ) -> None:
        """``marks`` are given where writes are shadowed. ``only_recorded``: nothing is compared, so that it does not
        matter which arm answers, and whether it writes."""
        self.tally = tally
        self.desk = desk
        self.sample = 1.0 if only_recorded else shadow.sample
        self.only_recorded = only_recorded
        self.request_bytes = shadow.request_bytes
        self.answer_bytes = shadow.answer_bytes
        self.revision = revision
        self.marks = marks if shadow.writes and not only_recorded else None
        self._chance = chance

    def begin(self, head: RequestHead, decision: Decision) -> "Capture":
        """For a request that was decided."""
        if decision.mirror or self.only_recorded:
            return self.capture(head)
        return self._skip(KILLED if decision.reason is _REASON_KILLED else BY_SERVICE)

    def refuse(self) -> "Capture":
        """For a request that is sent to no arm."""
        return self._skip(REFUSED)

    def capture(self, head: RequestHead) -> "Capture":
        """For a request that is forwarded."""
        marks = None
        if head.method not in _SAFE and not self.only_recorded:
            marks = self.marks
            if marks is None:
                return self._skip(UNSAFE)
        if head.fields.websocket:
            return self._skip(UPGRADE)
        if head.length > self.request_bytes:
            return self._skip(REQUEST_TOO_LARGE)
        if self.sample < 1 and self._chance() >= self.sample:
            return self._skip(NOT_SAMPLED)
        heading = self.desk.obstacle()
        if heading:
            return self._skip(heading)
        return Capture(self, marks)

    def _skip(self, heading: str) -> "Capture":
        skipping = self.tally.skipping
        found = skipping.get(heading)
        if found is None or found.shadowed is not self:
            found = skipping[heading] = Capture(self, None)
            found.heading = heading
        return found


class Capture:
    """One exchange of a shadowed route."""

    __slots__ = (
        "_answer", "_answer_bytes", "_body", "_client", "_content", "_effects", "_ended", "_endpoint", "_head", "_host",
        "_marks", "_request_bytes", "_seconds", "_whole", "heading", "shadowed", "size",
    )  # fmt: skip

    def __init__(self, shadowed: Shadowed, marks: Marks | None) -> None:
        """``marks`` are given for a write."""
        self.shadowed = shadowed
        self._marks = marks
        self.heading = ""
        """Why it is not compared; empty while it can be."""
        self.size = 0
        """Bytes that it holds."""
        self._head = b""
        self._body: list[bytes] | None = None
        self._request_bytes = 0
        self._answer = b""
        self._content: list[bytes] | None = None
        self._answer_bytes = 0
        self._whole = False
        self._effects = b""
        self._ended = 0.0
        self._seconds = 0.0
        self._client = ""
        self._host = b""
        self._endpoint = ""

    # What the forwarder tells

    def before_changes(self, head: bytes) -> None:
        """The request's head as it would go to any application, where the arm is sent another."""
        if not self.heading and not self._head:
            self._take_head(head)

    def asked(self, head: bytes) -> bytes:
        """The request's head as it goes to the arm. Returns what is sent in its place."""
        if self.heading:
            return head
        if not self._head:
            self._take_head(head)
        return head if self._marks is None else _marked(head, self._marks)

    def _take_head(self, head: bytes) -> None:
        self._head = head
        self._hold(len(head) + EXCHANGE)

    def passed(self, pieces: list[bytes]) -> None:
        """A part of the request's body."""
        if self.heading:
            return
        count = _length(pieces)
        self._request_bytes += count
        if self._request_bytes > self.shadowed.request_bytes:
            self.give_up(REQUEST_TOO_LARGE)
        elif self._hold(count + PIECE * len(pieces)):
            if self._body is None:
                self._body = []
            self._body.extend(pieces)

    def answered(self, rendered: bytes, head: ResponseHead) -> None:
        """The answer's head as the client gets it, and what it was made of."""
        if self.heading:
            return
        if head.length < 0 and _is_stream(head.fields.lower()):  # What has a length has an end in sight.
            self.give_up(STREAMING)
            return
        self._answer = rendered
        if self._marks is not None:
            self._effects = head.effects
        self._hold(len(rendered) + len(self._effects))

    def relayed(self, pieces: list[bytes], *, ended: bool) -> None:
        """A part of the answer's content."""
        if self.heading:
            return
        self._whole = ended
        if not pieces:
            return
        count = _length(pieces)
        self._answer_bytes += count
        if self._answer_bytes > self.shadowed.answer_bytes:
            self.give_up(ANSWER_TOO_LARGE)
        elif self._hold(count + PIECE * len(pieces)):
            if self._content is None:
                self._content = []
            self._content.extend(pieces)

    def _hold(self, count: int) -> bool:
        """Count bytes as held; False, and nothing is held any more, where that would be more than may be."""
        desk = self.shadowed.desk
        self.size += count
        desk.held_bytes += count
        if desk.held_bytes - desk.freed_bytes <= desk.most_bytes:
            return True
        self.give_up(QUEUE_FULL)
        return False

    def give_up(self, heading: str) -> None:
        """It is not compared, for this reason."""
        self.heading = heading
        self.shadowed.desk.held_bytes -= self.size
        self.size = 0
        self._head = self._answer = self._effects = b""
        self._body = self._content = None

    def begin_anew(self, head: RequestHead) -> "Capture":
        """For a request that goes to the monolith after all: what was kept of it so far is let go."""
        if not self.heading:
            self.give_up(PRIMARY_FAILED)
        return self.shadowed.capture(head)

    # When it has ended

    def end(self, exchange: "Exchange") -> str:
        """Take over what is known now, so that the exchange need not be kept. The heading if it cannot be compared."""
        if exchange.failure is not None or not self._whole or exchange.body is not None:
            return PRIMARY_FAILED
        self._ended = exchange.began + exchange.took
        self._seconds = exchange.took
        self._client = exchange.client
        self._host = exchange.head.host
        self._endpoint = exchange.endpoint
        return ""

    def mirrored(self, epoch: float) -> Mirrored:
        """As it goes to the comparator. ``epoch``: what makes a time of day of ``time.perf_counter``."""
        shadowed = self.shadowed
        return Mirrored(
            shadowed.tally.name,
            shadowed.revision,
            self._ended + epoch,
            self._seconds,
            self._head,
            _joined(self._body),
            self._client,
            self._host,
            self._endpoint,
            self._answer,
            _joined(self._content),
            self._effects,
        )


def _is_stream(fields: bytes) -> bool:
    return b"text/event-stream" in fields or b"multipart/x-mixed-replace" in fields


def _length(pieces: list[bytes]) -> int:
    count = 0
    for piece in pieces:
        count += len(piece)
    return count


def _joined(pieces: list[bytes] | None) -> bytes:
    if pieces is None:
        return b""
    return pieces[0] if len(pieces) == 1 else b"".join(pieces)


def _marked(head: bytes, marks: Marks) -> bytes:
    """The head with a mark by which the monolith reports what the request does."""
    method, target, _ = head.split(b" ", 2)
    mark = marks.make(REPORT, method, target, time.time(), b"%032x" % random.getrandbits(128))
    return b"%bX-Strangler-Report: %b\r\n\r\n" % (head[:-2], mark)
