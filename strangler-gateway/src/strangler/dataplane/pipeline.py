"""What happens to a request, in the order in which it happens.

1. match: which route is it?
2. judge: may this route take it?
3. guard: does the route know who asks, and may it be asked so often? Only this may have to wait.
4. hold: do writes of its modules wait just now? One that waited goes on with ``resume``.
5. decide: which arm answers, and why?
6. forward: to an endpoint of that arm; the answer comes back through ``Forwarding``.
"""

from typing import TYPE_CHECKING

from strangler.dataplane.forwarder import Forwarding
from strangler.dataplane.hold import sorry
from strangler.http1.refusal import RequestRefused
from strangler.policies.guard import Denied
from strangler.resilience.deadline import Deadline

if TYPE_CHECKING:
    from strangler.dataplane.active import Active
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
    exchange.route = route
    if head.fields.underscores and route.route.strict:
        raise RequestRefused(400, "a header's name holds an underscore, which applications confuse with a dash")
    if route.rewrites is not None:
        route.rewrites.check(head)
    if exchange.body is not None and route.route.body_bytes:
        exchange.bound_body(route.route.body_bytes)
    if head.fields.websocket:
        downstream.judge_tunnel()
    if route.deadline is not None:
        exchange.deadline = Deadline.after(route.deadline, exchange.began)

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

    # 4. hold
    if route.writes is not None and not route.writes.admit(exchange, downstream):
        return

    # 5. decide
    exchange.decision = decision = active.decide(route, exchange.head.fields, exchange.client, exchange.identity)
    exchange.arm = arm = route.arm(decision)
    shadowed = active.shadowed[route.number]
    if shadowed is not None:
        exchange.capture = shadowed.begin(exchange.head, decision)

    # 6. forward
    exchange.forwarding = Forwarding(exchange, downstream, arm.balancer, route.route.timeouts)
    exchange.forwarding.begin()


def resume(exchange: "Exchange", downstream: "Downstream", active: "Active") -> None:
    """Take a request that was held to its upstream, under the snapshot that is in force now."""
    assert exchange.route is not None
    route = active.topology.named(exchange.route.route.name)
    try:
        if route is None:
            raise sorry("the route is gone", 0)
        exchange.active, exchange.route = active, route
        if route.rewrites is not None:
            route.rewrites.check(exchange.head)
        proceed(exchange, downstream)
    except RequestRefused:  # Only now: the route was changed meanwhile.
        downstream.turn_away(sorry("the route has changed", 0))
    except Denied as denied:
        downstream.turn_away(denied)
