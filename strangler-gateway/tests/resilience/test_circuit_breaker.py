"""The breaker as a table and under random sequences: when it opens, how long, and whom it lets through."""

from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from strangler.model.upstream import Breaker
from strangler.resilience.circuit_breaker import JITTER, TRANSITIONS, CircuitBreaker, Event, FailureWindow, State

SETTINGS = Breaker(failure_percent=50, minimum=4, window=10, open_time=5, probes=3)


def breaker(chance: float = 0.0, settings: Breaker = SETTINGS) -> CircuitBreaker:
    return CircuitBreaker(settings, lambda: chance)


def opened(now: float = 0.0, chance: float = 0.0) -> CircuitBreaker:
    """A breaker that has just opened."""
    tripped = breaker(chance)
    for _ in range(SETTINGS.minimum):
        tripped.failed(None, now, 0)
    assert tripped.state is State.OPEN
    return tripped


def half_open() -> CircuitBreaker:
    tripped = opened()
    assert tripped.admits(5)
    assert tripped.state is State.HALF_OPEN
    return tripped


def test_each_state_can_be_left_and_reached_and_nothing_else_happens() -> None:
    assert {before for before, _ in TRANSITIONS} == set(State) == set(TRANSITIONS.values())
    impossible = set(product(State, Event)) - set(TRANSITIONS)
    assert len(impossible) == 8


@pytest.mark.parametrize(
    ("answered", "failed", "state"),
    [
        (0, 3, State.CLOSED),  # Too few to say anything.
        (0, 4, State.OPEN),
        (4, 4, State.OPEN),  # Exactly half.
        (5, 4, State.CLOSED),
        (100, 99, State.CLOSED),
        (100, 100, State.OPEN),
    ],
)
def test_it_opens_when_enough_attempts_failed_and_they_are_a_large_enough_share(
    answered: int, failed: int, state: State
) -> None:
    tried = breaker()
    tried.failed(None, 0, 0)  # The window begins with a failure.
    for _ in range(failed - 1):
        tried.failed(None, 1, answered)
    assert tried.state is state


def test_failures_of_long_ago_do_not_count() -> None:
    tried = breaker()
    for now in (0, 11, 22, 33, 44):
        tried.failed(None, now, 0)
    assert tried.state is State.CLOSED


@pytest.mark.parametrize(("chance", "wait"), [(0.0, 5.0), (0.5, 6.25), (1.0, 7.5)])
def test_it_is_open_for_the_open_time_and_up_to_half_as_long_again(chance: float, wait: float) -> None:
    assert wait == SETTINGS.open_time * (1 + JITTER * chance)
    tripped = opened(now=100, chance=chance)
    assert not tripped.admits(100 + wait - 0.01)
    assert tripped.state is State.OPEN
    assert tripped.admits(100 + wait)


def test_exactly_so_many_probes_are_let_through_and_their_answers_close_it() -> None:
    tried = half_open()
    for probe in range(3):
        assert tried.admits(5)
        tried.begin(probe)
    assert not tried.admits(6)
    for probe in range(3):
        assert tried.state is State.HALF_OPEN
        tried.succeeded(probe, 6)
        assert tried.state is State.CLOSED or not tried.admits(6), "an answered probe makes no room for another"
    assert tried.state is State.CLOSED
    assert tried.opened == 1


def test_one_failed_probe_opens_it_again_for_the_whole_time() -> None:
    tried = half_open()
    tried.begin("a")
    tried.begin("b")
    tried.succeeded("a", 6)
    tried.failed("b", 7, 0)
    assert tried.state is State.OPEN
    assert tried.opened == 2
    assert not tried.admits(11.9)
    assert tried.admits(12)


def test_a_probe_that_says_nothing_makes_room_for_another() -> None:
    tried = half_open()
    for probe in range(3):
        tried.begin(probe)
    tried.left(1)
    assert tried.admits(6)
    tried.begin("another")
    assert not tried.admits(6)


def test_requests_from_before_it_opened_change_nothing() -> None:
    tried = half_open()
    tried.begin("probe")
    for late in range(20):
        tried.failed(late, 6, 0)
        tried.succeeded(late, 6)
        tried.left(late)
    assert tried.state is State.HALF_OPEN
    tried.failed("probe", 6, 0)
    tried.succeeded("probe", 7)
    assert tried.state is State.OPEN


def test_it_forgets_its_failures_when_it_closes() -> None:
    tried = half_open()
    for probe in range(3):
        tried.begin(probe)
        tried.succeeded(probe, 6)
    tried.failed(None, 6, 10)
    assert tried.state is State.CLOSED


@given(st.lists(st.tuples(st.floats(0, 3), st.integers(0, 5)), min_size=1, max_size=200), st.floats(1, 20))
def test_a_window_counts_no_more_than_it_saw_and_no_less_than_its_newer_part(
    steps: list[tuple[float, int]], seconds: float
) -> None:
    window = FailureWindow(seconds)
    now, answered = 0.0, 0
    seen: list[tuple[float, int]] = []
    for wait, answers in steps:
        now += wait
        answered += answers
        seen.append((now, answered))
        failed, attempts = window.add(now, answered)
        assert 1 <= failed <= sum(moment > now - seconds for moment, _ in seen)
        assert failed >= sum(moment > now - seconds * (1 - 1 / FailureWindow.SLICES) + 1e-6 for moment, _ in seen)
        assert failed <= attempts <= failed + answered


actions = st.lists(
    st.tuples(st.sampled_from(("ask", "ok", "bad", "leave")), st.integers(0, 7), st.floats(0, 4)), max_size=200
)


@given(actions, st.floats(0, 1))
def test_no_more_probes_are_under_way_than_allowed_whatever_happens(
    steps: list[tuple[str, int, float]], chance: float
) -> None:
    tried = breaker(chance)
    under_way: dict[int, bool] = {}
    """Each with whether it is a probe."""
    now, tokens = 0.0, 0
    for action, which, wait in steps:
        now += wait
        if action == "ask":
            if tried.admits(now):
                tokens += 1
                under_way[tokens] = tried.state is State.HALF_OPEN
                tried.begin(tokens)
        elif under_way:
            token = sorted(under_way)[which % len(under_way)]
            del under_way[token]
            if action == "ok":
                tried.succeeded(token, now)
            elif action == "bad":
                tried.failed(token, now, 0)
            else:
                tried.left(token)
        if tried.state is not State.HALF_OPEN:
            under_way = dict.fromkeys(under_way, False)
        assert sum(under_way.values()) <= SETTINGS.probes
