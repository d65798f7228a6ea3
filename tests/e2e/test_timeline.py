"""The judge of the flip proofs can tell right from wrong."""

import pytest

from e2e.timeline import Flip, Served, Timeline, judge

TIMELINE = Timeline("monolith", [Flip("service", 10.0, 11.0), Flip("monolith", 20.0, 21.0)])


@pytest.mark.parametrize(
    ("began", "arrived", "arms"),
    [
        (8.0, 9.0, {"monolith"}),
        (9.0, 10.5, {"monolith", "service"}),  # decided before or within the flip
        (10.5, 10.6, {"monolith", "service"}),  # within
        (10.9, 15.0, {"monolith", "service"}),  # began before the flip returned
        (11.0, 15.0, {"service"}),
        (19.0, 20.5, {"monolith", "service"}),
        (21.0, 99.0, {"monolith"}),
        (9.0, 99.0, {"monolith", "service"}),
    ],
)
def test_arms_that_may_have_been_in_force(began: float, arrived: float, arms: set[str]) -> None:
    assert TIMELINE.arms(began, arrived) == arms


def test_a_request_that_began_after_the_return_and_met_the_old_arm_is_wrong() -> None:
    late = Served("late", 11.001, "monolith", 11.002)
    assert judge(TIMELINE, [late]).wrong == (late,)


def test_a_request_that_met_the_new_arm_before_the_call_is_wrong() -> None:
    early = Served("early", 9.0, "service", 9.9)
    assert judge(TIMELINE, [early]).wrong == (early,)


def test_a_straggler_is_counted_and_not_wrong() -> None:
    verdict = judge(TIMELINE, [Served("straggler", 10.9, "monolith", 11.1), Served("plain", 12.0, "service", 12.1)])
    assert (verdict.wrong, verdict.stragglers, verdict.decided, verdict.total) == ((), 1, 1, 2)
