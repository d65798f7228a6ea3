"""Whether a request that failed may be sent once more: one function, and each refusal says why."""

from enum import StrEnum
from typing import Final

from strangler.model.failure import Failure

IDEMPOTENT: Final = frozenset((b"GET", b"HEAD", b"OPTIONS", b"PUT", b"DELETE", b"TRACE"))
"""Methods that may be repeated without asking (RFC 9110 §9.2.2)."""
SAFE: Final = frozenset((b"GET", b"HEAD", b"OPTIONS"))
"""Methods that change nothing (RFC 9110 §9.2.1), and that the gateway takes."""
NEVER_LEFT: Final = frozenset((Failure.CONNECT, Failure.TLS, Failure.CONNECT_TIMEOUT, Failure.POOL_FULL))
"""Failures of an attempt of which no byte was sent."""


class Retry(StrEnum):
    """The verdict. Whatever begins with ``no_`` is a refusal. The words stand in metrics."""

    NEVER_SENT = "never_sent"
    """No byte of it can have reached an application."""
    STALE_CONNECTION = "stale_connection"
    """The application closed a kept-alive connection just when it was used again (RFC 9112 §9.3.1)."""
    FAILED_ANSWER = "failed_answer"
    """The answer has a status that the route asks to repeat."""
    NO_ATTEMPTS_LEFT = "no_attempts_left"
    NO_TIME_LEFT = "no_time_left"
    """The request's deadline has passed."""
    NO_OTHER_ENDPOINT = "no_other_endpoint"
    NO_CLOSED_BREAKER = "no_closed_breaker"
    """The breaker of every endpoint that could be asked is open."""
    NO_SUCH_FAILURE = "no_such_failure"
    """The application has the request, or another try would end alike."""
    NO_FRESH_CONNECTION = "no_fresh_connection"
    """A new connection was closed without an answer: the request itself may have crashed the application."""
    NO_IDEMPOTENCE = "no_idempotence"
    NO_BODY_LEFT = "no_body_left"
    """A part of the body was passed on and is not kept."""
    NO_BUDGET_LEFT = "no_budget_left"
    """So many requests were sent again lately that more would only add to the load."""

    @property
    def granted(self) -> bool:
        """Whether to try again."""
        return self in _GRANTED

    @property
    def costs(self) -> bool:
        """Whether it is paid for from the retry budget: it asks an application that was asked before."""
        return self in _COSTS


_GRANTED: Final = frozenset((Retry.NEVER_SENT, Retry.STALE_CONNECTION, Retry.FAILED_ANSWER))
_COSTS: Final = frozenset((Retry.STALE_CONNECTION, Retry.FAILED_ANSWER))


def judge_retry(
    failure: Failure | None,
    *,
    attempts: int,
    max_attempts: int,
    method: bytes,
    reused: bool,
    body_passed: bool,
    endpoints: int,
    askable: int,
    in_time: bool,
    budget_left: bool,
) -> Retry:
    """Judge after ``attempts`` tries. No byte of an answer to the last of them was passed on.

    ``failure`` is what the last try ended in, or None for an answer whose status the route asks to repeat. ``askable``:
    how many of the ``endpoints`` have a breaker that lets a request through; after a failure to connect the one that
    failed is not among them. What never left the gateway cost no application anything: the budget has no say then.
    """
    sent = failure not in NEVER_LEFT
    refusals = (
        (attempts >= max_attempts, Retry.NO_ATTEMPTS_LEFT),
        (not in_time, Retry.NO_TIME_LEFT),
        (not sent and endpoints < 2, Retry.NO_OTHER_ENDPOINT),
        (sent and failure not in {None, Failure.RESET_BEFORE_HEAD}, Retry.NO_SUCH_FAILURE),
        (failure is Failure.RESET_BEFORE_HEAD and not reused, Retry.NO_FRESH_CONNECTION),
        (sent and body_passed, Retry.NO_BODY_LEFT),
        (sent and method not in IDEMPOTENT, Retry.NO_IDEMPOTENCE),
        (not askable, Retry.NO_CLOSED_BREAKER),
        (sent and not budget_left, Retry.NO_BUDGET_LEFT),
    )
    for holds, refusal in refusals:
        if holds:
            return refusal
    if not sent:
        return Retry.NEVER_SENT
    return Retry.FAILED_ANSWER if failure is None else Retry.STALE_CONNECTION
