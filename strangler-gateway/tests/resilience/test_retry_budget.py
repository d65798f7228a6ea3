"""The budget and the deadline: what a storm of failures may cost, and when it is too late."""

from hypothesis import given
from hypothesis import strategies as st

from strangler.resilience.deadline import Deadline
from strangler.resilience.retry_budget import WINDOW, RetryBudget


def storm(budget: RetryBudget, requests: int, *, now: float = 0.0, before: int = 0) -> int:
    """All of these fail at once; how many are sent again."""
    granted = 0
    for number in range(1, requests + 1):
        if budget.left(now, before + number):
            budget.spend(now)
            granted += 1
    return granted


def test_a_storm_of_failures_is_sent_again_to_a_fifth() -> None:
    assert storm(RetryBudget(20, 3), 1000) == 200


def test_few_requests_have_three() -> None:
    assert storm(RetryBudget(20, 3), 5) == 3
    assert storm(RetryBudget(20, 0), 4) == 0


def test_requests_that_went_well_pay_for_a_burst() -> None:
    budget = RetryBudget(20, 3)
    for tick in range(20):
        budget.sample(tick / 2, tick * 50)
    assert storm(budget, 100, now=9.9, before=1000) == 100


def test_requests_of_long_ago_pay_for_nothing() -> None:
    budget = RetryBudget(20, 3)
    for tick in range(200):
        budget.sample(tick / 2, min(tick, 20) * 1000)
    assert storm(budget, 10, now=100, before=20_000) == 3


def test_what_was_spent_comes_back_after_the_window() -> None:
    budget = RetryBudget(20, 3)
    assert storm(budget, 5, now=0) == 3
    assert storm(budget, 5, now=WINDOW - 0.1, before=5) == 0
    assert storm(budget, 5, now=WINDOW + 0.1, before=10) == 3


@given(st.lists(st.tuples(st.floats(0, 2), st.booleans()), max_size=400), st.integers(0, 100), st.integers(0, 10))
def test_nothing_is_sent_again_beyond_the_share_or_the_minimum_of_the_window_before_it(
    steps: list[tuple[float, bool]], percent: int, minimum: int
) -> None:
    budget = RetryBudget(percent, minimum)
    now = 0.0
    requests: list[float] = []
    retries: list[float] = []
    for wait, failed in steps:
        now += wait
        requests.append(now)
        budget.sample(now, len(requests))
        if failed and budget.left(now, len(requests)):
            budget.spend(now)
            retries.append(now)
            recent = sum(moment > now - WINDOW for moment in requests)
            again = sum(moment > now - WINDOW for moment in retries)
            # A request counts for a moment longer than the window, since totals are told only now and then.
            older = sum(now - WINDOW - 2 <= moment <= now - WINDOW for moment in requests)
            assert again <= max(minimum, (recent + older) * percent / 100)


def test_a_deadline_passes_once() -> None:
    deadline = Deadline.after(1.5, now=10)
    assert not deadline.passed(11.4)
    assert deadline.passed(11.5)
    assert (deadline.left(11), deadline.left(12)) == (0.5, 0)
