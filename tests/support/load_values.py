"""What load is made of and what comes of it: plan, results, summary. No I/O."""

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Request:
    """What is sent. Host, Content-Length and a unique X-Request-ID are added."""

    target: str
    method: str = "GET"
    headers: tuple[tuple[str, str], ...] = ()
    body: str = ""

    def __post_init__(self) -> None:
        if self.method == "HEAD":
            raise ValueError("HEAD is not for load: its answers cannot be told from those with a body")


@dataclass(frozen=True, slots=True)
class Plan:
    """What to send where, and when. ``requests`` are sent in turn, over and over."""

    url: str
    """``http://HOST:PORT`` without a path."""
    requests: tuple[Request, ...]
    rate: float
    """Requests per second, evenly spaced."""
    seconds: float
    """For how long requests are begun; those in flight are then waited for."""
    connections: int = 64
    """At most so many at a time; a request that finds all busy waits, and its waiting counts."""
    timeout: float = 15.0
    """From the scheduled time to the answer's last byte."""
    keep_alive: bool = True
    """Without it every request has a connection of its own."""
    name: str = "load"
    """Begins the request ids: ``NAME-0``, ``NAME-1`` …"""


@dataclass(frozen=True, slots=True)
class Result:
    """What became of one request. Times that were not reached are 0."""

    request_id: str
    target: str
    scheduled: float
    sent: float
    first_byte: float
    done: float
    status: int
    """0 without an answer."""
    arm: str
    """``arm`` in a JSON body, else empty."""
    error: str
    """Why there was no whole answer; empty if there was one. An answer with status 502 is no error here."""
    connection: int
    """The number of the connection, in the order of opening; -1 if it had none."""

    @property
    def seconds(self) -> float:
        """From the scheduled time to the last byte, or to the error."""
        return self.done - self.scheduled

    @property
    def failed(self) -> bool:
        return bool(self.error) or self.status >= 500


@dataclass(frozen=True, slots=True)
class Summary:
    """What came of a plan, with every single result in the order of schedule."""

    results: tuple[Result, ...] = field(repr=False)
    statuses: dict[int, int]
    errors: dict[str, int]
    arms: dict[str, int]
    p50: float
    """Seconds from the scheduled time, over the requests with an answer; NaN if there is none. So are the next."""
    p95: float
    p99: float
    slowest: float
    late: float
    """The 99th percentile of sent minus scheduled: how far the load itself lagged, for want of connections or CPU."""

    @property
    def failures(self) -> tuple[Result, ...]:
        return tuple(result for result in self.results if result.failed)


def summarise(results: Sequence[Result]) -> Summary:
    """Count and rank results."""
    ordered = tuple(sorted(results, key=lambda result: result.scheduled))
    durations = sorted(result.seconds for result in ordered if not result.error)
    return Summary(
        results=ordered,
        statuses=dict(Counter(result.status for result in ordered if not result.error)),
        errors=dict(Counter(result.error for result in ordered if result.error)),
        arms=dict(Counter(result.arm for result in ordered if result.arm)),
        p50=percentile(durations, 50),
        p95=percentile(durations, 95),
        p99=percentile(durations, 99),
        slowest=percentile(durations, 100),
        late=percentile(sorted(result.sent - result.scheduled for result in ordered if result.sent), 99),
    )


def percentile(ordered: Sequence[float], percent: float) -> float:
    """Return the nearest-rank percentile of ascending values; NaN of none."""
    if not ordered:
        return math.nan
    return ordered[max(0, math.ceil(percent / 100 * len(ordered)) - 1)]
