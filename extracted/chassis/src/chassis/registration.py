"""Tell a gateway where this service answers: one line, and the service comes and goes by itself.

``register(app, gateway="http://127.0.0.1:8081", upstream="catalog", address="10.0.0.5:8091")``

The gateway never decides whether the service works: while it is away the service serves on, and registers once it is
back.
"""

import asyncio
import contextlib
import os
import socket
from collections.abc import AsyncIterator
from urllib.parse import quote

import httpx
import structlog
from fastapi import FastAPI

PATIENCE = 2.0
"""Seconds for one call to the gateway."""
FAREWELL = 1.0
"""The same when the service ends: its lease would lapse anyway."""
OPENING_TIME = 10.0
"""Seconds that the service's own address is waited for before it is registered in any case."""

_log = structlog.get_logger(__name__)


def register(
    app: FastAPI,
    *,
    gateway: str,
    upstream: str,
    address: str,
    instance: str | None = None,
    lease: float = 15.0,
    token: str | None = None,
) -> None:
    """Register with a gateway's admin API while `app` runs: renewed at a third of the lease, taken back at the end.

    `address` is `HOST:PORT` as the gateway reaches it; `instance` is unique among the upstream's, made from host name
    and process if left out; `token` is that of the admin API, from `STRANGLER_ADMIN_TOKEN` if left out. Raises
    `ValueError` for an address without a port.
    """
    host, colon, port = address.rpartition(":")
    if not (host and colon and port.isascii() and port.isdigit()):
        raise ValueError(f"«{address}» is not where a service answers; write HOST:PORT, such as 10.0.0.5:8091")
    inner = app.router.lifespan_context
    name = instance or f"{socket.gethostname()}-{os.getpid()}"
    path = f"/api/v1/registry/{quote(upstream, safe='')}/{quote(name, safe='')}"
    token = token or os.environ.get("STRANGLER_ADMIN_TOKEN")
    headers = {"Authorization": f"Bearer {token}"} if token else {}

    @contextlib.asynccontextmanager
    async def registered(app: FastAPI) -> AsyncIterator[object]:
        async with inner(app) as state:
            client = httpx.AsyncClient(base_url=gateway, headers=headers, timeout=PATIENCE, trust_env=False)
            renewing = asyncio.create_task(_renew(client, path, address, lease))
            try:
                yield state
            finally:
                renewing.cancel()
                with contextlib.suppress(httpx.HTTPError):
                    await client.delete(path, timeout=FAREWELL)
                await client.aclose()

    app.router.lifespan_context = registered  # type: ignore[assignment]  # it yields what the inner one yields


async def _renew(client: httpx.AsyncClient, path: str, address: str, lease: float) -> None:
    """For ever. Registering and renewing is the same call: a gateway that has forgotten us is told anew."""
    await _open(address)
    trouble: str | None = "not registered yet"
    while True:
        try:
            answer = await client.put(path, json={"address": address, "lease": lease})
            now = None if answer.is_success else f"{answer.status_code} {answer.text[:300]}"
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            now = f"{type(error).__name__}: {error}"
        if now is not None and (trouble is None or trouble == "not registered yet"):
            _log.warning("not registered with the gateway; trying on", why=now, path=path)
        elif now is None and trouble is not None:
            _log.info("registered with the gateway", path=path, address=address)
        trouble = now
        await asyncio.sleep(lease / 3)


async def _open(address: str) -> None:
    """Wait until the service itself accepts connections: who is registered is asked at once."""
    host, _, port = address.rpartition(":")
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(OPENING_TIME):
            while True:
                with contextlib.suppress(OSError):
                    _, writer = await asyncio.open_connection(host.strip("[]"), int(port))
                    writer.close()
                    return
                await asyncio.sleep(0.05)
