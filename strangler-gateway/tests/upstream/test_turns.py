"""Turns in proportion to weights, evenly spread, and an order that stays short."""

from collections import Counter
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from strangler.upstream.turns import LEAST, MOST, in_turns

WEIGHTS = st.lists(st.integers(1, 65_535), min_size=2, max_size=50)


@pytest.mark.parametrize("weights", [(), (5,), (1, 1, 1), (0, 0), (65_535, 65_535)])
def test_who_weighs_the_same_gets_one_turn_each(weights: tuple[int, ...]) -> None:
    assert in_turns(range(len(weights)), weights) == tuple(range(len(weights)))


@pytest.mark.parametrize(("weights", "order"), [((3, 1), "aaba"), ((2, 1), "aba"), ((60, 20, 20), "abaca")])
def test_turns_are_as_many_as_the_weights_and_evenly_spread(weights: tuple[int, ...], order: str) -> None:
    assert sorted(in_turns("abc", weights)) == sorted(order)
    turns = in_turns("abc", weights) * 2
    assert not any(one == other != "a" for one, other in pairwise(turns))


@given(WEIGHTS)
def test_shares_are_exact_to_a_thousandth_for_each_endpoint_and_nobody_is_left_out(weights: list[int]) -> None:
    turns = Counter(in_turns(range(len(weights)), weights))
    assert set(turns) == set(range(len(weights)))
    assert turns.total() <= MOST + len(weights)
    for number, weight in enumerate(weights):
        exact = weight / sum(weights)
        assert abs(turns[number] / turns.total() - exact) <= (1 + len(weights) * exact) / MOST


@given(WEIGHTS, st.integers(1, 5))
def test_one_without_a_weight_gets_next_to_nothing(weights: list[int], without: int) -> None:
    turns = Counter(in_turns(range(len(weights) + without), [*weights, *[0] * without]))
    for number in range(len(weights), len(weights) + without):
        assert turns[number] == 1
    assert turns.total() - without >= LEAST
