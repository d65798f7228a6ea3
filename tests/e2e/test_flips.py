"""A flip is done when it returns: nothing that begins afterwards is served by the old arm, and nothing fails."""

import contextlib
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Self

from e2e.conftest import Arms
from e2e.scale import Scale, at_every_scale
from e2e.timeline import Flip, Served, Timeline, judge
from support.gateway import Gateway, paused
from support.load import Plan, Request, background, percentile
from support.raw_http import wait_until

REQUESTS = (
    Request("/items/1"),
    Request("/items/2?q=oak", headers=(("X-User", "ada"),)),
    Request("/prices", method="POST", body='{"amount": "12.90"}'),
    Request("/items", method="PUT", body="x" * 3000),
)


@at_every_scale
def test_no_request_begun_after_a_flip_returned_is_served_by_the_old_arm(
    scale: Scale, gateway: Gateway, arms: Arms, figure: Callable[[str], None]
) -> None:
    # Half of the load on connections that live through all flips, half on connections of their own, which the kernel
    # spreads over both workers. Beside it both workers are asked at the worst moment: as soon as a flip has returned.
    name, rate, seconds = f"{scale.flips}-flips", scale.rate / 2, 10 * scale.flip_seconds
    kept = Plan(gateway.url, REQUESTS, rate, seconds, name=f"{name}-kept")
    fresh = Plan(gateway.url, REQUESTS, rate, seconds, keep_alive=False, name=f"{name}-fresh")
    with background(kept) as first, background(fresh) as second, Probe(gateway, f"{name}-probe") as probe:
        began = time.monotonic()
        flips = flip_to_and_fro(gateway, scale.flips, scale.flip_seconds, probe.ask)
        took = time.monotonic() - began
        loads = [first.stop(), second.stop()]

    for load in loads:
        assert load.failures == ()
        assert load.statuses == {200: len(load.results)}
    sent = {result.request_id: result.sent for load in loads for result in load.results} | probe.sent
    served = reached(arms, sent)
    verdict = judge(Timeline("monolith", flips), served)
    report(figure, flips, took)
    figure(
        f"{verdict.total} requests, 0 failed, {len(verdict.wrong)} at the wrong arm; only one arm was right for "
        f"{verdict.decided}; {verdict.stragglers} begun before a return reached the old arm after it; "
        f"p99 {max(load.p99 for load in loads) * 1000:.1f} ms"
    )
    assert verdict.wrong == ()
    assert verdict.decided >= len(probe.sent) == 2 * scale.flips, "each flip was tried at each worker"
    assert took < 3 * scale.flip_seconds


def test_a_flip_names_the_worker_that_does_not_acknowledge_and_that_worker_catches_up(gateway: Gateway) -> None:
    stuck = gateway.slot(1)
    with paused(stuck.pid):
        flipped = gateway.flip("items", "service")
        assert flipped["acknowledged"] == [0]
        assert flipped["missing"] == [1]
        # The other worker has it, and the admin API still answers.
        slots = {worker["slot"]: worker for worker in gateway.get("/status")["workers"]}
        assert slots[0]["revision"] == flipped["revision"] > slots[1]["revision"]
    wait_until(
        lambda: gateway.get("/status")["workers"][1]["revision"] == flipped["revision"], "the worker has caught up"
    )
    assert gateway.slot(1).pid == stuck.pid, "it is the same process, not a new one"
    plan = Plan(gateway.url, (Request("/items"),), rate=200, seconds=0.4, keep_alive=False)
    with background(plan) as load:
        assert load.wait().arms == {"service": 80}, "connections of their own go to both workers"


class Probe:
    """Asks each worker once, over a connection that it keeps to each."""

    def __init__(self, gateway: Gateway, name: str) -> None:
        self.name = name
        self.sent: dict[str, float] = {}
        self._stack = contextlib.ExitStack()
        self._gateway = gateway

    def __enter__(self) -> Self:
        self._connections = self._stack.enter_context(self._gateway.connection_to_each_worker())
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def ask(self) -> None:
        for connection in self._connections:
            request_id = f"{self.name}-{len(self.sent)}"
            self.sent[request_id] = time.monotonic()
            connection.request("GET", "/items/probe", headers={"X-Request-ID": request_id})
            with connection.getresponse() as answer:
                assert answer.status == 200, answer.read()
                answer.read()


def flip_to_and_fro(gateway: Gateway, count: int, seconds: float, after_each: Callable[[], None]) -> list[Flip]:
    """Flip the catalog ``count`` times, evenly spread; a flip that takes too long delays those after it."""
    flips = []
    start = time.monotonic()
    for number in range(count):
        time.sleep(max(0.0, start + number * seconds / count - time.monotonic()))
        arm = ("service", "monolith")[number % 2]
        called = time.monotonic()
        answer = gateway.flip("catalog", arm)
        flips.append(Flip(arm, called, time.monotonic()))
        assert answer["acknowledged"] == [0, 1], answer
        assert answer["missing"] == [], answer
        after_each()
    return flips


def reached(arms: Arms, sent: Mapping[str, float]) -> list[Served]:
    """Which arm each request reached, by the arms' own access logs: exactly one, exactly once."""
    entries = [entry for stub in (arms.monolith, arms.service) for entry in stub.requests() if entry.request_id in sent]
    arrivals = {entry.request_id: (entry.arm, entry.monotonic) for entry in entries}
    assert len(arrivals) == len(entries), "a request reached an application twice"
    assert arrivals.keys() == sent.keys()
    return [Served(request_id, sent[request_id], arm, arrived) for request_id, (arm, arrived) in arrivals.items()]


def report(figure: Callable[[str], None], flips: Sequence[Flip], took: float) -> None:
    """Show how long flips took, as who asked for them saw it."""
    times = sorted((flip.returned - flip.called) * 1000 for flip in flips)
    ranks = " ".join(f"p{percent} {percentile(times, percent):.1f}" for percent in (1, 50, 90, 99))
    figure(f"{len(flips)} flips in {took:.1f} s; ms until acknowledged by all: {ranks} slowest {times[-1]:.1f}")
