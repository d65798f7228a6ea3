"""Whether an application answers its readiness URL: one small question over HTTP, asked again and again."""

import asyncio
import contextlib
from urllib.parse import SplitResult, urlsplit

from strangler.model.upstream import Endpoint

POLL = 0.05
"""Seconds between two questions."""
PATIENCE = 2.0
"""Seconds for one answer."""


def endpoint_of(url: str) -> Endpoint:
    """Where a URL points to."""
    parts = urlsplit(url)
    return Endpoint(parts.hostname or "127.0.0.1", parts.port or 80)


async def until_ready(url: str) -> None:
    """Return once ``url`` answers 2xx."""
    while not await _answers(urlsplit(url)):  # noqa: ASYNC110  # another process cannot set an Event of this one
        await asyncio.sleep(POLL)


async def _answers(url: SplitResult) -> bool:
    endpoint = endpoint_of(url.geturl())
    target = (url.path or "/") + (f"?{url.query}" if url.query else "")
    with contextlib.suppress(OSError, TimeoutError):
        async with asyncio.timeout(PATIENCE):
            reader, writer = await asyncio.open_connection(endpoint.host, endpoint.port)
            try:
                request = f"GET {target} HTTP/1.1\r\nHost: {endpoint.authority}\r\nConnection: close\r\n\r\n"
                writer.write(request.encode())
                version, _, rest = (await reader.readline()).partition(b" ")
                return version.startswith(b"HTTP/1.") and rest.startswith(b"2")
            finally:
                writer.close()
    return False
