"""Latency of requests that arrive at a fixed rate, through a proxy."""

import statistics

from strangler.bench.arrivals import arrive

_REQUEST = b"GET /api/products/7 HTTP/1.1\r\nHost: bench\r\nCookie: session=visitor-1\r\n\r\n"


async def latencies(port: int, *, rate: int, seconds: float, connections: int = 16) -> list[float]:
    """Ask ``rate`` times a second; return every latency in seconds. Raises ``RuntimeError`` if a request failed."""
    found = await arrive(
        f"127.0.0.1:{port}", [_REQUEST], right={200}, rate=rate, seconds=seconds, connections=connections
    )
    if found.errors:
        raise RuntimeError(f"{found.wrong} requests failed, {found.unanswered} have no answer")
    return list(found.latencies)


def percentile(values: list[float], share: float) -> float:
    """The value that ``share`` of all are not above, 0 < ``share`` < 1."""
    return statistics.quantiles(values, n=1000, method="inclusive")[round(share * 1000) - 1]
