"""What happens to a request, in the order in which it happens.

1. match: which route is it?
2. judge: may this route take it?
3. guard: does the route know who asks, and may it be asked so often? Only this may have to wait.
4. decide: which arm answers, and why?
5. forward: to an endpoint of that arm; the answer comes back through ``Forwarding``.
"""

from typing import TYPE_CHECKING

from strangler.dataplane.forwarder import Forwarding
from strangler.http1.refusal import RequestRefused

if TYPE_CHECKING:
    from strangler.dataplane.downstream import Downstream
    from strangler.dataplane.exchange import Exchange


def run(exchange: "Exchange", downstream: "Downstream") -> None:
    """Take one request from its head to its upstream.

    Raises ``RequestRefused`` and ``Denied`` where the gateway answers itself.
    """
    head, active = exchange.head, exchange.active

    # 1. match
    route = active.topology.find(head.method, head.path, head.query, head.fields)

    # 2. judge
    if route is None:
        raise RequestRefused(400, "the path can be read in more than one way; send it without %2F, //, .. or ;")
    if head.fields.underscores and route.route.strict:
        raise RequestRefused(400, "a header's name holds an underscore, which applications confuse with a dash")
    exchange.route = route
    if head.fields.websocket:
        downstream.judge_tunnel()

    # 3. guard
    if route.guard is not None:
        waiting = route.guard.admit(exchange)
        if waiting is not None:
            downstream.wait(waiting)
            return
    proceed(exchange, downstream)


def proceed(exchange: "Exchange", downstream: "Downstream") -> None:
    """Take a request that its route admits to its upstream. Raises as ``run`` does."""
    active, route = exchange.active, exchange.route
    assert route is not None

    # 4. decide
    exchange.decision = decision = active.decide(route, exchange.head.fields, exchange.client)
    exchange.arm = arm = route.arm(decision)

    # 5. forward
    exchange.forwarding = Forwarding(exchange, downstream, arm.balancer, route.route.timeouts)
    exchange.forwarding.begin()
