"""Every error as problem+json (RFC 9457)."""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field
from starlette.exceptions import HTTPException

from strangler.control.comparator_line import ComparatorLost
from strangler.control.flips import FlipInvalid
from strangler.control.holds import HoldRefused
from strangler.control.recordings import RecordingRefused, UnknownRecording
from strangler.control.registry import RegistrationRefused, UnknownInstance
from strangler.control.shadow_reports import NothingCompared
from strangler.control.store import StoreUnavailable
from strangler.control.supervisor_client import SupervisorLost
from strangler.control.targets import UnknownTarget
from strangler.ledger.ledger import LedgerUnavailable, NoSuchRun
from strangler.model.errors import ConfigError, FlipRefused, StranglerError
from strangler.routing import AmbiguousPath

MEDIA_TYPE = "application/problem+json"


class Finding(BaseModel):
    """One thing that is wrong."""

    line: int = Field(description="In the configuration file, counted from 1; 0 for none.")
    place: str = Field(description="A path into the document, or into the request's body.")
    message: str


class Problem(BaseModel):
    """What went wrong, and what to do (RFC 9457)."""

    type: str = "about:blank"
    title: str
    status: int
    detail: str
    near: list[str] = Field(default=[], description="Names that are near to one that is not known.")
    problems: list[Finding] = Field(default=[], description="Everything that is wrong with what was sent or read.")


STATUSES: dict[type[StranglerError], int] = {
    UnknownTarget: 404,
    UnknownInstance: 404,
    UnknownRecording: 404,
    NothingCompared: 404,
    NoSuchRun: 404,
    RegistrationRefused: 409,
    RecordingRefused: 409,
    FlipRefused: 409,
    HoldRefused: 409,
    FlipInvalid: 422,
    AmbiguousPath: 422,
    ConfigError: 422,
    StoreUnavailable: 503,
    SupervisorLost: 503,
    ComparatorLost: 503,
    LedgerUnavailable: 503,
}


def problem(status: int, detail: str, headers: Mapping[str, str] | None = None, **more: Any) -> JSONResponse:
    """A response that says what is wrong; members without content are left out."""
    members = Problem(title=HTTPStatus(status).phrase, status=status, detail=detail, **more)
    content = members.model_dump(exclude_defaults=True) | {"type": members.type}
    return JSONResponse(content, status, dict(headers or {}), MEDIA_TYPE)


def responses(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """For a route's ``responses``: these statuses answer with a problem."""
    content = {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}}
    return {
        status: {"model": Problem, "description": HTTPStatus(status).phrase, "content": content} for status in statuses
    }


def install(app: FastAPI) -> None:
    """Make every error that ``app`` can answer with a problem."""
    app.add_exception_handler(StranglerError, _on_ours)
    app.add_exception_handler(HTTPException, _on_http)
    app.add_exception_handler(RequestValidationError, _on_invalid)
    app.add_exception_handler(Exception, _on_bug)


async def _on_ours(_request: Request, error: Exception) -> JSONResponse:
    status = next((status for kind, status in STATUSES.items() if isinstance(error, kind)), 500)
    if isinstance(error, UnknownTarget):
        return problem(status, str(error), near=error.near)
    if isinstance(error, ConfigError):
        findings = [Finding(line=found.line, place=found.place, message=found.message) for found in error.problems]
        count = f"{len(findings)} problem{'s' if len(findings) > 1 else ''}"
        return problem(status, f"{error.source} is refused as a whole: {count}; nothing was changed", problems=findings)
    return problem(status, str(error))


async def _on_http(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, HTTPException)
    detail = error.detail
    if error.status_code == 404:
        detail = f"there is nothing at {request.url.path}; /docs lists what there is"
    elif error.status_code == 405:
        detail = f"{request.method} is not for {request.url.path}"
    return problem(error.status_code, detail, error.headers)


async def _on_invalid(_request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RequestValidationError)
    findings = [
        Finding(line=0, place=".".join(map(str, found["loc"])), message=found["msg"].removeprefix("Value error, "))
        for found in error.errors()
    ]
    detail = "; ".join(f"{found.place}: {found.message}" for found in findings)
    return problem(422, detail, problems=findings)


async def _on_bug(_request: Request, _error: Exception) -> JSONResponse:
    return problem(500, "an error of the control plane itself; its log has the details")
