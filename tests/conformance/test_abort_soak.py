"""Clients vanish at any point of what they do, applications reset, flags flip: afterwards nothing of it is left."""

import itertools
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from strangler.model.flag import Flag, Stage
from strangler.model.route import PathKind, Route, RouteMatch, StickySource, SubjectKind, Timeouts
from strangler.model.snapshot import Limits
from strangler.telemetry.families.upstreams import BREAKER_OPENED
from support.crowd import Crowd
from support.raw_http import wait_until
from support.stub_behaviours import BEHAVIOURS
from support.stub_upstream import StubUpstream, stub_upstream
from support.worker_rig import OBSERVED_WORKER, Rig, rig, upstream

WARM_UP = 8
BOUND = 6_000_000
"""Bytes by which resident memory may grow over what it was when the worker was warm: fragments of the allocator."""
LIVES = {"Downstream", "Exchange", "Forwarding", "UpstreamConnection", "RequestHead", "ResponseHead",
         "ChunkedReader", "LengthReader", "CloseReader", "BoundedReader", "Tunnel", "_Side", "Queue"}  # fmt: skip
"""Classes whose objects live as long as a connection or a request, and no longer."""
WRITING = {"echo", "slow-read", "tunnel"}
FAILING = {"reset-mid-body", "close-silently"}
"""Behaviours with an upstream of their own: their failures are not to cost the requests of others a connection."""
BREAKING = {"reset-before-head", "close-mid-body"}
"""The same with a breaker as it is by default, which opens, and lets probes through whose clients vanish too."""


@pytest.fixture(name="stubs", scope="module")
def two_stubs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[StubUpstream, StubUpstream]]:
    folder = tmp_path_factory.mktemp("soak")
    with stub_upstream("monolith", folder) as monolith, stub_upstream("service", folder) as service:
        yield monolith, service


def canaries() -> tuple[Route, ...]:
    """A route for each behaviour, all of one group."""
    return tuple(
        Route(
            name,
            RouteMatch(f"/{name}", PathKind.PREFIX),
            module="m",
            group="g",
            monolith="failing" if name in FAILING else "breaking" if name in BREAKING else "monolith",
            service=None if name in FAILING | BREAKING else "service",
            sticky=(StickySource(SubjectKind.HEADER, "x-user"),),
            timeouts=Timeouts(response=5, idle=2),
            writes=("carts",) if name in WRITING else (),
        )
        for name in (*BEHAVIOURS, "x")
    )


class Flips:
    """Moves all canaries to another weight at each call; now and then kills them, or holds writes for a moment."""

    def __init__(self, running: Rig) -> None:
        self._rig = running
        self._names = [route.name for route in canaries() if route.service]
        self._weights = itertools.cycle((0, 5_000, 10_000, 2_500))
        self._turns = itertools.cycle(range(20))
        self._hold = 0

    def __call__(self) -> None:
        turn, weight = next(self._turns), next(self._weights)
        self._rig.flip(*(Flag(name, Stage.CANARY, weight) for name in self._names))
        if turn == 0:
            self._rig.kill(*self._names)
        elif turn == 1:
            self._rig.kill()
        elif turn == 10:
            self._hold = self._rig.hold("carts", seconds=4, most=1000)
        elif turn == 14:
            self.let_go()
        time.sleep(0.05)

    def let_go(self) -> None:
        """End a hold that may still be there."""
        if self._hold:
            self._rig.release(self._hold)
            self._hold = 0


class Left:
    """What the worker has when nobody asks anything any more."""

    def __init__(self, running: Rig) -> None:
        self._wait_until_empty(running)
        assert running.process is not None
        process = psutil.Process(running.process.pid)
        self.seen = running.observe()
        self.descriptors = process.num_fds()
        self.resident = process.memory_info().rss

    @staticmethod
    def _wait_until_empty(running: Rig) -> None:
        def empty() -> bool:
            pools = running.next_traffic().pools
            status = running.status
            assert status is not None
            return not (status.connections or status.in_flight or any(p.active or p.pending or p.idle for p in pools))

        wait_until(empty, "no connection, no request, no upstream connection is left", within=20)

    @property
    def alive(self) -> dict[str, int]:
        return {name: count for name, count in self.seen["objects"].items() if name in LIVES}


@pytest.mark.parametrize(
    "seconds",
    [
        pytest.param(60, id="minute", marks=pytest.mark.timeout(240)),
        pytest.param(660, id="long", marks=[pytest.mark.soak, pytest.mark.timeout(900)]),
    ],
)
def test_clients_that_vanish_leave_nothing_behind(
    tmp_path: Path, stubs: tuple[StubUpstream, StubUpstream], seconds: float
) -> None:
    monolith, service = stubs
    upstreams = [
        upstream("monolith", monolith.port, idle_timeout=1.0, max_connections=20),
        upstream("service", service.port, idle_timeout=1.0, max_connections=20),
        upstream("failing", monolith.port, idle_timeout=1.0, breaker=None),
        upstream("breaking", monolith.port, idle_timeout=1.0),
    ]
    limits = Limits(header_timeout=2, idle_timeout=3)
    with rig(tmp_path, *upstreams, routes=canaries(), program=OBSERVED_WORKER, limits=limits) as running:
        flips = Flips(running)
        Crowd(running.port, seed=0).run(WARM_UP, flips)
        flips.let_go()
        warm = Left(running)

        crowd = Crowd(running.port)
        crowd.run(seconds, flips)
        flips.let_go()
        after = Left(running)
        counters = running.next_traffic().counters

    assert crowd.wrong == []
    visits = sum(count for how, count in crowd.told.items() if how.startswith(("served", "vanished")))
    vanished = visits - crowd.told["served"]
    print(f"{visits} visits, {vanished} vanished; {after.resident - warm.resident:+d} bytes; {dict(crowd.told)}")
    assert 0.2 < vanished / visits < 0.4
    assert any(name == BREAKER_OPENED.name and labels[0] == "breaking" for name, labels, _ in counters)
    assert after.alive == {}
    assert after.seen["tasks"] == warm.seen["tasks"]
    assert after.descriptors == warm.descriptors
    assert after.resident - warm.resident < BOUND
