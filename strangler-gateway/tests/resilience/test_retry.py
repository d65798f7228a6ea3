"""Whether to try again: the whole table, and the things that must never happen."""

import itertools
from typing import Any

import pytest

from strangler.model.failure import Failure
from strangler.resilience.retry import IDEMPOTENT, NEVER_LEFT, Retry, judge_retry

STALE: dict[str, Any] = {
    "failure": Failure.RESET_BEFORE_HEAD,
    "attempts": 1,
    "max_attempts": 2,
    "method": b"GET",
    "reused": True,
    "body_passed": False,
    "endpoints": 1,
    "askable": 1,
    "in_time": True,
    "budget_left": True,
}
REFUSED = {"failure": Failure.CONNECT, "reused": False, "endpoints": 2}
BAD_ANSWER = {"failure": None, "reused": False}
EVERY: list[dict[str, Any]] = [
    {
        "failure": failure,
        "attempts": attempts,
        "max_attempts": 2,
        "method": method,
        "reused": reused,
        "body_passed": passed,
        "endpoints": endpoints,
        "askable": askable,
        "in_time": in_time,
        "budget_left": budget,
    }
    for failure, attempts, method, reused, passed, (endpoints, askable), in_time, budget in itertools.product(
        (None, *Failure),
        (1, 2),
        (b"GET", b"PUT", b"POST", b"PATCH"),
        (False, True),
        (False, True),
        ((1, 0), (1, 1), (2, 0), (2, 1)),
        (False, True),
        (False, True),
    )
]


@pytest.mark.parametrize(
    ("changes", "verdict"),
    [
        ({}, Retry.STALE_CONNECTION),
        ({"method": b"HEAD"}, Retry.STALE_CONNECTION),
        ({"method": b"PUT"}, Retry.STALE_CONNECTION),
        ({"method": b"DELETE"}, Retry.STALE_CONNECTION),
        ({"method": b"POST"}, Retry.NO_IDEMPOTENCE),
        ({"method": b"PATCH"}, Retry.NO_IDEMPOTENCE),
        ({"method": b"UNKNOWN"}, Retry.NO_IDEMPOTENCE),
        ({"reused": False}, Retry.NO_FRESH_CONNECTION),
        ({"body_passed": True, "method": b"PUT"}, Retry.NO_BODY_LEFT),
        ({"attempts": 2}, Retry.NO_ATTEMPTS_LEFT),
        ({"max_attempts": 1}, Retry.NO_ATTEMPTS_LEFT),
        ({"attempts": 2, "max_attempts": 3}, Retry.STALE_CONNECTION),
        ({"in_time": False}, Retry.NO_TIME_LEFT),
        ({"askable": 0}, Retry.NO_CLOSED_BREAKER),
        ({"budget_left": False}, Retry.NO_BUDGET_LEFT),
        (REFUSED, Retry.NEVER_SENT),
        ({**REFUSED, "method": b"POST"}, Retry.NEVER_SENT),
        ({**REFUSED, "method": b"POST", "failure": Failure.CONNECT_TIMEOUT}, Retry.NEVER_SENT),
        ({**REFUSED, "failure": Failure.POOL_FULL}, Retry.NEVER_SENT),
        ({**REFUSED, "budget_left": False}, Retry.NEVER_SENT),
        ({**REFUSED, "endpoints": 1, "askable": 0}, Retry.NO_OTHER_ENDPOINT),
        ({**REFUSED, "askable": 0}, Retry.NO_CLOSED_BREAKER),
        ({**REFUSED, "attempts": 2}, Retry.NO_ATTEMPTS_LEFT),
        ({**REFUSED, "in_time": False}, Retry.NO_TIME_LEFT),
        (BAD_ANSWER, Retry.FAILED_ANSWER),
        ({**BAD_ANSWER, "method": b"POST"}, Retry.NO_IDEMPOTENCE),
        ({**BAD_ANSWER, "body_passed": True}, Retry.NO_BODY_LEFT),
        ({**BAD_ANSWER, "budget_left": False}, Retry.NO_BUDGET_LEFT),
        ({"failure": Failure.RESPONSE_TIMEOUT}, Retry.NO_SUCH_FAILURE),
        ({"failure": Failure.BAD_RESPONSE}, Retry.NO_SUCH_FAILURE),
        ({"failure": Failure.QUEUE_TIMEOUT}, Retry.NO_SUCH_FAILURE),
        ({"failure": Failure.DEADLINE}, Retry.NO_SUCH_FAILURE),
    ],
)
def test_each_verdict_has_its_case(changes: dict[str, object], verdict: Retry) -> None:
    judged = judge_retry(**{**STALE, **changes})
    assert judged is verdict
    assert judged.granted is not verdict.value.startswith("no_")


def test_every_verdict_occurs() -> None:
    assert {judge_retry(**case) for case in EVERY} == set(Retry)


def test_a_request_that_may_have_reached_an_application_is_never_repeated_unless_it_is_idempotent() -> None:
    for case in EVERY:
        if judge_retry(**case).granted and case["failure"] not in NEVER_LEFT:
            assert case["method"] in IDEMPOTENT
            assert not case["body_passed"]


def test_whatever_asks_an_application_again_is_paid_for() -> None:
    for case in EVERY:
        judged = judge_retry(**case)
        if judged.granted:
            assert judged.costs is (case["failure"] not in NEVER_LEFT)
            assert case["budget_left"] or not judged.costs
        else:
            assert not judged.costs


@pytest.mark.parametrize("changes", [{"attempts": 2}, {"in_time": False}, {"askable": 0}])
def test_nothing_is_tried_more_often_or_later_than_allowed_or_through_an_open_breaker(changes: dict[str, Any]) -> None:
    for case in EVERY:
        assert not judge_retry(**{**case, **changes}).granted
