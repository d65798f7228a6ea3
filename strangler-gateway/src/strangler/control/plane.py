"""The control plane as one object: each thing that an operator can ask for is one method."""

import asyncio
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from strangler.config.loaded import Loaded, Serve
from strangler.config.loading import load
from strangler.control.commit import Committer
from strangler.control.flips import FlipPlan, FlipRequest
from strangler.control.holds import Holds
from strangler.control.last_good import LastGood
from strangler.control.link_server import LinkServer
from strangler.control.publisher import Publisher
from strangler.control.recordings import Recordings
from strangler.control.registry import Registry
from strangler.control.shadow_reports import ShadowReports
from strangler.control.store import Change, ChangeKind, Store
from strangler.control.supervisor_client import SupervisorClient
from strangler.control.targets import UnknownTarget, find_target
from strangler.control.traffic import TrafficTotals
from strangler.control.trial import try_out
from strangler.control.workers import Settlement, Workers
from strangler.ledger import FILE
from strangler.ledger.reader import LedgerReader
from strangler.model.messages import BeginRun, FilesChanged, KillReply, KillRequest


@dataclass(frozen=True, slots=True)
class Flipped:
    """What a flip came to. ``seconds``: from the request to the last acknowledgement, or to the end of the wait."""

    plan: FlipPlan
    revision: int
    settlement: Settlement
    seconds: float


@dataclass(frozen=True, slots=True)
class Reloaded:
    """What a reload came to; ``changed`` is False if the topology is what it was before."""

    changed: bool
    revision: int
    settlement: Settlement
    warnings: tuple[str, ...]


class ControlPlane:
    """Changes come one after the other: each is decided, stored, written to disk and pushed before the next."""

    def __init__(self, loaded: Loaded, config: Path, folder: Path, store: Store) -> None:
        """Adopt the configuration. Blocking; raises ``ConfigError`` and ``StoreUnavailable``."""
        self.store = store
        self.loaded = loaded
        self.loaded_at = datetime.now(UTC)
        self.started = time.monotonic()
        self.workers = Workers()
        self.traffic = TrafficTotals()
        self._config = config
        self._changing = asyncio.Lock()
        self._committer = Committer(store, LastGood(folder))
        self.publisher = Publisher(self.workers, self._committer.adopt(loaded, "configuration", "at start"))
        self.supervisor = SupervisorClient(folder / "supervisor.sock", store, self.workers, lambda: self.revision)
        self.holds = Holds(folder / "supervisor.sock", store)
        self.supervisor.on_roster = lambda roster: self.holds.hear(roster.holds, self.loaded.topology)
        self.registry = Registry(folder, self.workers)
        self.shadow = ShadowReports(LedgerReader(folder / FILE))
        self.recordings = Recordings(folder, self.workers, lambda: self.link_server.comparator, store)
        self.link_server = LinkServer(
            folder / "control.sock", self.workers, self.publisher, self.traffic, self.registry, self.recordings
        )

    @property
    def revision(self) -> int:
        """Of the snapshot that workers should have."""
        return self.publisher.snapshot.revision

    async def flip(self, request: FlipRequest) -> Flipped:
        """Move a route or a module. Raises as ``plan_flip`` does, and ``StoreUnavailable``."""
        began = time.monotonic()
        async with self._changing:
            plan, snapshot = await asyncio.to_thread(
                self._committer.flip, request, self.loaded.topology, self.supervisor.killed
            )
            if snapshot is not None:
                self.publisher.publish(snapshot)
            revision = self.revision
        # Outside the lock: a worker that hangs must not keep the next flip, which may be the way back, waiting.
        settlement = await self.publisher.settled(revision)
        return Flipped(plan, revision, settlement, time.monotonic() - began)

    async def reload(self, author: str, reason: str) -> Reloaded:
        """Read the configuration anew. Raises ``ConfigError``, after which everything is as before."""
        async with self._changing:
            loaded = await asyncio.to_thread(load, self._config, with_files=True, trial=try_out)
            changed = loaded.topology != self.loaded.topology
            if changed:
                snapshot = await asyncio.to_thread(self._committer.adopt, loaded, author, reason)
                self.publisher.publish(snapshot)
            self.workers.broadcast(FilesChanged())
            warnings = _settings_for_the_next_start(self.loaded.serve, loaded.serve)
            self.loaded, self.loaded_at = loaded, datetime.now(UTC)
            revision = self.revision
        return Reloaded(changed, revision, await self.publisher.settled(revision), warnings)

    async def kill(self, target: str, author: str, reason: str, *, lift: bool) -> KillReply:
        """Kill a route or a module, or lift that. Raises ``UnknownTarget``, ``FlipRefused``, ``SupervisorLost``."""
        try:
            routes = tuple(route.name for route in find_target(self.loaded.topology, target).routes)
        except UnknownTarget:
            if not (lift and target in self.supervisor.killed):
                raise
            routes = (target,)  # gone from the configuration while it was killed
        return await self.supervisor.kill(KillRequest(routes, author, reason, lift))

    async def restart_shadow(self, route: str, author: str, reason: str) -> tuple[int, int]:
        """Begin a new run of a route's comparisons: its number, and that of the run before. Raises ``UnknownTarget``,
        ``NothingCompared``, ``ComparatorLost``, ``LedgerUnavailable`` and ``StoreUnavailable``."""
        await asyncio.to_thread(self.shadow.record, self.publisher.snapshot, route)
        await asyncio.to_thread(self.store.ping)
        await self.link_server.comparator.begin_run(BeginRun(route, author, reason))
        run, before = await asyncio.to_thread(self._note_restart, route, author, reason)
        return run, before

    def _note_restart(self, route: str, author: str, reason: str) -> tuple[int, int]:
        run, before, *_ = self.shadow.numbers(route)
        change = Change(ChangeKind.RESTART, author, reason, route, {"run": before}, {"run": run})
        with self.store.writing() as writing:
            writing.record([change])
        return run, before


def _settings_for_the_next_start(old: Serve, new: Serve) -> tuple[str, ...]:
    changed = [
        key
        for key in ("listen", "admin", "health", "workers", "state", "store", "heartbeat_timeout", "stop_delay")
        if getattr(old, key) != getattr(new, key)
    ]
    return tuple(f"gateway.{key} has changed; it counts from the next start of the gateway" for key in changed)
