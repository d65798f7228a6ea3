"""Recordings as control has them: which are going on, how far they have got, and what is left of those that ended.

They are known to nobody but this process: one that was begun by a control before it has ended.
"""

import asyncio
import contextlib
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from strangler.config.nearness import near_names
from strangler.control.comparator_line import ComparatorLine, ComparatorLost
from strangler.control.store import Change, ChangeKind, Store
from strangler.control.targets import UnknownTarget
from strangler.control.workers import Workers
from strangler.model.errors import StranglerError
from strangler.model.messages import RecordingsPush, RecordingState
from strangler.model.recording import Recording
from strangler.model.route import Route
from strangler.model.snapshot import Snapshot

FOLDER = "recordings"
"""In the state folder; the comparator writes there."""
PATIENCE = 5.0
"""Seconds for the comparator to say that all is written."""
LINGER = 0.5
"""Seconds between the order to end and the end, for what was answered before the order and is still on its way: workers
hand over what they have several times a second."""
KEPT = 3600.0
"""Seconds after its end for which a recording that nobody has fetched stays."""


class UnknownRecording(StranglerError):
    """No recording that this control knows."""


class RecordingRefused(StranglerError):
    """One that cannot be begun now."""


@dataclass(slots=True)
class Progress:
    """One recording."""

    recording: Recording
    route: Route
    began: float
    """Seconds since the epoch, as ``ended``."""
    ended: float = 0.0
    state: RecordingState = field(default_factory=lambda: RecordingState("", 0, 0, 0, ended=False))
    over: asyncio.Event = field(default_factory=asyncio.Event)


class Recordings:
    """Begins and ends them. One event loop's own."""

    def __init__(
        self,
        folder: Path,
        workers: Workers,
        comparator: Callable[[], ComparatorLine],
        store: Store,
        clock: Callable[[], float] = time.time,
    ) -> None:
        """Blocking: what an earlier control has left behind is removed."""
        self._folder = folder / FOLDER
        self._workers = workers
        self._comparator = comparator
        self._store = store
        self._clock = clock
        self._all: dict[str, Progress] = {}
        self._beginning = asyncio.Lock()
        with contextlib.suppress(OSError):
            for file in self._folder.glob("*.jsonl"):
                file.unlink()

    def push(self) -> RecordingsPush:
        """What workers and the comparator are told."""
        return RecordingsPush(tuple(one.recording for one in self._all.values() if not one.ended))

    async def begin(
        self, snapshot: Snapshot, route: str, *, count: int, size: int, seconds: float, author: str, reason: str
    ) -> Progress:
        """Record a route from now on. Raises ``UnknownTarget``, ``RecordingRefused``, ``ComparatorLost`` and
        ``StoreUnavailable``."""
        self._forget_old()
        found = next((each for each in snapshot.routes if each.name == route), None)
        if found is None:
            raise UnknownTarget(route, near_names(route, sorted(each.name for each in snapshot.routes)))
        await self._comparator().wait()
        async with self._beginning:  # Until one is noted nobody else knows of it.
            if any(one.recording.route == route and not one.ended for one in self._all.values()):
                raise RecordingRefused(f"«{route}» is being recorded already; wait for that to end")
            now = self._clock()
            name = secrets.token_hex(8)
            recording = Recording(name, route, count, size, now + seconds, found.shadowing.redaction)
            after = {"recording": name, "count": count, "seconds": seconds}
            await asyncio.to_thread(self._note, Change(ChangeKind.RECORD, author, reason, route, None, after))
            progress = self._all[name] = Progress(recording, found, now)
        self._workers.broadcast(self.push())
        return progress

    def find(self, name: str) -> Progress:
        """How far a recording is. Raises ``UnknownRecording``."""
        progress = self._all.get(name)
        if progress is None:
            raise UnknownRecording(
                f"there is no recording {name}: it was fetched, or control was started again since; record anew"
            )
        return progress

    async def end(self, name: str) -> Progress:
        """Record no more, and wait until all is written. Raises ``UnknownRecording`` and ``ComparatorLost``."""
        progress = self.find(name)
        if not progress.ended:
            await asyncio.sleep(LINGER)
        if not progress.ended:
            progress.ended = self._clock()
            self._workers.broadcast(self.push())
        if not self._comparator().connected:
            return progress  # Nobody writes.
        try:
            async with asyncio.timeout(PATIENCE):
                await progress.over.wait()
        except TimeoutError:
            raise ComparatorLost(f"the comparator did not end the recording within {PATIENCE:g} s") from None
        return progress

    def file(self, name: str) -> Path:
        """Its exchanges, a line each; it may be absent where there are none. Raises ``UnknownRecording``."""
        return self._folder / f"{self.find(name).recording.id}.jsonl"

    async def forget(self, name: str) -> None:
        """Remove a recording, and end it if need be. Raises as ``end`` does."""
        await self.end(name)
        self._remove(name)

    def hear(self, state: RecordingState) -> None:
        """The comparator says how far one is."""
        progress = self._all.get(state.id)
        if progress is None:
            return
        progress.state = state
        if state.ended:
            progress.ended = progress.ended or self._clock()
            progress.over.set()
            self._workers.broadcast(self.push())

    def _forget_old(self) -> None:
        limit = self._clock() - KEPT
        for name, progress in list(self._all.items()):
            if progress.recording.until < limit:
                self._remove(name)

    def _remove(self, name: str) -> None:
        with contextlib.suppress(OSError):
            self.file(name).unlink()
        del self._all[name]

    def _note(self, change: Change) -> None:
        with self._store.writing() as writing:
            writing.record([change])
