"""How many checks in a row change an opinion."""

from hypothesis import given
from hypothesis import strategies as st

from strangler.resilience.health_record import HealthRecord


def test_three_bad_checks_take_out_and_two_good_ones_bring_back() -> None:
    record = HealthRecord(healthy=2, unhealthy=3)
    outcomes = [False, False, True, False, False, False, True, False, True, True]
    said = []
    for good in outcomes:
        record.add(good=good)
        said.append(record.healthy)
    assert said == [True] * 5 + [False] * 4 + [True]


@given(st.lists(st.booleans(), max_size=100), st.integers(1, 5), st.integers(1, 5))
def test_an_opinion_changes_exactly_after_so_many_in_a_row(outcomes: list[bool], healthy: int, unhealthy: int) -> None:
    record = HealthRecord(healthy, unhealthy)
    row = 0
    for good in outcomes:
        before = record.healthy
        row = 0 if good is before else row + 1
        changed = record.add(good=good)
        assert changed is (row == (healthy if good else unhealthy))
        assert record.healthy is (good if changed else before)
        row = 0 if changed else row
