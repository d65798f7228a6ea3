"""Whether to try again: the whole table, and the two things that must never happen."""

import itertools

import pytest

from strangler.model.failure import Failure
from strangler.resilience.retry import IDEMPOTENT, MAX_ATTEMPTS, Retry, judge_retry

EVERY = [
    {
        "failure": failure,
        "attempts": attempts,
        "method": method,
        "reused": reused,
        "body_passed": passed,
        "endpoints": n,
    }
    for failure, attempts, method, reused, passed, n in itertools.product(
        Failure, (1, 2), (b"GET", b"PUT", b"POST", b"PATCH"), (False, True), (False, True), (1, 2)
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
        ({"attempts": MAX_ATTEMPTS}, Retry.NO_ATTEMPTS_LEFT),
        ({"failure": Failure.CONNECT, "method": b"POST", "endpoints": 2}, Retry.NEVER_SENT),
        ({"failure": Failure.CONNECT_TIMEOUT, "method": b"POST", "endpoints": 2}, Retry.NEVER_SENT),
        ({"failure": Failure.CONNECT}, Retry.NO_OTHER_ENDPOINT),
        ({"failure": Failure.CONNECT, "endpoints": 2, "attempts": MAX_ATTEMPTS}, Retry.NO_ATTEMPTS_LEFT),
        ({"failure": Failure.RESPONSE_TIMEOUT}, Retry.NO_SUCH_FAILURE),
        ({"failure": Failure.BAD_RESPONSE}, Retry.NO_SUCH_FAILURE),
        ({"failure": Failure.POOL_FULL}, Retry.NO_SUCH_FAILURE),
    ],
)
def test_each_verdict_has_its_case(changes: dict[str, object], verdict: Retry) -> None:
    case: dict[str, object] = {
        "failure": Failure.RESET_BEFORE_HEAD,
        "attempts": 1,
        "method": b"GET",
        "reused": True,
        "body_passed": False,
        "endpoints": 1,
    }
    judged = judge_retry(**{**case, **changes})  # type: ignore[arg-type]
    assert judged is verdict
    assert judged.granted is not verdict.value.startswith("no_")


def test_a_request_that_may_have_reached_an_application_is_never_repeated_unless_it_is_idempotent() -> None:
    for case in EVERY:
        never_sent = case["failure"] in {Failure.CONNECT, Failure.CONNECT_TIMEOUT}
        if judge_retry(**case).granted and not never_sent:  # type: ignore[arg-type]
            assert case["method"] in IDEMPOTENT
            assert not case["body_passed"]


def test_nothing_is_tried_more_often_than_allowed() -> None:
    for case in EVERY:
        assert not judge_retry(**{**case, "attempts": MAX_ATTEMPTS}).granted  # type: ignore[arg-type]
