"""Sums that are exact whatever clients and comparator do, and clients who never notice the comparator."""

import itertools
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from strangler.model.flag import Flag, Stage
from strangler.model.route import PathKind, Route, RouteMatch, StickySource, SubjectKind, Timeouts
from strangler.model.shadow import Heading, Mirroring, Shadow
from strangler.model.snapshot import Limits
from support.comparator_stub import ComparatorStub, comparator_process, comparator_stub
from support.crowd import Crowd
from support.load import Plan, Request, background
from support.raw_http import wait_until
from support.stub_behaviours import BEHAVIOURS
from support.stub_upstream import StubUpstream, stub_upstream
from support.worker_rig import Rig, rig, upstream

FAILING = {"reset-before-head", "reset-mid-body", "close-mid-body", "close-silently"}
"""Behaviours with upstreams of their own: their failures are not to cost the requests of others a connection."""
UPSTREAMS = ("monolith", "service", "failing-monolith", "failing-service")
ROUTES = tuple(
    Route(
        name,
        RouteMatch(f"/{name}", PathKind.PREFIX),
        module="m",
        group="g",
        monolith="failing-monolith" if name in FAILING else "monolith",
        service="failing-service" if name in FAILING else "service",
        sticky=(StickySource(SubjectKind.HEADER, "x-user"),),
        timeouts=Timeouts(response=5, idle=2),
        shadow=Shadow(request_bytes=100_000, answer_bytes=500_000, sample=0.9),
    )
    for name in (*BEHAVIOURS, "x")
)
NAMES = tuple(route.name for route in ROUTES)


@pytest.fixture(name="monolith", scope="module")
def stub_monolith(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StubUpstream]:
    with stub_upstream("monolith", tmp_path_factory.mktemp("monolith")) as running:
        yield running


class Unrest:
    """At each call something else: other stages, kills, a comparator that stands still, goes on, dies or is back."""

    def __init__(self, running: Rig, stub: ComparatorStub, *, deadly: bool) -> None:
        self._rig = running
        self._flags = itertools.cycle(
            ((Stage.SHADOW, 0), (Stage.CANARY, 3_000), (Stage.SHADOW, 0), (Stage.CANARY, 10_000))
        )
        acts = (stub.freeze, stub.thaw, stub.stop, stub.start) if deadly else (stub.freeze, stub.thaw)
        self._acts = itertools.cycle(acts)
        # Three of them, where there are four flags: every stage is met both killed and not.
        self._killed = itertools.cycle((NAMES, (), ()))

    def __call__(self) -> None:
        stage, weight = next(self._flags)
        self._rig.flip(*(Flag(name, stage, weight) for name in NAMES))
        next(self._acts)()
        time.sleep(0.3)
        self._rig.kill(*next(self._killed))


@pytest.mark.parametrize("deadly", [False, True], ids=["stands-still", "dies"])
def test_sums_are_exact_while_clients_vanish_and_the_comparator_comes_and_goes(
    tmp_path: Path, monolith: StubUpstream, deadly: bool
) -> None:
    upstreams = [upstream(name, monolith.port, idle_timeout=1.0, breaker=None) for name in UPSTREAMS]
    small = Mirroring(waiting=50, waiting_bytes=3_000_000)
    with (
        rig(
            tmp_path, *upstreams, routes=ROUTES, limits=Limits(header_timeout=2, idle_timeout=3), shadow=small
        ) as running,
        comparator_stub(running.state / "comparator.sock", keep=False) as stub,
    ):
        running.flip(*(Flag(name, Stage.SHADOW) for name in NAMES))
        wait_until(lambda: bool(stub.workers), "the worker has connected")
        crowd = Crowd(running.port, seed=5)
        crowd.run(8, Unrest(running, stub, deadly=deadly))
        stub.thaw()
        stub.stop()
        stub.start()

        def is_told() -> bool:
            counted = counts(running)
            return sum(counted.values()) > 500 and all(stub.account(name).requests == counted[name] for name in counted)

        wait_until(is_told, "the accounts say what the worker has counted", within=20)
        accounts = {name: stub.account(name) for name in counts(running)}
    assert crowd.wrong == []
    found: set[str] = set()
    for name, account in accounts.items():
        skipped = dict(account.skipped)
        found |= set(skipped)
        assert account.requests == account.sent + sum(skipped.values()), name
        # What a comparator had not read when it died was sent all the same.
        assert account.sent >= stub.routes[name] if deadly else account.sent == stub.routes[name]
    expected = {Heading.KILLED, Heading.BY_SERVICE, Heading.UNSAFE, Heading.UPGRADE, Heading.NOT_SAMPLED,
                Heading.PRIMARY_FAILED, Heading.ANSWER_TOO_LARGE}  # fmt: skip
    assert found >= expected | ({Heading.NO_COMPARATOR} if deadly else set())
    assert stub.routes.total() > 50


def counts(running: Rig) -> dict[str, int]:
    """Requests by route, as the worker counts them for metrics."""
    counted: dict[str, int] = {}
    for series in running.next_traffic().series:
        if series.route in NAMES:
            counted[series.route] = counted.get(series.route, 0) + sum(count for _, count in series.statuses)
    return counted


RATE = 600
WAITING = Mirroring(waiting=300, waiting_bytes=2_000_000)
FLAT = 3_000_000
"""Bytes by which a worker's memory may move once as much waits as may."""


def skipped(running: Rig) -> dict[str, int]:
    counters = running.next_traffic().counters
    return {labels[1]: int(value) for name, labels, value in counters if name == "strangler_shadow_skipped_total"}


@pytest.mark.parametrize(
    ("how", "heading"),
    [
        ("stopped", Heading.QUEUE_FULL),
        ("slow", Heading.QUEUE_FULL),
        ("killed", Heading.NO_COMPARATOR),
        ("absent", Heading.NO_COMPARATOR),
    ],
)
def test_clients_do_not_notice_a_comparator_that_does_not_keep_up(
    tmp_path: Path, monolith: StubUpstream, how: str, heading: Heading
) -> None:
    upstreams = [upstream(name, monolith.port) for name in UPSTREAMS]
    with rig(tmp_path, *upstreams, routes=ROUTES, shadow=WAITING) as running:
        socket = running.state / ("elsewhere.sock" if how == "absent" else "comparator.sock")
        with comparator_process(socket, tmp_path / "comparator.log", pause=0.2 if how == "slow" else 0) as comparator:
            running.flip(*(Flag(name, Stage.SHADOW) for name in NAMES))
            plan = Plan(running.url, (Request("/x"), Request("/bytes/20000")), RATE, 60)
            with background(plan) as load:
                if how == "stopped":
                    comparator.signal(signal.SIGSTOP)
                elif how == "killed":
                    comparator.signal(signal.SIGKILL)
                wait_until(lambda: skipped(running).get(heading, 0) > RATE / 2, "most are not mirrored", within=20)
                assert running.process is not None
                worker = psutil.Process(running.process.pid)
                before = worker.memory_info().rss
                already = skipped(running)[heading]
                wait_until(lambda: skipped(running)[heading] > already + 2 * RATE, "more are not", within=20)
                after = worker.memory_info().rss
                summary = load.stop()
            found = skipped(running)
            if how == "stopped":
                comparator.signal(signal.SIGCONT)
        assert [result for result in summary.results if result.failed] == []
        assert abs(after - before) < FLAT
        assert {Heading.QUEUE_FULL, Heading.NO_COMPARATOR} & set(found) == {heading}
