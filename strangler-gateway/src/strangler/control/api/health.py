"""``/livez`` and ``/readyz`` of the control plane; those of the data plane are the supervisor's."""

import asyncio
from typing import Literal

from fastapi import APIRouter
from pydantic import BaseModel

from strangler.control.api.dependencies import Plane
from strangler.control.api.problems import responses

router = APIRouter(tags=["health"])


class Health(BaseModel):
    """All is well."""

    status: Literal["ok"] = "ok"


@router.get("/livez")
async def livez() -> Health:
    """The process answers."""
    return Health()


@router.get("/readyz", responses=responses(503))
async def readyz(plane: Plane) -> Health:
    """Changes can be made: the store answers."""
    await asyncio.to_thread(plane.store.ping)
    return Health()
