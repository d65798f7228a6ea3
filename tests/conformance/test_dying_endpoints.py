"""Endpoints die, leave and come back under load, and no client hears of it."""

import contextlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from support.load import Plan, Request, background
from support.raw_http import wait_until
from support.stub_upstream import StubUpstream, stub_upstream
from support.worker_rig import Rig, rig, upstream


@dataclass
class Two:
    """A worker before two endpoints."""

    running: Rig
    one: StubUpstream
    other: StubUpstream

    @property
    def plan(self) -> Plan:
        return Plan(self.running.url, (Request("/items"), Request("/slow?ms=5")), rate=200, seconds=60)


@pytest.fixture(name="two")
def two_endpoints(tmp_path: Path) -> Iterator[Two]:
    with contextlib.ExitStack() as stack:
        one, other = (stack.enter_context(stub_upstream(name, tmp_path)) for name in ("one", "other"))
        running = stack.enter_context(rig(tmp_path, upstream("monolith", one.port, other.port)))
        yield Two(running, one, other)


def goes_on(stub: StubUpstream, requests: int) -> None:
    """Wait until it has had so many more requests."""
    before = len(stub.requests())
    wait_until(lambda: len(stub.requests()) >= before + requests, f"{requests} more requests for {stub.arm}")


@pytest.mark.parametrize("end", ["stop", "kill"])
def test_an_endpoint_that_dies_under_load_costs_hardly_a_request(two: Two, end: str) -> None:
    """A fresh connection that the dying system still accepted may be reset, and is not tried again: that request might
    have been the reason."""
    with background(two.plan) as load:
        goes_on(two.one, 50)
        (two.one.process.stop if end == "stop" else two.one.process.kill)()
        goes_on(two.other, 300)
        summary = load.stop()
    assert summary.errors == {}
    assert set(summary.statuses) <= {200, 502}
    assert summary.statuses.get(502, 0) <= 2
    failures = [json.loads(line).get("failure") for line in two.running.access_log.read_bytes().splitlines()]
    assert set(failures) <= {None, "head.upstream"}, "nothing of it was a refused connection"


def test_endpoints_that_leave_and_return_under_load_cost_no_request(two: Two) -> None:
    both, rest = (upstream("monolith", two.one.port, two.other.port), upstream("monolith", two.other.port))
    with background(two.plan) as load:
        for _ in range(3):
            goes_on(two.one, 30)
            two.running.publish(upstreams=(rest,))
            had = len(two.one.requests())
            goes_on(two.other, 60)
            assert len(two.one.requests()) <= had + 10, "only what was under way"
            two.running.publish(upstreams=(both,))
        summary = load.stop()
    assert summary.errors == {}
    assert summary.statuses == {200: len(summary.results)}
