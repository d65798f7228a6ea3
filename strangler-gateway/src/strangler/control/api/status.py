"""``GET /status``: the gateway at a glance."""

import time
from collections.abc import Iterable, Iterator
from typing import Literal

from fastapi import APIRouter
from pydantic import BaseModel, Field

from strangler.control.api.dependencies import Plane
from strangler.control.api.holds import HoldStatus
from strangler.control.plane import ControlPlane
from strangler.control.traffic import WINDOW_SECONDS, Tally, quantile
from strangler.control.version import VERSION
from strangler.model.flag import Kill
from strangler.telemetry.families.upstreams import BREAKERS, EJECTED, UNHEALTHY
from strangler.telemetry.family import Family

router = APIRouter(tags=["status"])

_TROUBLES: tuple[tuple[Family, Literal["ejected", "unhealthy"]], ...] = (
    (EJECTED, "ejected"),
    (UNHEALTHY, "unhealthy"),
)


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


class TrafficStatus(BaseModel):
    """What the gateway as a whole has served lately."""

    window_seconds: int
    requests: int
    errors: int = Field(description="Answers of 500 and above.")
    p50_ms: float | None = Field(description="None without requests; from a histogram, so an estimate.")
    p99_ms: float | None

    @classmethod
    def of(cls, recent: Iterable[Tally]) -> "TrafficStatus":
        """Of all routes and arms together."""
        total = Tally()
        for tally in recent:
            total.add(tally)
        return cls(
            window_seconds=WINDOW_SECONDS,
            requests=total.requests,
            errors=total.errors,
            p50_ms=_milliseconds(quantile(total.buckets, 0.5)),
            p99_ms=_milliseconds(quantile(total.buckets, 0.99)),
        )


class TroubledEndpoint(BaseModel):
    """An endpoint that some workers do not send requests to."""

    upstream: str
    endpoint: str
    trouble: Literal["breaker open", "ejected", "unhealthy"]
    workers: int = Field(description="How many see it so.")


class Status(BaseModel):
    """The gateway at a glance."""

    version: str
    revision: int
    topology: str = Field(description="Fingerprint of the configuration's topology.")
    uptime_seconds: float = Field(description="Of the control plane.")
    workers: list[WorkerStatus]
    kills: list[KillStatus]
    holds: list[HoldStatus]
    traffic: TrafficStatus
    troubled: list[TroubledEndpoint]
    supervisor: Literal["connected", "lost"]
    comparator: Literal["connected", "lost"]


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
        traffic=TrafficStatus.of(plane.traffic.recent().values()),
        troubled=list(_troubled(plane)),
        supervisor="connected" if plane.supervisor.connected else "lost",
        comparator="connected" if plane.link_server.comparator.connected else "lost",
    )


def _troubled(plane: ControlPlane) -> Iterator[TroubledEndpoint]:
    for (upstream, endpoint, state), workers in plane.traffic.gauge(BREAKERS):
        if state == "open" and workers:
            yield TroubledEndpoint(upstream=upstream, endpoint=endpoint, trouble="breaker open", workers=int(workers))
    for family, trouble in _TROUBLES:
        for (upstream, endpoint), workers in plane.traffic.gauge(family):
            if workers:
                yield TroubledEndpoint(upstream=upstream, endpoint=endpoint, trouble=trouble, workers=int(workers))


def _milliseconds(seconds: float | None) -> float | None:
    return None if seconds is None else round(seconds * 1000, 2)


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
