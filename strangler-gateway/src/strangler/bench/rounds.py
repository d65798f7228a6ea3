"""Measures rounds, with a process of its own per server and round where we start them.

1. calibrate: what does each server answer at most? The arrival rate of an endpoint is a share of the least of that, and
   its blocks last longer where that server would be asked too little in them.
2. rounds: endpoint by endpoint every server in turn is warmed up, saturated and asked at that rate, so that those which
   are compared are seconds apart; each time another begins. The baseline takes part twice, so that a report knows what
   difference there is between a server and itself.
"""

import asyncio
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass, replace
from typing import Protocol

from strangler.bench import usage
from strangler.bench.arrivals import Arrivals, arrive
from strangler.bench.saturation import Saturation, saturate
from strangler.bench.statistics import rotated

AGAIN = " (again)"
"""Behind the baseline's name: the second of it."""
SHARES = (*(number / 100 for number in range(1, 100)), 0.995, 0.999, 1.0)
"""Of requests: the quantiles that are kept of each block."""
_MOST_PER_SECOND = 8_000
"""Unique requests that are made ready for each second: more than a server in Python answers on one core."""
_AT_LEAST = 0.3
"""Seconds at the fixed rate before anything counts."""
_STEADY = 0.10
"""Two bursts whose rates are no farther apart say that a server is warm."""
_TURNS = 2
"""Answers on each connection, that a block under saturation is long enough for …"""
_ARRIVALS = 10
"""… and requests, that one at the fixed rate is long enough for …"""
_LONGEST = 10.0
"""… where they take no more than so many seconds."""


class Asked(Protocol):
    """What is measured: an ``Endpoint``, or whatever can say the same."""

    @property
    def name(self) -> str: ...

    @property
    def right(self) -> frozenset[int]:
        """Statuses of right answers."""

    def requests(self, authority: str, count: int) -> list[bytes]:
        """What is sent, in turn: ``count`` requests where no two may be the same, else as many as there are."""


@dataclass(frozen=True, slots=True)
class Served:
    """A server that answers."""

    authority: str
    """``host:port``"""
    pid: int | None = None
    """Of its root process, where it is known."""
    ready_after: float | None = None
    """Seconds from its start to its first answer, where we started it."""


@dataclass(frozen=True, slots=True)
class Target:
    """A server to measure."""

    name: str
    endpoints: tuple[Asked, ...]
    """Those that it has."""
    serve: Callable[[], AbstractContextManager[Served]]
    """Gives it for the length of a round; one that we start is started anew each time."""


@dataclass(frozen=True, slots=True)
class Plan:
    """How it is measured."""

    rounds: int = 7
    seconds: float = 2.0
    """Of saturation, per server, endpoint and round; slow endpoints get more."""
    arrival_seconds: float = 2.0
    """Of arrivals at a fixed rate; slow endpoints get more."""
    connections: int = 16
    share: float = 0.6
    """The arrival rate, as a share of what the slowest server answers at most."""
    most_warm_ups: int = 4
    """Bursts of one second each, after some requests at the fixed rate, if it takes so many until it is steady; -1 for
    servers that have been warm since they were calibrated."""
    core: int | None = None
    """Where wrk runs; servers that we start run elsewhere."""


@dataclass(frozen=True, slots=True)
class Pace:
    """How one endpoint of every server is asked."""

    arrival_rate: float
    """Requests per second."""
    seconds: float
    """Of saturation."""
    arrival_seconds: float


@dataclass(frozen=True, slots=True)
class Sample:
    """One server, one endpoint, one round."""

    target: str
    endpoint: str
    round: int
    requests: int
    rate: float
    """Requests per second, saturated."""
    cpu_seconds: float | None
    """Per 1,000 requests, saturated; None where its processes are not known."""
    arrival_rate: float
    quantiles: tuple[float, ...]
    """Seconds at ``SHARES``."""
    lateness: float
    """Of the generator, in seconds."""
    memory: int | None
    """Bytes after it."""
    ready_after: float | None
    errors: str = ""
    """Why it does not count; empty if it does."""

    def quantile(self, share: float) -> float:
        """Seconds; ``share`` is one of ``SHARES``."""
        return self.quantiles[SHARES.index(share)]


def calibrate(targets: Sequence[Target], plan: Plan, told: Callable[[str], None]) -> dict[str, Pace]:
    """The pace of each endpoint, by its name."""
    least: dict[str, float] = {}
    for target in targets:
        told(f"calibrating {target.name}")
        with target.serve() as served:
            for endpoint in target.endpoints:
                rate = _most(served, endpoint, plan)
                least[endpoint.name] = min(rate, least.get(endpoint.name, rate))
    return {name: pace(plan, rate) for name, rate in least.items()}


