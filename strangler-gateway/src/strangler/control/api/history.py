"""``GET /history``: who changed what, when and why."""

import asyncio
from typing import Annotated, Any

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field

from strangler.control.api.dependencies import Plane
from strangler.control.api.problems import responses
from strangler.control.store import ChangeKind

router = APIRouter(tags=["history"])


class HistoryItem(BaseModel):
    """One change of one route, or of the configuration."""

    id: int
    at: str = Field(description="RFC 3339, UTC.")
    author: str
    action: ChangeKind
    route: str | None = Field(description="None for a change of the configuration as a whole.")
    before: dict[str, Any] | None
    after: dict[str, Any] | None
    reason: str
    revision: int = Field(description="Of the snapshot that has the change; for kills, of the one that it overrides.")


class History(BaseModel):
    """The newest first."""

    items: list[HistoryItem]


@router.get("/history", responses=responses(422, 503))
async def get_history(
    plane: Plane,
    route: Annotated[str | None, Query(description="Only of this route, or of this module's routes.")] = None,
    limit: Annotated[int, Query(ge=1, le=1000)] = 50,
    before: Annotated[int | None, Query(ge=1, description="Only items with an id below this: for paging.")] = None,
) -> History:
    """The audit: flips, kills, and changes of the configuration."""
    routes = None
    if route is not None:
        # A route that is gone has a history too, so a name that is not known is no error.
        routes = {route, *(known.name for known in plane.loaded.topology.routes if known.module == route)}
    rows = await asyncio.to_thread(plane.store.history, routes, limit, before)
    return History(items=[HistoryItem.model_validate(row, from_attributes=True) for row in rows])
