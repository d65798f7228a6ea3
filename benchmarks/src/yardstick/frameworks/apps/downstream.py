"""How ``slow`` asks: one client per process, urllib3 where a thread waits and aiohttp where a coroutine does.

Both cost a few hundred microseconds a request, however many wait. httpx would be one client for both, and would be what
is measured: its pool (httpcore 1.0.9) looks at every connection for every idle one each time that a request begins or
ends. With 64 requests on their way each takes about 10 ms of processor time in a coroutine, and 2 ms in a thread.
"""

import os

import aiohttp
import urllib3

VARIABLE = "BENCH_DOWNSTREAM"
"""Names the variable with the URL that ``GET /bench/slow`` waits for."""
CONNECTIONS = 512
"""Of one process, and more than any load has requests on their way: the client is not what makes anybody wait."""
SECONDS = 10.0


def address() -> str:
    """The slow server's URL. Raises ``RuntimeError`` where none was given."""
    url = os.environ.get(VARIABLE)
    if not url:
        raise RuntimeError(f"{VARIABLE} names the server that /bench/slow waits for, and is not set")
    return url


def for_threads() -> urllib3.PoolManager:
    """A client that all threads of a process share."""
    return urllib3.PoolManager(maxsize=CONNECTIONS, retries=False, timeout=SECONDS)


def for_coroutines() -> aiohttp.ClientSession:
    """A client of the running event loop. It raises for answers from 400 on."""
    return aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(limit=CONNECTIONS),
        timeout=aiohttp.ClientTimeout(SECONDS),
        raise_for_status=True,
    )
