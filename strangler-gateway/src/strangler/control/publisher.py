"""Brings the current snapshot to every worker, and answers how far it got."""

from strangler.config.loaded import Topology
from strangler.control.workers import Settlement, Workers
from strangler.model.flag import Flag, Stage
from strangler.model.messages import SnapshotPush
from strangler.model.snapshot import Snapshot

SETTLE_SECONDS = 5.0
"""How long a flip waits for its workers."""


def build_snapshot(revision: int, topology: Topology, flags: dict[str, Flag]) -> Snapshot:
    """``flags`` may hold more routes than the topology, and need not hold those at stage ``monolith``."""
    published = (flags[route.name] for route in topology.routes if route.name in flags)
    return Snapshot(
        revision,
        topology.fingerprint,
        topology.gateway,
        topology.upstreams,
        topology.routes,
        tuple(flag for flag in published if flag.stage is not Stage.MONOLITH),
        topology.authenticators,
        topology.identity,
    )


class Publisher:
    """Holds the snapshot that workers should have; it is on disk before it comes here."""

    def __init__(self, workers: Workers, snapshot: Snapshot) -> None:
        self._workers = workers
        self.snapshot = snapshot

    def publish(self, snapshot: Snapshot) -> None:
        """Push to every connected worker; those that connect later are given it when they do."""
        self.snapshot = snapshot
        self._workers.broadcast(SnapshotPush(snapshot))

    async def settled(self, revision: int) -> Settlement:
        """Wait for every slot to have ``revision``, or for the time to be over."""
        return await self._workers.settle(revision, SETTLE_SECONDS)