def pace(plan: Plan, least: float) -> Pace:
    """How an endpoint is asked of which the slowest server answers ``least`` a second at most."""
    arrival_rate = max(1.0, plan.share * least)
    enough = _TURNS * plan.connections / least if least else _LONGEST
    return Pace(
        arrival_rate=arrival_rate,
        seconds=max(plan.seconds, min(_LONGEST, enough)),
        arrival_seconds=max(plan.arrival_seconds, min(_LONGEST, _ARRIVALS / arrival_rate)),
    )


def measure(
    targets: Sequence[Target], paces: Mapping[str, Pace], plan: Plan, told: Callable[[str], None]
) -> Iterator[Sample]:
    """A sample per server, endpoint and round; the first server is the baseline. Raises ``NoLoad``.

    All servers of a round run at the same time, of which all but one are idle.
    """
    twice = [*targets, replace(targets[0], name=targets[0].name + AGAIN)]
    names = list(dict.fromkeys(asked.name for target in targets for asked in target.endpoints))
    for number in range(plan.rounds):
        with ExitStack() as stack:
            told(f"round {number + 1} of {plan.rounds}")
            served = [(target, stack.enter_context(target.serve())) for target in twice]
            for turn, name in enumerate(rotated(names, number), number):
                for target, its in rotated(served, turn):
                    for asked in target.endpoints:
                        if asked.name == name:
                            yield _sample(target, its, asked, paces[name], plan, number + 1)


def _sample(target: Target, served: Served, endpoint: Asked, its: Pace, plan: Plan, number: int) -> Sample:
    _warm_up(served, endpoint, its.arrival_rate, plan)
    before = usage.look(served.pid) if served.pid is not None else None
    saturated = _saturate(served, endpoint, plan, its.seconds)
    after = usage.look(served.pid) if served.pid is not None else None
    arrived = _arrive(served, endpoint, its.arrival_rate, plan, its.arrival_seconds)
    used = None
    if before is not None and after is not None and saturated.requests:
        used = (after.cpu_seconds - before.cpu_seconds) / saturated.requests * 1000
    return Sample(
        target=target.name,
        endpoint=endpoint.name,
        round=number,
        requests=saturated.requests + len(arrived.latencies),
        rate=saturated.rate,
        cpu_seconds=used,
        arrival_rate=its.arrival_rate,
        quantiles=tuple(arrived.quantile(share) for share in SHARES) if arrived.latencies else (),
        lateness=arrived.lateness,
        memory=usage.look(served.pid).memory if served.pid is not None else None,
        ready_after=served.ready_after,
        errors=_errors(saturated, arrived),
    )


def _errors(saturated: Saturation, arrived: Arrivals) -> str:
    if not saturated.requests or not arrived.latencies:
        return "no request was answered as it should"
    found = {
        "failed under saturation": saturated.errors,
        "answered with another status at the fixed rate": arrived.wrong,
        "not answered at the fixed rate": arrived.unanswered,
    }
    return ", ".join(f"{number} {words}" for words, number in found.items() if number)


def _warm_up(served: Served, endpoint: Asked, rate: float, plan: Plan) -> None:
    if plan.most_warm_ups < 0:
        return
    _arrive(served, endpoint, rate, plan, _AT_LEAST)
    last = 0.0
    for _ in range(plan.most_warm_ups):
        now = _burst(served, endpoint, plan).rate
        if now and abs(now - last) <= _STEADY * now:
            return
        last = now


def _most(served: Served, endpoint: Asked, plan: Plan) -> float:
    """Requests per second that it answers at most."""
    bursts = [_burst(served, endpoint, plan) for _ in range(max(1, min(2, 1 + plan.most_warm_ups)))]
    if all(burst.requests < _TURNS * plan.connections for burst in bursts):
        # What was under way in the end is no small part of it.
        bursts.append(_saturate(served, endpoint, plan, 3))
    return max(burst.rate for burst in bursts)


def _burst(served: Served, endpoint: Asked, plan: Plan) -> Saturation:
    return _saturate(served, endpoint, plan, 1)


def _arrive(served: Served, endpoint: Asked, rate: float, plan: Plan, seconds: float) -> Arrivals:
    requests = endpoint.requests(served.authority, round(rate * seconds) + 1)
    return asyncio.run(
        arrive(
            served.authority, requests, right=endpoint.right, rate=rate, seconds=seconds, connections=plan.connections
        )
    )


def _saturate(served: Served, endpoint: Asked, plan: Plan, seconds: float) -> Saturation:
    # Where a block was lengthened, servers are slow.
    count = round(_MOST_PER_SECOND * min(seconds, max(1.0, plan.seconds)))
    requests = endpoint.requests(served.authority, count)
    return saturate(served.authority, requests, seconds=seconds, connections=plan.connections, core=plan.core)
