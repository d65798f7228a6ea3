"""Whether a request that got no answer may be sent once more: one function, and each refusal says why."""

from enum import StrEnum

from strangler.model.failure import Failure

IDEMPOTENT = frozenset((b"GET", b"HEAD", b"OPTIONS", b"PUT", b"DELETE", b"TRACE"))
"""Methods that may be repeated without asking (RFC 9110 §9.2.2)."""

MAX_ATTEMPTS = 2


class Retry(StrEnum):
    """The verdict. Whatever begins with ``no_`` is a refusal."""

    NEVER_SENT = "never_sent"
    """No byte of it can have reached an application."""
    STALE_CONNECTION = "stale_connection"
    """The application closed a kept-alive connection just when it was used again (RFC 9112 §9.3.1)."""
    NO_ATTEMPTS_LEFT = "no_attempts_left"
    NO_OTHER_ENDPOINT = "no_other_endpoint"
    NO_SUCH_FAILURE = "no_such_failure"
    """The application has the request, or another try would end alike."""
    NO_FRESH_CONNECTION = "no_fresh_connection"
    """A new connection was closed without an answer: the request itself may have crashed the application."""
    NO_IDEMPOTENCE = "no_idempotence"
    NO_BODY_LEFT = "no_body_left"
    """A part of the body was passed on and is not kept."""

    @property
    def granted(self) -> bool:
        """Whether to try again."""
        return self in {Retry.NEVER_SENT, Retry.STALE_CONNECTION}


def judge_retry(
    failure: Failure, *, attempts: int, method: bytes, reused: bool, body_passed: bool, endpoints: int
) -> Retry:
    """Judge after ``attempts`` tries, the last of which ended in ``failure`` before any byte of an answer."""
    if attempts >= MAX_ATTEMPTS:
        return Retry.NO_ATTEMPTS_LEFT
    if failure in {Failure.CONNECT, Failure.CONNECT_TIMEOUT}:
        return Retry.NEVER_SENT if endpoints > 1 else Retry.NO_OTHER_ENDPOINT
    if failure is not Failure.RESET_BEFORE_HEAD:
        return Retry.NO_SUCH_FAILURE
    if not reused:
        return Retry.NO_FRESH_CONNECTION
    if body_passed:
        return Retry.NO_BODY_LEFT
    return Retry.STALE_CONNECTION if method in IDEMPOTENT else Retry.NO_IDEMPOTENCE
