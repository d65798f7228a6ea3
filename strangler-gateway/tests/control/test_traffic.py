"""Totals never go back, whatever restarts; the window holds the last minute."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from strangler.control.traffic import TrafficTotals, quantile
from strangler.model.messages import LATENCY_BOUNDS, PoolState, Series, Traffic

KEY = ("r", "service")


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def served(requests: int, errors: int = 0, *, slow: int = 0, **more: Any) -> Traffic:
    """A worker's report: so many requests since its start, ``slow`` of them in the bucket up to 0.25 s."""
    buckets = [0] * (len(LATENCY_BOUNDS) + 1)
    buckets[0], buckets[LATENCY_BOUNDS.index(0.25)] = requests - slow, slow
    statuses = ((200, requests - errors), (502, errors)) if errors else ((200, requests),)
    series = Series(*KEY, statuses, (("stage_service", requests),), tuple(buckets), requests * 0.01)
    return Traffic((series,), (), **more)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def totals(clock: Clock) -> TrafficTotals:
    return TrafficTotals(clock)


def recent(totals: TrafficTotals) -> int:
    found = totals.recent().get(KEY)
    return found.requests if found else 0


def test_reports_are_totals_and_count_once(totals: TrafficTotals) -> None:
    totals.join(0, 100, has_served=False)
    for requests in (5, 5, 12):
        totals.add(0, 100, served(requests, errors=2))
    assert (totals.series[KEY].requests, totals.series[KEY].errors, recent(totals)) == (12, 2, 12)
    assert totals.series[KEY].reasons == {"stage_service": 12}


def test_workers_add_up(totals: TrafficTotals) -> None:
    for slot in (0, 1):
        totals.join(slot, 100 + slot, has_served=False)
        totals.add(slot, 100 + slot, served(5))
    assert totals.series[KEY].requests == 10


def test_a_successor_counts_from_nothing_and_its_predecessor_stays_counted(totals: TrafficTotals) -> None:
    totals.join(0, 100, has_served=False)
    totals.add(0, 100, served(5))
    totals.join(0, 200, has_served=False)
    totals.add(0, 200, served(3))
    assert (totals.series[KEY].requests, recent(totals)) == (8, 8)


def test_a_successor_with_its_predecessors_pid_is_seen_by_counts_that_go_back(totals: TrafficTotals) -> None:
    totals.join(0, 100, has_served=False)
    totals.add(0, 100, served(5))
    totals.join(0, 100, has_served=False)
    totals.add(0, 100, served(3))
    assert totals.series[KEY].requests == 8


def test_a_worker_that_reconnects_goes_on_where_it_was(totals: TrafficTotals) -> None:
    totals.join(0, 100, has_served=False)
    totals.add(0, 100, served(5))
    totals.leave(0, 100)
    totals.join(0, 100, has_served=True)
    totals.add(0, 100, served(9))
    assert (totals.series[KEY].requests, recent(totals)) == (9, 9)


def test_what_a_worker_served_before_control_restarted_is_no_burst(totals: TrafficTotals) -> None:
    totals.join(0, 100, has_served=True)
    totals.add(0, 100, served(1_000_000))
    assert (totals.series[KEY].requests, recent(totals)) == (1_000_000, 0)
    totals.add(0, 100, served(1_000_007))
    assert recent(totals) == 7


def test_a_worker_that_drains_after_its_successor_came_is_left_out(totals: TrafficTotals) -> None:
    totals.join(0, 100, has_served=False)
    totals.join(0, 200, has_served=False)
    totals.add(0, 100, served(5))
    assert totals.series == {}


def test_the_window_forgets_after_a_minute_and_the_totals_do_not(totals: TrafficTotals, clock: Clock) -> None:
    totals.join(0, 100, has_served=False)
    totals.add(0, 100, served(5))
    clock.now += 59
    totals.add(0, 100, served(8))
    assert recent(totals) == 8
    clock.now += 1
    assert recent(totals) == 3
    clock.now += 60
    assert (recent(totals), totals.series[KEY].requests) == (0, 8)


def test_failures_and_connections_never_go_back(totals: TrafficTotals) -> None:
    pool = PoolState("catalog", "127.0.0.1:1", idle=2, active=1, pending=0, opened=3)
    totals.join(0, 100, has_served=False)
    totals.add(0, 100, Traffic((), (pool,), (("connect.upstream", 2),)))
    totals.add(0, 100, Traffic((), (pool,), (("connect.upstream", 3),)))
    totals.join(0, 200, has_served=False)
    totals.add(0, 200, Traffic((), (pool,), (("connect.upstream", 1),)))
    assert totals.failures == {"connect.upstream": 4}
    assert totals.opened == {("catalog", "127.0.0.1:1"): 6}


def test_bytes_never_go_back_either(totals: TrafficTotals) -> None:
    def moved(*counts: int) -> Traffic:
        return Traffic((replace(served(counts[0]).series[0], bytes_in=counts[1], bytes_out=counts[2]),), ())

    totals.join(0, 100, has_served=False)
    totals.add(0, 100, moved(1, 10, 100))
    totals.add(0, 100, moved(2, 15, 200))
    totals.join(0, 200, has_served=False)
    totals.add(0, 200, moved(1, 3, 4))
    assert (totals.series[KEY].bytes_in, totals.series[KEY].bytes_out) == (18, 204)


def test_the_connections_of_a_worker_that_is_gone_are_gone(totals: TrafficTotals) -> None:
    totals.join(0, 100, has_served=False)
    totals.add(0, 100, Traffic((), (PoolState("c", "e", 2, 1, 0, 3),)))
    totals.leave(0, 100)
    assert totals.pools == {0: ()}


def test_the_p95_lies_in_the_bucket_where_the_95th_of_100_is(totals: TrafficTotals) -> None:
    totals.join(0, 100, has_served=False)
    totals.add(0, 100, served(100, slow=10))
    p95 = quantile(totals.recent()[KEY].buckets, 0.95)
    assert p95 == pytest.approx(0.2)


def test_without_requests_there_is_no_p95() -> None:
    assert quantile([0] * (len(LATENCY_BOUNDS) + 1), 0.95) is None


@given(st.lists(st.floats(0.0001, 60), min_size=1, max_size=200), st.floats(0.01, 1))
def test_a_quantile_is_within_the_bucket_of_the_exact_one(durations: list[float], share: float) -> None:
    bounds = (*LATENCY_BOUNDS, float("inf"))
    buckets = [0] * len(bounds)
    for duration in durations:
        buckets[next(index for index, bound in enumerate(bounds) if duration <= bound)] += 1
    rank = max(1, -(-len(durations) * share // 1))
    exact = sorted(durations)[min(int(rank), len(durations)) - 1]
    upper = next(index for index, bound in enumerate(bounds) if exact <= bound)
    found = quantile(buckets, share)
    assert found is not None
    assert (0.0, *bounds)[upper] <= found + 1e-9
    assert found <= min(bounds[upper], LATENCY_BOUNDS[-1]) + 1e-9
