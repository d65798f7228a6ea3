"""What may be done about an attempt that failed: whether it is sent once more, and whether the monolith may answer."""

from typing import TYPE_CHECKING

from strangler.model.decision import Arm
from strangler.model.failure import Failure
from strangler.resilience.retry import NEVER_LEFT, SAFE, Retry, judge_retry
from strangler.routing.evaluator import FALLBACK
from strangler.telemetry.families.upstreams import FALLBACKS
from strangler.upstream.balancer import Balancer

if TYPE_CHECKING:
    from strangler.dataplane.exchange import Exchange
    from strangler.dataplane.forwarder import Forwarding

UNASKED = frozenset((Failure.NO_ENDPOINT, Failure.BREAKER_OPEN, Failure.CONNECT, Failure.TLS, Failure.CONNECT_TIMEOUT))
"""Failures after which the monolith may answer: the service was not asked. A service that is only slow or has too much
to do is not among them, since its load must not fall on the monolith all at once."""


def verdict(failure: Failure | None, forwarding: "Forwarding", exchange: "Exchange") -> Retry:
    """Whether to send it once more; counted, and paid for. ``failure`` as for ``judge_retry``."""
    assert exchange.route is not None
    balancer = forwarding.balancer
    judged = judge_retry(
        failure,
        attempts=forwarding.attempts,
        max_attempts=exchange.route.route.retries.attempts,
        method=exchange.head.method,
        reused=forwarding.reused,
        body_passed=forwarding.body_passed,
        endpoints=len(balancer.pools),
        askable=balancer.askable(but=forwarding.pool if failure in NEVER_LEFT else None),
        in_time=exchange.in_time,
        budget_left=balancer.budget_left,
    )
    balancer.note(judged)
    return judged


def may_fall_back(forwarding: "Forwarding", exchange: "Exchange", cause: Failure = Failure.NO_ENDPOINT) -> bool:
    """Whether the monolith may answer a request that the service was not asked, because of ``cause``."""
    route = exchange.route
    return (
        route is not None
        and route.route.fallback
        and cause in UNASKED
        and exchange.decision.arm is Arm.SERVICE
        and exchange.head.method in SAFE
        and not forwarding.body_passed
        and exchange.in_time
    )


def fall_back(exchange: "Exchange", cause: Failure) -> Balancer:
    """Decide for the monolith after all, and count it. Returns where to send the request."""
    assert exchange.route is not None
    arm = exchange.route.monolith
    exchange.decision = FALLBACK
    exchange.arm = arm
    if exchange.capture is not None:
        exchange.capture = exchange.capture.begin_anew(exchange.head)
    stage = cause.label.partition(".")[0]
    arm.balancer.meters.of(FALLBACKS, exchange.route.route.name, stage).value += 1
    return arm.balancer
