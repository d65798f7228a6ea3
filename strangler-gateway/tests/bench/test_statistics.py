"""Medians come with an honest interval, and nobody is always first."""

import random
import statistics

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from strangler.bench.statistics import Estimate, median_interval, rotated


@settings(deadline=None)
@given(st.lists(st.floats(0.1, 100.0), min_size=1, max_size=15))
def test_the_interval_holds_the_median_and_stays_within_the_values(values: list[float]) -> None:
    estimate = median_interval(values)
    assert min(values) <= estimate.low <= estimate.median <= estimate.high <= max(values)


def test_the_same_values_give_the_same_interval() -> None:
    assert median_interval([1.0, 2.0, 4.0]) == median_interval([1.0, 2.0, 4.0])


def test_values_that_agree_leave_no_doubt() -> None:
    estimate = median_interval([2.0] * 7)
    assert (estimate.low, estimate.median, estimate.high) == (2.0, 2.0, 2.0)


def test_the_interval_covers_the_true_median_about_as_often_as_it_says() -> None:
    """Nine rounds, 200 times. The percentile bootstrap of a median of nine covers somewhat less than its 95 %."""
    chance = random.Random(1)
    hits = 0
    for _ in range(60):
        estimate = median_interval([chance.gauss(2.0, 0.3) for _ in range(9)])
        hits += estimate.low <= 2.0 <= estimate.high
    assert hits >= 60 * 0.85


def test_an_outlier_does_not_move_the_median() -> None:
    assert median_interval([1.9, 2.0, 2.1, 2.0, 50.0]).median == pytest.approx(2.0)


def test_no_values_have_no_median() -> None:
    with pytest.raises(ValueError, match="at least one"):
        median_interval([])


def test_rotation_lets_everyone_begin_once() -> None:
    orders = [rotated("abc", by) for by in range(3)]
    assert orders == [["a", "b", "c"], ["b", "c", "a"], ["c", "a", "b"]]
    assert rotated("abc", 3) == ["a", "b", "c"]
    assert rotated([], 2) == []
    assert statistics.mean(order.index("a") for order in orders) == 1


@pytest.mark.parametrize(("low", "high", "reach"), [(0.9, 1.3, 0.3), (0.5, 1.1, 1.0), (1.0, 1.0, 0.0)])
def test_the_interval_of_a_ratio_reaches_as_far_up_as_down(low: float, high: float, reach: float) -> None:
    assert Estimate(1.0, low, high).reach == pytest.approx(reach)
