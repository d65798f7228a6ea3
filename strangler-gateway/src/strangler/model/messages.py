"""What is said over the control link, both ways; ``strangler.link`` puts it into bytes.

Peers that speak: ``worker`` (one per slot), ``comparator``, ``control``, ``supervisor``, ``cli``. A connection begins
with ``Hello`` from the side that connected; an unknown protocol version is answered with ``Refused`` and the connection
is closed.

On ``STATE/control.sock``, where control listens:
    worker → Hello, Ack, Status, Traffic; control → SnapshotPush, at once if the Hello's revision is another;
    RegistryPush; FilesChanged; RecordingsPush.
    comparator → Hello, Ack, RunBegun, RecordingState; control → as to a worker, and BeginRun. Nobody waits for its
    Acks.
On ``STATE/supervisor.sock``, where the supervisor listens:
    worker → Hello, KillsAck, HoldReport, Status; supervisor → the HoldPushes that there are and KillsPush (at once,
    also when empty), HoldEnd, Drain.
    comparator → Hello, Alive.
    cli, control → Hello, KillRequest, HoldRequest, ReleaseRequest, ShutdownRequest, RosterRequest, KillEventsRequest;
    supervisor → KillReply, HoldReply; Roster and KillEvent to those who asked, at once and with every change.
"""

from dataclasses import dataclass, field

from strangler.model.flag import Kill
from strangler.model.hold import Hold, HoldAt, HoldState
from strangler.model.recording import Recording
from strangler.model.registry import Lease
from strangler.model.snapshot import Snapshot

PROTOCOL = 1


@dataclass(frozen=True, slots=True)
class Hello:
    """The first message of a connection. ``slot`` is the worker's number, -1 for others."""

    role: str
    pid: int
    slot: int = -1
    revision: int = 0
    """The snapshot that the sender has; 0 for none."""
    protocol: int = PROTOCOL


@dataclass(frozen=True, slots=True)
class Refused:
    """Why the other side closes the connection."""

    reason: str


@dataclass(frozen=True, slots=True)
class SnapshotPush:
    """Control to worker: use this from now on."""

    snapshot: Snapshot


@dataclass(frozen=True, slots=True)
class RegistryPush:
    """Control to worker, after Hello and with every change: exactly these instances are registered now."""

    leases: tuple[Lease, ...]


@dataclass(frozen=True, slots=True)
class FilesChanged:
    """Control to worker: look at the files of certificates now, and not only when it is time again."""


@dataclass(frozen=True, slots=True)
class Ack:
    """Worker to control: every request that begins now sees ``revision``; or why the snapshot was not taken."""

    revision: int
    error: str = ""


@dataclass(frozen=True, slots=True)
class Status:
    """Worker to supervisor and control, when something changed and once a second."""

    revision: int
    accepting: bool
    connections: int
    in_flight: int
    kills: int
    """The generation of kills that is in force."""


@dataclass(frozen=True, slots=True)
class Alive:
    """Comparator to supervisor, once a second: its event loop turns."""

    pid: int


@dataclass(frozen=True, slots=True)
class Series:
    """What one route's arm has served since the worker started: totals, so that a lost message loses nothing."""

    route: str
    arm: str
    statuses: tuple[tuple[int, int], ...]
    """Pairs of status code and count; 0 stands for a client that left before there was an answer."""
    reasons: tuple[tuple[str, int], ...]
    buckets: tuple[int, ...]
    """Counts per bound of ``LATENCY_BOUNDS``, not cumulated, with one more for what is slower."""
    seconds: float
    """The sum of all durations, from the head's last byte in to the answer's last byte out."""
    bytes_in: int = 0
    """Content of the requests, without heads and framing."""
    bytes_out: int = 0


LATENCY_BOUNDS = (
    0.001, 0.0025, 0.005, 0.0075, 0.01, 0.015, 0.02, 0.03, 0.05, 0.075, 0.1, 0.15, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0,
)  # fmt: skip
"""Upper bounds, in seconds, of the latency histogram."""


@dataclass(frozen=True, slots=True)
class PoolState:
    """The upstream connections of one worker to one endpoint."""

    upstream: str
    endpoint: str
    idle: int
    active: int
    pending: int
    opened: int
    """Since the worker started."""


Value = tuple[str, tuple[str, ...], float]
"""A metric's name, the values of its labels, and its own."""
Distribution = tuple[str, tuple[str, ...], tuple[int, ...], float]
"""A histogram's name, the values of its labels, its counts per bucket (not cumulated) and its sum."""


@dataclass(frozen=True, slots=True)
class Traffic:
    """Worker to control, once a second: totals since the worker started, and how it is now."""

    series: tuple[Series, ...]
    pools: tuple[PoolState, ...]
    failures: tuple[tuple[str, int], ...] = ()
    """Pairs of ``stage.culprit`` and count, since the worker started."""
    counters: tuple[Value, ...] = ()
    """What the worker's parts count; ``strangler.telemetry`` has the names."""
    gauges: tuple[Value, ...] = ()
    distributions: tuple[Distribution, ...] = ()


@dataclass(frozen=True, slots=True)
class BeginRun:
    """Control to comparator: what is known of a route's answers is history; a new run of comparisons begins."""

    route: str
    author: str
    reason: str


