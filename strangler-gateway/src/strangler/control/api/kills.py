"""``POST /kills``: force a route to the monolith, or lift that."""

from fastapi import APIRouter
from pydantic import BaseModel, Field

from strangler.control.api.dependencies import Plane
from strangler.control.api.flips import Author, Why
from strangler.control.api.problems import responses
from strangler.control.api.status import KillStatus
from strangler.control.supervisor_client import SupervisorLost

router = APIRouter(tags=["kills"])


class KillBody(BaseModel):
    """What is asked for."""

    target: str = Field(description="A route or a module.", examples=["catalog"])
    reason: Why
    author: Author
    lift: bool = Field(default=False, description="Lift the kill instead.")


class KillResult(BaseModel):
    """What is in force now."""

    generation: int
    kills: list[KillStatus] = Field(description="Every kill that is in force, of whatever target.")
    missing: list[int] = Field(description="Slots that have not acknowledged in time.")
    seconds: float


@router.post("/kills", responses=responses(404, 409, 422, 503))
async def kill(body: KillBody, plane: Plane) -> KillResult:
    """Send a route, or every route of a module, to the monolith at once, whatever its flag says; or lift that.

    The supervisor does it, without the store; `strangler kill` works also while this API is down.
    """
    reply = await plane.kill(body.target, body.author, body.reason, lift=body.lift)
    if reply.error:
        raise SupervisorLost(f"the supervisor refused: {reply.error}")
    return KillResult(
        generation=reply.generation,
        kills=[KillStatus.of(kill) for kill in reply.kills],
        missing=list(reply.missing),
        seconds=round(reply.seconds, 4),
    )
