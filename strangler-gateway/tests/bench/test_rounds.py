"""How long each endpoint is asked: long enough for slow ones to be answered at all."""

import threading
import time
from contextlib import nullcontext

import pytest

from strangler.bench.endpoint import Endpoint
from strangler.bench.rounds import Plan, Served, Target, calibrate, measure, pace
from strangler.shadow.answer import Question

from .serving import Answer, serving

GET = Endpoint("get", (Question(b"GET", b"/a", (), b""),))
PLAN = Plan(rounds=1, seconds=0.4, arrival_seconds=0.5, connections=16, share=0.5)


@pytest.mark.parametrize(
    ("least", "arrival_rate", "seconds", "arrival_seconds"),
    [
        (1_000.0, 500.0, 0.4, 0.5),
        (80.0, 40.0, 0.4, 0.5),
        (16.0, 8.0, 2.0, 1.25),
        (1.0, 1.0, 10.0, 10.0),
        (0.0, 1.0, 10.0, 10.0),
    ],
)
def test_blocks_last_longer_where_the_slowest_server_would_be_asked_too_little(
    least: float, arrival_rate: float, seconds: float, arrival_seconds: float
) -> None:
    found = pace(PLAN, least)
    assert (found.arrival_rate, found.seconds, found.arrival_seconds) == (arrival_rate, seconds, arrival_seconds)


def test_an_endpoint_that_takes_longer_than_a_block_is_measured() -> None:
    one_at_a_time = threading.Lock()

    def slow(method: str, target: str, body: bytes) -> Answer:
        with one_at_a_time:
            time.sleep(0.2)  # It is how slow the server is, not a wait for something.
        return 200, b"{}"

    plan = Plan(rounds=1, seconds=0.1, arrival_seconds=0.1, connections=2, most_warm_ups=0)
    with serving(slow) as server:
        target = Target("slow", (GET,), lambda: nullcontext(Served(server.authority)))
        paces = calibrate([target], plan, lambda _: None)
        samples = list(measure([target], paces, plan, lambda _: None))
    assert paces["get"].seconds == pytest.approx(2 * 2 / 5, rel=0.4)
    assert [(one.errors, one.requests > 2) for one in samples] == [("", True)] * 2
