"""``/shadow``: what has been compared of each route, and what may be said of it."""

import asyncio
import time
from typing import Annotated, Any

from fastapi import APIRouter, Path, Query
from fastapi.responses import HTMLResponse, PlainTextResponse
from pydantic import BaseModel, Field

from strangler.control.api.dependencies import Plane
from strangler.control.api.flips import Author, Why
from strangler.control.api.problems import responses
from strangler.control.shadow_documents import sample_documents, standing_document
from strangler.model.flag import Stage

router = APIRouter(prefix="/shadow", tags=["shadow"])

RouteName = Annotated[str, Path(description="A route.", examples=["products-get"])]
Run = Annotated[int | None, Query(ge=1, description="The number of a run; the present one if left out.")]


class StandingView(BaseModel):
    """One route in short."""

    route: str
    stage: Stage
    run: int = Field(description="The number of the present run; 0 if nothing was mirrored yet.")
    began: str | None = Field(description="RFC 3339, UTC.")
    requests: int = Field(description="That have ended since the run began: the headings and those pending.")
    pending: int = Field(description="Waiting in a worker or in the comparator.")
    headings: dict[str, int] = Field(description="What became of each request.")
    compared: int
    different: int = Field(description="Of the compared, with a difference that is not noise.")
    verdict: str = Field(description="`equivalent`, `different` or `not_enough_seen`.")
    upper: float = Field(description="At most this share of the requests differ, at 95 %.")
    claim: str = Field(description="The same in words.")


class StandingList(BaseModel):
    """Every route that is shadowed, or was."""

    comparator: bool = Field(description="Whether the comparator is on the line.")
    items: list[StandingView]


class SampleList(BaseModel):
    """Pairs of answers that differ, redacted, the newest first."""

    route: str
    run: int
    items: list[dict[str, Any]]


class RestartBody(BaseModel):
    """For the history."""

    reason: Why
    author: Author


class RestartResult(BaseModel):
    """A new run has begun."""

    route: str
    run: int
    before: int = Field(description="The run that has ended; it can still be read.")


@router.get("", responses=responses(503))
async def list_standings(plane: Plane) -> StandingList:
    """What may be said of each route that is shadowed, or was."""
    standings = await asyncio.to_thread(plane.shadow.standings, plane.publisher.snapshot)
    return StandingList(
        comparator=plane.link_server.comparator.connected,
        items=[StandingView(**standing_document(each)) for each in standings],
    )


@router.get("/{route}", responses=responses(404, 422, 503))
async def get_report(route: RouteName, plane: Plane, run: Run = None) -> dict[str, Any]:
    """All that is known of a route: verdict, ledger, fields, noise, what was ignored, latencies, samples."""
    return await asyncio.to_thread(_report, plane, route, run)


def _report(plane: Plane, route: str, run: int | None) -> dict[str, Any]:
    from strangler.shadow.report import as_json  # noqa: PLC0415 - for those who ask

    return dict(as_json(plane.shadow.report(plane.publisher.snapshot, route, run)))


@router.get("/{route}/text", responses=responses(404, 422, 503), response_class=PlainTextResponse)
async def get_text(route: RouteName, plane: Plane, run: Run = None) -> PlainTextResponse:
    """The report as `strangler shadow report` prints it."""
    return PlainTextResponse(await asyncio.to_thread(_text, plane, route, run))


def _text(plane: Plane, route: str, run: int | None) -> str:
    from strangler.shadow.report import as_text  # noqa: PLC0415 - for those who ask

    return as_text(plane.shadow.report(plane.publisher.snapshot, route, run))


@router.get("/{route}/page", responses=responses(404, 422, 503), response_class=HTMLResponse)
async def get_page(route: RouteName, plane: Plane, run: Run = None) -> HTMLResponse:
    """The report as one HTML page that needs nothing else."""
    return HTMLResponse(await asyncio.to_thread(_page, plane, route, run), headers=_OF_ITSELF)


_OF_ITSELF = {
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; img-src data:",
    "X-Content-Type-Options": "nosniff",
}
"""The page shows what applications have answered. It has no script, and must not get one."""


def _page(plane: Plane, route: str, run: int | None) -> str:
    from strangler.shadow.page import as_html  # noqa: PLC0415 - for those who ask

    return as_html(plane.shadow.report(plane.publisher.snapshot, route, run), time.time())


@router.get("/{route}/samples", responses=responses(404, 422, 503))
async def get_samples(
    route: RouteName,
    plane: Plane,
    run: Run = None,
    limit: Annotated[int, Query(ge=1, le=1000)] = 20,
    field: Annotated[str | None, Query(description="Only pairs that differ in this field.")] = None,
) -> SampleList:
    """Pairs of answers that differ, redacted, the newest first."""
    snapshot = plane.publisher.snapshot
    record = await asyncio.to_thread(plane.shadow.record, snapshot, route, run, 1000)
    return SampleList(route=route, run=record.number, items=sample_documents(record, limit, field))


@router.post("/{route}/restart", responses=responses(404, 422, 503))
async def restart(route: RouteName, body: RestartBody, plane: Plane) -> RestartResult:
    """Begin a new run: what is known of the route's answers becomes history. The answer comes when it is on disk."""
    run, before = await plane.restart_shadow(route, body.author, body.reason)
    return RestartResult(route=route, run=run, before=before)
