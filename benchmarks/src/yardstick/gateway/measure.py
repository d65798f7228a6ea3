"""Measures rounds: in each, every proxy in turn is loaded, and its CPU time divided by the requests it answered."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from strangler.bench.statistics import rotated
from yardstick.gateway.cores import cpu_time
from yardstick.gateway.load import Load, apply
from yardstick.gateway.running import Running
from yardstick.gateway.same_job import log_lines, wait_for_log

_SETTLE = 1.0
"""Seconds of load before each measurement, for caches that another proxy has just used."""


@dataclass(frozen=True, slots=True)
class Sample:
    """One proxy in one round."""

    peer: str
    round: int
    requests: int
    errors: int
    seconds: float
    cpu_seconds: float
    """Of the whole tree of processes."""
    data_plane_cpu_seconds: float
    """Of those that carry requests."""
    logged: int
    """Lines that the access log has gained."""
    refused: str = ""
    """Why it does not count; empty if it does."""

    @property
    def microseconds(self) -> float:
        """CPU time per request."""
        return self.cpu_seconds / self.requests * 1e6

    @property
    def data_plane_microseconds(self) -> float:
        return self.data_plane_cpu_seconds / self.requests * 1e6

    @property
    def rate(self) -> float:
        """Requests per second."""
        return self.requests / self.seconds


def rounds(running: Sequence[Running], load: Load, *, count: int, seconds: float) -> Iterator[Sample]:
    """Yield a sample per proxy and round. Every round begins with another proxy."""
    for number in range(count):
        for one in rotated(running, number):
            yield measure(one, load, number=number, seconds=seconds)


def measure(running: Running, load: Load, *, number: int, seconds: float) -> Sample:
    """Load one proxy and count."""
    port, marker = running.place.port, running.peer.data_plane
    lines_before = log_lines(running)
    settled = apply(load, port, _SETTLE)
    lines_before = wait_for_log(running, lines_before + settled.requests)
    before = cpu_time(running.pid, marker)
    counted = apply(load, port, seconds)
    used = cpu_time(running.pid, marker).since(before)
    logged = wait_for_log(running, lines_before + counted.requests) - lines_before
    return Sample(
        peer=running.peer.name,
        round=number + 1,
        requests=counted.requests,
        errors=counted.errors,
        seconds=counted.seconds,
        cpu_seconds=used.tree,
        data_plane_cpu_seconds=used.data_plane,
        logged=logged,
        refused=refusal(counted.requests, counted.errors, logged),
    )


def refusal(requests: int, errors: int, logged: int) -> str:
    """Say why a sample does not count; nothing if it does."""
    if not requests:
        return "no request was answered"
    if errors:
        return f"{errors} errors"
    if logged < requests:
        return f"{requests - logged} of {requests} requests are not in the access log"
    return ""
