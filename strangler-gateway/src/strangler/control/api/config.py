"""``/config``: what is loaded, and loading it anew."""

from datetime import datetime

from fastapi import APIRouter
from pydantic import BaseModel, Field

from strangler.control.api.dependencies import Plane
from strangler.control.api.flips import Author, Why, settlement_warnings
from strangler.control.api.problems import responses

router = APIRouter(prefix="/config", tags=["config"])


class ConfigView(BaseModel):
    """The configuration that is in force."""

    source: str = Field(description="The file.")
    topology: str = Field(description="Fingerprint; comments and order of keys do not count.")
    loaded_at: datetime
    routes: int = Field(description="With the catch-all.")
    upstreams: list[str]


class ReloadBody(BaseModel):
    """For the history."""

    author: Author = "admin API"
    reason: Why = "reload"


class ReloadResult(BaseModel):
    """What it came to."""

    changed: bool = Field(description="Whether the topology differs from before.")
    revision: int
    topology: str
    acknowledged: list[int]
    missing: list[int]
    seconds: float
    warnings: list[str]


@router.get("")
async def get_config(plane: Plane) -> ConfigView:
    """What is loaded."""
    topology = plane.loaded.topology
    return ConfigView(
        source=plane.loaded.source,
        topology=topology.fingerprint,
        loaded_at=plane.loaded_at,
        routes=len(topology.routes),
        upstreams=[upstream.name for upstream in topology.upstreams],
    )


@router.post("/reload", responses=responses(422, 503))
async def reload(plane: Plane, body: ReloadBody | None = None) -> ReloadResult:
    """Read the file anew. Anything wrong in it, and it is refused as a whole: 422 lists every problem with its line."""
    asked = body or ReloadBody()
    reloaded = await plane.reload(asked.author, asked.reason)
    settlement = reloaded.settlement
    return ReloadResult(
        changed=reloaded.changed,
        revision=reloaded.revision,
        topology=plane.loaded.topology.fingerprint,
        acknowledged=list(settlement.acknowledged),
        missing=list(settlement.missing),
        seconds=round(settlement.seconds, 4),
        warnings=[*reloaded.warnings, *settlement_warnings(plane, settlement)],
    )
