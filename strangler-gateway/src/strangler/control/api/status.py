"""``GET /status``: the gateway at a glance."""

import time
from typing import Literal

from fastapi import APIRouter
from pydantic import BaseModel, Field

from strangler.control.api.dependencies import Plane
from strangler.control.api.holds import HoldStatus
from strangler.control.plane import ControlPlane
from strangler.control.version import VERSION
from strangler.model.flag import Kill

router = APIRouter(tags=["status"])


class WorkerStatus(BaseModel):
    """One place for a worker."""

    slot: int
    pid: int = Field(description="0 while it is being replaced.")
    ready: bool
    revision: int = Field(description="The snapshot that every new request of it sees.")
    restarts: int


class KillStatus(BaseModel):
    """A route that is forced to the monolith."""

    route: str
    author: str
    reason: str
    at: str = Field(description="RFC 3339, UTC.")

    @classmethod
    def of(cls, kill: Kill) -> "KillStatus":
        """From the model's value."""
        return cls(route=kill.route, author=kill.author, reason=kill.reason, at=kill.at)


class Status(BaseModel):
    """The gateway at a glance."""

    version: str
    revision: int
    topology: str = Field(description="Fingerprint of the configuration's topology.")
    uptime_seconds: float = Field(description="Of the control plane.")
    workers: list[WorkerStatus]
    kills: list[KillStatus]
    holds: list[HoldStatus]
    supervisor: Literal["connected", "lost"]


@router.get("/status")
async def get_status(plane: Plane) -> Status:
    """What runs, with which revision, and what is killed."""
    snapshot = plane.publisher.snapshot
    return Status(
        version=VERSION,
        revision=snapshot.revision,
        topology=snapshot.topology,
        uptime_seconds=round(time.monotonic() - plane.started, 3),
        workers=worker_statuses(plane),
        kills=[KillStatus.of(kill) for kill in plane.supervisor.roster.kills],
        holds=[HoldStatus.of(state) for state in plane.supervisor.roster.holds],
        supervisor="connected" if plane.supervisor.connected else "lost",
    )


def worker_statuses(plane: ControlPlane) -> list[WorkerStatus]:
    """The supervisor's slots, with what their workers say themselves; just the workers if it has said nothing yet."""
    connected = {worker.slot: worker for worker in plane.workers.connected}
    found = {}
    for slot in plane.supervisor.roster.slots:
        worker = connected.get(slot.slot)
        revision = worker.acknowledged if worker is not None and worker.pid == slot.pid else slot.revision
        found[slot.slot] = WorkerStatus(
            slot=slot.slot, pid=slot.pid, ready=slot.ready, revision=revision, restarts=slot.restarts
        )
    for worker in connected.values():
        if worker.slot not in found:
            ready = worker.status is not None and worker.status.accepting
            found[worker.slot] = WorkerStatus(
                slot=worker.slot, pid=worker.pid, ready=ready, revision=worker.acknowledged, restarts=0
            )
    return [found[slot] for slot in sorted(found)]
