"""``/recordings``: keep a bounded, redacted sample of a route's real exchanges, and fetch it."""

from collections.abc import Iterator
from pathlib import Path as FilePath
from typing import Annotated, Any

import msgspec
from fastapi import APIRouter, Path
from fastapi.responses import StreamingResponse
from pydantic import BaseModel, Field

from strangler.control.api.dependencies import Plane
from strangler.control.api.flips import Author, Why
from strangler.control.api.problems import responses
from strangler.control.recordings import Progress

router = APIRouter(prefix="/recordings", tags=["recordings"])

Id = Annotated[str, Path(pattern="^[0-9a-f]{16}$")]
_PIECE = 64 * 1024


class RecordingBody(BaseModel):
    """What is asked for."""

    route: str = Field(description="A route, at whatever stage; it needs no service.", examples=["products-get"])
    count: int = Field(default=1000, ge=1, le=1_000_000, description="Exchanges, at most.")
    bytes: int = Field(default=64 * 1024 * 1024, ge=1024, le=1 << 30, description="Of them as they are kept, at most.")
    seconds: float = Field(default=600.0, gt=0, le=86_400, description="After this long it ends by itself.")
    reason: Why
    author: Author


class RecordingView(BaseModel):
    """One recording, and how far it has got."""

    id: str
    route: str
    stage: str = Field(description="Of the route now.")
    began: float = Field(description="Seconds since the epoch.")
    ended: float | None
    exchanges: int = Field(description="On disk.")
    bytes: int
    dropped: int = Field(description="Exchanges for which there was no time.")
    error: str = Field(description="What went wrong; empty for nothing.")
    shadow: dict[str, Any] = Field(
        description="How the route is shadowed: rules and redaction, as a replay needs them."
    )


def _view(progress: Progress, plane: Plane) -> RecordingView:
    state = progress.state
    stages = {flag.route: flag.stage.value for flag in plane.publisher.snapshot.flags}
    return RecordingView(
        id=progress.recording.id,
        route=progress.recording.route,
        stage=stages.get(progress.recording.route, "monolith"),
        began=progress.began,
        ended=progress.ended or None,
        exchanges=state.exchanges,
        bytes=state.size,
        dropped=state.dropped,
        error=state.error,
        shadow=msgspec.to_builtins(progress.route.shadowing),
    )


@router.post("", responses=responses(404, 409, 422, 503))
async def begin(body: RecordingBody, plane: Plane) -> RecordingView:
    """Record a route from now on, until there is enough of it or the time is over. What is kept is redacted first."""
    progress = await plane.recordings.begin(
        plane.publisher.snapshot,
        body.route,
        count=body.count,
        size=body.bytes,
        seconds=body.seconds,
        author=body.author,
        reason=body.reason,
    )
    return _view(progress, plane)


@router.get("/{id}", responses=responses(404, 422))
async def get_recording(id: Id, plane: Plane) -> RecordingView:  # noqa: A002  # the API's word
    """How far it has got."""
    return _view(plane.recordings.find(id), plane)


@router.post("/{id}/end", responses=responses(404, 422, 503))
async def end(id: Id, plane: Plane) -> RecordingView:  # noqa: A002
    """Record no more. The answer comes when all is written."""
    return _view(await plane.recordings.end(id), plane)


@router.get("/{id}/exchanges", responses=responses(404, 422), response_class=StreamingResponse)
async def get_exchanges(id: Id, plane: Plane) -> StreamingResponse:  # noqa: A002
    """What was recorded: JSON Lines, without the head that a file has."""
    file = plane.recordings.file(id)
    return StreamingResponse(_pieces(file), media_type="application/jsonl")


def _pieces(file: FilePath) -> Iterator[bytes]:
    try:
        with file.open("rb") as lines:
            while piece := lines.read(_PIECE):
                yield piece
    except FileNotFoundError:
        return  # Nothing has come.


@router.delete("/{id}", status_code=204, responses=responses(404, 422, 503))
async def forget(id: Id, plane: Plane) -> None:  # noqa: A002
    """Remove a recording and what it has kept."""
    await plane.recordings.forget(id)
