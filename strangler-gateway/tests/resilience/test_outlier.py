"""Ejection: after how many failures, for how long, and of how many at a time."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from strangler.model.upstream import Outlier
from strangler.resilience.outlier import OutlierDetector, may_eject

SETTINGS = Outlier(failures=5, base_time=30, max_time=100)


def fail(detector: OutlierDetector, now: float, times: int = 5, *, allowed: bool = True) -> bool:
    return [detector.failed(now, allowed=allowed) for _ in range(times)][-1]


def test_five_failures_in_a_row_eject_for_thirty_seconds() -> None:
    detector = OutlierDetector(SETTINGS)
    assert not fail(detector, 0, times=4)
    assert detector.suspicious
    assert fail(detector, 0, times=1)
    assert detector.ejected(29.9)
    assert not detector.ejected(30)


def test_a_good_answer_in_between_begins_the_count_anew() -> None:
    detector = OutlierDetector(SETTINGS)
    fail(detector, 0, times=4)
    detector.succeeded()
    assert not detector.suspicious
    assert not fail(detector, 0, times=4)


def test_each_ejection_takes_longer_up_to_a_bound() -> None:
    detector = OutlierDetector(SETTINGS)
    now = 0.0
    for seconds in (30, 60, 90, 100, 100):
        assert fail(detector, now)
        assert detector.ejected(now + seconds - 0.1)
        now += seconds
        assert not detector.ejected(now)
    assert detector.ejections == 5


def test_good_behaviour_is_remembered_step_by_step() -> None:
    detector = OutlierDetector(SETTINGS)
    fail(detector, 0)
    fail(detector, 30)  # Until 90.
    fail(detector, 90 + 31)  # One base time of peace: the third ejection counts as the second.
    assert detector.ejected(121 + 59.9)
    assert not detector.ejected(121 + 60)
    fail(detector, 10_000)
    assert not detector.ejected(10_030)


def test_while_it_may_not_be_ejected_the_count_goes_on() -> None:
    detector = OutlierDetector(SETTINGS)
    assert not fail(detector, 0, times=20, allowed=False)
    assert fail(detector, 1, times=1)


@pytest.mark.parametrize(
    ("ejected", "endpoints", "percent", "allowed"),
    [
        (0, 1, 10, True),  # One always may be.
        (0, 2, 0, True),
        (1, 2, 10, False),
        (1, 19, 10, False),
        (1, 20, 10, True),
        (2, 20, 10, False),
        (1, 2, 100, True),
    ],
)
def test_a_share_of_the_endpoints_may_be_ejected_at_a_time(
    ejected: int, endpoints: int, percent: int, allowed: bool
) -> None:
    assert may_eject(ejected, endpoints, percent) is allowed


@given(st.integers(1, 200), st.integers(0, 100))
def test_never_more_than_the_share_or_one(endpoints: int, percent: int) -> None:
    ejected = 0
    while ejected < endpoints and may_eject(ejected, endpoints, percent):
        ejected += 1
    assert 1 <= ejected <= max(1, endpoints * percent / 100)
