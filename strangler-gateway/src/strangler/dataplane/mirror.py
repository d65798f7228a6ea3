"""Mirroring as a worker has it: which routes are shadowed, what became of their requests, and the thread that tells."""

import os
import secrets
from collections.abc import Iterator
from pathlib import Path

from strangler.dataplane.capture import Desk, Shadowed, Tally
from strangler.dataplane.mirror_line import Line
from strangler.dataplane.secrets import read_secret
from strangler.model.flag import Flag, Stage
from strangler.model.recording import Recording
from strangler.model.route import Route
from strangler.model.shadow import Mirroring
from strangler.model.snapshot import Snapshot
from strangler.policies.marks import Marks
from strangler.telemetry.families.shadow import (
    SHADOW_REQUESTS,
    SHADOW_SENT,
    SHADOW_SKIPPED,
    SHADOW_WAITING,
    SHADOW_WAITING_BYTES,
)
from strangler.telemetry.meters import Meters, Reading

SHADOW, CANARY = Stage.SHADOW, Stage.CANARY
"""By name: this is asked of every route at every flip."""


class Mirror:
    """Costs nothing, and has no thread, until a route is shadowed for the first time."""

    def __init__(self, meters: Meters, socket: Path | None, slot: int) -> None:
        """``socket`` is where the comparator listens; None where there is none."""
        self._socket = socket
        self._slot = slot
        self._worker = secrets.token_hex(8)
        settings = Mirroring()
        self.desk = Desk(settings.waiting, settings.waiting_bytes)
        self.marks: Marks | None = None
        self._recordings: tuple[Recording, ...] = ()
        self._recorded: frozenset[str] = frozenset()
        """The names of their routes."""
        self._tallies: dict[str, Tally] = {}
        """By route. They outlive snapshots, and a route that goes and comes back."""
        self._line: Line | None = None
        meters.ask(self._readings)

    # The snapshot

    def prepare(self, snapshot: Snapshot) -> Marks | None:
        """What writes are marked by, where any are shadowed. Raises ``StranglerError`` if the secret cannot be used."""
        secret = snapshot.gateway.shadow.secret
        if secret is None or not any(route.shadow is not None and route.shadow.writes for route in snapshot.routes):
            return None
        return Marks(read_secret(secret))

    def adopt(self, settings: Mirroring, marks: Marks | None) -> None:
        """Use these from now on."""
        self.desk.most, self.desk.most_bytes = settings.waiting, settings.waiting_bytes
        self.marks = marks

    def shadowed(self, route: Route, flag: Flag, revision: int) -> Shadowed | None:
        """What captures the requests of a route; None for one that is neither shadowed nor recorded."""
        is_shadowed = flag.stage is SHADOW or flag.stage is CANARY
        if not is_shadowed and route.name not in self._recorded:
            return None
        if self._line is None and self._socket is not None:
            self._line = Line(self.desk, self._socket, self._worker, self._slot, os.getpid())
        if not is_shadowed:
            untold = Tally(route.name, told=False)
            return Shadowed(untold, self.desk, route.shadowing, revision, only_recorded=True)
        tally = self._tallies.get(route.name)
        if tally is None:
            tally = self._tallies[route.name] = Tally(route.name)
        return Shadowed(tally, self.desk, route.shadowing, revision, self.marks)

    # Recordings

    def record(self, recordings: tuple[Recording, ...]) -> bool:
        """Exactly these are going on, for what ``shadowed`` gives from now on. Whether that is anything new."""
        is_new = recordings != self._recordings
        self._recordings = recordings
        self._recorded = frozenset(recording.route for recording in recordings)
        return is_new

    def going_on(self, now: float) -> tuple[Recording, ...] | None:
        """Those recordings whose time is not over at ``now`` (since the epoch); None if that is all of them."""
        left = tuple(recording for recording in self._recordings if recording.until > now)
        return left if len(left) < len(self._recordings) else None

    # Time

    def flush(self) -> None:
        """Hand over what was collected; called several times a second."""
        if self._line is not None:
            self.desk.flush()

    def close(self) -> None:
        """Hand over the rest and end; a comparator that does not read is given a moment."""
        if self._line is not None:
            self.desk.flush()
            self._line.close()

    def _readings(self) -> Iterator[Reading]:
        waiting = 0
        for name, tally in self._tallies.items():
            sent, skipped = tally.sent, dict(tally.skipped)
            for heading, count in tuple(tally.lost.items()):
                skipped[heading] = skipped.get(heading, 0) + count
            waiting += tally.requests - sent - sum(skipped.values())
            yield SHADOW_REQUESTS, (name,), tally.requests
            yield SHADOW_SENT, (name,), sent
            for heading, count in skipped.items():
                yield SHADOW_SKIPPED, (name, heading), count
        yield SHADOW_WAITING, (), waiting
        yield SHADOW_WAITING_BYTES, (), self.desk.waiting_bytes
