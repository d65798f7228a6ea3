"""Where ``slow`` asks: the address from the environment, and limits that are the same for every framework."""

import os

import httpx

VARIABLE = "BENCH_DOWNSTREAM"
"""Names the variable with the URL that ``GET /bench/slow`` waits for."""
LIMITS = httpx.Limits(max_connections=512, max_keepalive_connections=512)
"""Of one process, and more than any load has requests on their way: the client is not what makes anybody wait."""
TIMEOUT = httpx.Timeout(10.0)


def address() -> str:
    """The slow server's URL. Raises ``RuntimeError`` where none was given."""
    url = os.environ.get(VARIABLE)
    if not url:
        raise RuntimeError(f"{VARIABLE} names the server that /bench/slow waits for, and is not set")
    return url
