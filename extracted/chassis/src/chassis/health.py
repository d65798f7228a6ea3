"""Is the process alive, and can it do its work: `/livez` and `/readyz` with one named check per thing it needs."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping

import structlog
from fastapi import APIRouter
from fastapi.responses import JSONResponse

Check = Callable[[], Awaitable[object]]
"""Returns when the thing works, raises when it does not."""

_UNCACHED = {"Cache-Control": "no-store"}
_log = structlog.get_logger(__name__)


async def _failure(name: str, check: Check, seconds: float) -> str | None:
    try:
        async with asyncio.timeout(seconds):
            await check()
    except Exception as error:  # noqa: BLE001 - whatever a check raises is its answer
        _log.warning("check failed", check=name, error=repr(error))
        return f"no answer within {seconds:g} s" if isinstance(error, TimeoutError) else type(error).__name__
    return None


def health_router(checks: Mapping[str, Check], *, check_seconds: float = 2.0) -> APIRouter:
    """`/livez` looks at nothing else, so that a lost database never gets a healthy process killed.

    `/readyz` runs all `checks` at once: 200 when each returns within `check_seconds`, 503 otherwise. It tells the
    kind of a failure; what exactly failed stands in the log, since a message may name hosts and users.
    """
    router = APIRouter(include_in_schema=False)

    @router.get("/livez")
    async def livez() -> JSONResponse:
        return JSONResponse({"status": "ok"}, headers=_UNCACHED)

    @router.get("/readyz")
    async def readyz() -> JSONResponse:
        failures = await asyncio.gather(*(_failure(name, check, check_seconds) for name, check in checks.items()))
        results = {name: failure or "ok" for name, failure in zip(checks, failures, strict=True)}
        ready = not any(failures)
        body = {"status": "ok" if ready else "unavailable", "checks": results}
        return JSONResponse(body, status_code=200 if ready else 503, headers=_UNCACHED)

    return router