@dataclass(frozen=True, slots=True)
class RunBegun:
    """Comparator to control, when it is on disk; or why not."""

    route: str
    error: str = ""


@dataclass(frozen=True, slots=True)
class RecordingsPush:
    """Control to worker and comparator, with every change and, if there are any, after Hello: exactly these are
    recorded now. A new connection to control begins with none."""

    recordings: tuple[Recording, ...]


@dataclass(frozen=True, slots=True)
class RecordingState:
    """Comparator to control, when something has changed: how far a recording has got, on disk."""

    id: str
    exchanges: int
    size: int
    dropped: int
    """Exchanges for which there was no time; beyond these all that came were kept."""
    ended: bool
    """Nothing will be added."""
    error: str = ""
    """Why it ended, if something is wrong."""


@dataclass(frozen=True, slots=True)
class Drain:
    """Supervisor to worker: accept no more, finish what you have, end."""

    grace: float


@dataclass(frozen=True, slots=True)
class KillsPush:
    """Supervisor to worker: exactly these routes are killed now."""

    generation: int
    kills: tuple[Kill, ...]


@dataclass(frozen=True, slots=True)
class KillsAck:
    """Worker to supervisor: every request that begins now sees this generation."""

    generation: int


@dataclass(frozen=True, slots=True)
class KillRequest:
    """To the supervisor: kill these routes, or lift their kills."""

    routes: tuple[str, ...]
    author: str
    reason: str
    lift: bool = False


@dataclass(frozen=True, slots=True)
class KillReply:
    """From the supervisor, when every worker has acknowledged or the time for it is over."""

    generation: int
    kills: tuple[Kill, ...]
    missing: tuple[int, ...]
    """Slots that did not acknowledge."""
    seconds: float
    error: str = ""


@dataclass(frozen=True, slots=True)
class KillEvent:
    """Supervisor to control, for the audit. ``sequence`` grows by one; control remembers the last that it has."""

    sequence: int
    at: str
    routes: tuple[str, ...]
    author: str
    reason: str
    lift: bool


@dataclass(frozen=True, slots=True)
class KillEventsRequest:
    """Control to supervisor, after Hello: send the events after this sequence, and those that follow."""

    after: int


@dataclass(frozen=True, slots=True)
class HoldPush:
    """Supervisor to worker: hold this module's writes. ``hold.seconds`` is what is left of it."""

    hold: Hold


@dataclass(frozen=True, slots=True)
class HoldEnd:
    """Supervisor to worker: let those go on that wait."""

    number: int


@dataclass(frozen=True, slots=True)
class HoldReport:
    """Worker to supervisor: at a hold's beginning, when none of its writes is in flight any more, at its end, and once
    a second."""

    number: int
    in_flight: int
    held: int
    """At the end: how many are let go now."""
    ended: bool = False


@dataclass(frozen=True, slots=True)
class HoldRequest:
    """To the supervisor: hold a module's writes, and say when none is in flight any more."""

    module: str
    seconds: float
    most: int
    patience: float
    """Seconds to wait for what is in flight; if it is not over by then the hold is ended again, unless ``keep``."""
    author: str
    reason: str
    keep: bool = False


@dataclass(frozen=True, slots=True)
class ReleaseRequest:
    """To the supervisor: end the hold of a module."""

    module: str
    author: str
    reason: str


@dataclass(frozen=True, slots=True)
class HoldReply:
    """From the supervisor, to both: when it is so, or the time for it is over."""

    hold: Hold | None
    workers: tuple[HoldAt, ...]
    in_force: bool
    missing: tuple[int, ...]
    """Slots that still have writes in flight, or whose worker has not answered."""
    seconds: float
    error: str = ""


@dataclass(frozen=True, slots=True)
class RosterRequest:
    """To the supervisor: who should be there?"""


@dataclass(frozen=True, slots=True)
class Slot:
    """One place for a worker."""

    slot: int
    pid: int
    """0 while it is being replaced."""
    ready: bool
    revision: int
    restarts: int


@dataclass(frozen=True, slots=True)
class Roster:
    """The slots that a flip must wait for."""

    slots: tuple[Slot, ...]
    kills: tuple[Kill, ...] = ()
    control_pid: int = 0
    listening: tuple[str, ...] = field(default=())
    holds: tuple[HoldState, ...] = ()
    comparator_pid: int = 0
    """0 while it is being replaced, as for control's."""


@dataclass(frozen=True, slots=True)
class ShutdownRequest:
    """To the supervisor: drain and end, as on SIGTERM."""


Message = (
    Hello
    | Refused
    | SnapshotPush
    | FilesChanged
    | RegistryPush
    | Ack
    | Status
    | Alive
    | Traffic
    | BeginRun
    | RunBegun
    | RecordingsPush
    | RecordingState
    | Drain
    | KillsPush
    | KillsAck
    | KillRequest
    | KillReply
    | KillEvent
    | KillEventsRequest
    | HoldPush
    | HoldEnd
    | HoldReport
    | HoldRequest
    | ReleaseRequest
    | HoldReply
    | RosterRequest
    | Roster
    | ShutdownRequest
)
