"""``POST /holds`` and ``POST /holds/release``: let the writes of a module wait for a moment."""

from typing import Annotated

from fastapi import APIRouter
from pydantic import BaseModel, Field

from strangler.control.api.dependencies import Plane
from strangler.control.api.flips import Author, Why
from strangler.control.api.problems import responses
from strangler.control.holds import Held
from strangler.model.hold import HoldAt, HoldState
from strangler.model.messages import HoldRequest, ReleaseRequest

router = APIRouter(prefix="/holds", tags=["holds"])

Module = Annotated[str, Field(description="A module that routes declare to write.", examples=["catalog"])]


class HoldBody(BaseModel):
    """What is asked for."""

    module: Module
    seconds: float = Field(default=5.0, ge=0.05, le=60, description="After this long it ends by itself.")
    max: int = Field(default=1000, ge=1, le=100_000, description="Requests that may wait in each worker.")
    drain_within: float = Field(
        default=2.0, gt=0, le=10, description="Seconds in which the writes that are in flight must be over."
    )
    keep: bool = Field(default=False, description="Keep the hold also if some are not; else it is released again.")
    reason: Why
    author: Author


class ReleaseBody(BaseModel):
    """What is asked for."""

    module: Module
    reason: Why
    author: Author


class WorkerHold(BaseModel):
    """How far a hold is in one worker."""

    slot: int
    drained: bool = Field(description="Whether none of the module's writes is in flight there.")
    in_flight: int
    held: int = Field(description="Requests that wait; after a release: that were let go.")
    seconds: float = Field(description="From the hold's beginning until none was in flight.")

    @classmethod
    def of(cls, at: HoldAt) -> "WorkerHold":
        """From the model's value."""
        return cls(slot=at.slot, drained=at.drained, in_flight=at.in_flight, held=at.held, seconds=round(at.seconds, 4))


class HoldStatus(BaseModel):
    """A hold that is in force."""

    module: str
    author: str
    reason: str
    at: str = Field(description="RFC 3339, UTC.")
    seconds: float = Field(description="Its whole length.")
    max: int
    held: int = Field(description="Requests that wait, in all workers, as they said last.")
    workers: list[WorkerHold]

    @classmethod
    def of(cls, state: HoldState) -> "HoldStatus":
        """From the model's value."""
        hold = state.hold
        return cls(
            module=hold.module,
            author=hold.author,
            reason=hold.reason,
            at=hold.at,
            seconds=hold.seconds,
            max=hold.most,
            held=sum(at.held for at in state.workers),
            workers=[WorkerHold.of(at) for at in state.workers],
        )


class HoldResult(BaseModel):
    """What it came to."""

    module: str
    in_force: bool = Field(description="Whether the module is held now.")
    routes: list[str] = Field(description="Those that write the module.")
    workers: list[WorkerHold]
    missing: list[int] = Field(description="Slots that have writes in flight, or have not answered in time.")
    seconds: float = Field(description="Until every worker had answered, or the wait was over.")
    warnings: list[str]

    @classmethod
    def of(cls, module: str, held: Held) -> "HoldResult":
        """From the supervisor's reply."""
        return cls(
            module=module,
            in_force=held.reply.in_force,
            routes=list(held.routes),
            workers=[WorkerHold.of(at) for at in held.reply.workers],
            missing=list(held.reply.missing),
            seconds=round(held.reply.seconds, 4),
            warnings=list(held.warnings),
        )


@router.post("", responses=responses(404, 409, 422, 503))
async def hold(body: HoldBody, plane: Plane) -> HoldResult:
    """Let the unsafe requests of every route that writes a module wait.

    The answer comes when none of them is in flight in any worker. If that is not so in time, the hold is released
    again, unless it is to be kept, and the workers that are missing are named. A hold always ends by itself: those who
    wait then are answered 503.
    """
    request = HoldRequest(
        body.module, body.seconds, body.max, body.drain_within, body.author, body.reason, keep=body.keep
    )
    return HoldResult.of(body.module, await plane.holds.hold(plane.loaded.topology, request))


@router.post("/release", responses=responses(409, 422, 503))
async def release(body: ReleaseBody, plane: Plane) -> HoldResult:
    """End a hold: every request that waits goes on, under the flags that are in force now."""
    request = ReleaseRequest(body.module, body.author, body.reason)
    return HoldResult.of(body.module, await plane.holds.release(plane.loaded.topology, request))
