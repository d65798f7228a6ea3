"""A snapshot made ready for requests: compiled once per change, then only read."""

from typing import TYPE_CHECKING, Final

from strangler.dataplane.counters import ArmCounters, Counters
from strangler.dataplane.hold import Holds
from strangler.dataplane.mirror import Mirror
from strangler.dataplane.rate_limiting import RateLimiting
from strangler.http1.section import HeaderSection
from strangler.model.decision import Arm, Decision
from strangler.model.flag import Flag, Kill, Stage
from strangler.model.route import CATCH_ALL, Route
from strangler.model.snapshot import Snapshot
from strangler.policies.guard import Guard, InTurn
from strangler.policies.transform.arm import ArmTransform
from strangler.policies.transform.arms import Rewrites, arm_transform, rewrites
from strangler.routing.evaluator import KILLED, NO_ROUTE, evaluate, settled
from strangler.routing.fields import Fields
from strangler.routing.matcher import Matcher
from strangler.routing.path import is_plain, read_path, refusing
from strangler.routing.subject import subject_finder
from strangler.upstream.balancer import Balancer
from strangler.upstream.balancers import Balancers

if TYPE_CHECKING:
    from strangler.dataplane.authenticators import Prepared

SERVICE: Final = Arm.SERVICE
UNKNOWN: Final = "not looked for yet"


class ActiveArm:
    """One side of a route: where its requests go and where they are counted."""

    __slots__ = ("arm", "balancer", "counters", "transform")

    def __init__(self, arm: Arm, balancer: Balancer, counters: ArmCounters) -> None:
        self.arm = arm
        self.balancer = balancer
        self.counters = counters
        self.transform: ArmTransform | None = None
        """What is changed on the way there and back."""


class ActiveRoute:
    """A route with its arms at hand. ``number`` is its place in the snapshot."""

    __slots__ = ("deadline", "guard", "monolith", "number", "rewrites", "route", "service", "subjects", "writes")

    def __init__(
        self, number: int, route: Route, balancers: dict[str, Balancer], counters: Counters, holds: Holds
    ) -> None:
        self.number = number
        self.route = route
        self.deadline = route.timeouts.request
        """Seconds that a request may take as a whole, or None."""
        self.guard: Guard | None = None
        self.rewrites: Rewrites | None = None
        """What judges whether the path can be rewritten for either arm; None where neither has another path."""
        self.writes = holds.writes(route.writes)
        self.subjects = subject_finder(route.sticky)
        self.monolith = ActiveArm(Arm.MONOLITH, balancers[route.monolith], counters.of(route.name, Arm.MONOLITH))
        self.service: ActiveArm | None = None
        if route.service is not None:
            self.service = ActiveArm(Arm.SERVICE, balancers[route.service], counters.of(route.name, Arm.SERVICE))

    def arm(self, decision: Decision) -> ActiveArm:
        """The side that a decision names; the monolith where there is no service."""
        return self.service if decision.arm is SERVICE and self.service is not None else self.monolith


class Topology:
    """The part of a snapshot that flips do not change."""

    def __init__(
        self,
        snapshot: Snapshot,
        balancers: Balancers,
        counters: Counters,
        holds: Holds,
        rate_limiting: RateLimiting,
        prepared: "Prepared | None" = None,
    ) -> None:
        by_name = balancers.update(snapshot.upstreams)
        self.onward = prepared.onward if prepared is not None else None
        """What applications are told about who asks; None where nobody is asked who they are."""
        rate_limiting.adopt(snapshot)
        self.fingerprint = snapshot.topology
        self.routes = tuple(
            ActiveRoute(number, route, by_name, counters, holds) for number, route in enumerate(snapshot.routes)
        )
        for active in self.routes:
            early, late = rate_limiting.guards(active.route)
            asking = prepared.guards(active.route) if prepared is not None else ()
            active.guard = in_turn((*early, *asking, *late))
            _transform(active)
        self.catch_all = self.routes[-1]
        self._matcher = Matcher((active.route.match, active) for active in self.routes)

    def named(self, name: str) -> ActiveRoute | None:
        """The route of this name."""
        return next((active for active in self.routes if active.route.name == name), None)

    def find(self, method: bytes, path: bytes, query: bytes, fields: Fields) -> ActiveRoute | None:
        """The route of a request; None where the path is ambiguous and a route that refuses such paths is meant."""
        if is_plain(path):
            return self._matcher.match(method, path, fields, query) or self.catch_all
        reading = read_path(path)
        found = self._matcher.match(method, reading.lenient, fields, query) or self.catch_all
        if reading.ambiguous:
            literal = self._matcher.match(method, path, fields, query) or self.catch_all
            return None if refusing(found.route, literal.route) is not None else literal
        return found


class Active:
    """One snapshot with the kills in force: what a request decides by, from its head to its last byte."""

    __slots__ = ("_flags", "_settled", "generation", "kills", "shadowed", "snapshot", "topology", "trace_share")

    def __init__(
        self, snapshot: Snapshot, topology: Topology, generation: int, kills: tuple[Kill, ...], mirror: Mirror
    ) -> None:
        self.snapshot = snapshot
        self.topology = topology
        self.generation = generation
        self.kills = kills
        trace = snapshot.gateway.trace
        self.trace_share = trace.sample if trace.to else None
        """Of the requests without a trace that begin one; None where no spans are wanted."""
        flags = {flag.route: flag for flag in snapshot.flags}
        killed = {kill.route for kill in kills}
        self._flags = tuple(_flag(active, flags) for active in topology.routes)
        self.shadowed = tuple(
            mirror.shadowed(active.route, flag, snapshot.revision)
            for active, flag in zip(topology.routes, self._flags, strict=True)
        )
        """By the route's number; None for those whose answers are not compared."""
        self._settled = tuple(
            _decide_early(active.route, flag, killed) for active, flag in zip(topology.routes, self._flags, strict=True)
        )

    def decide(self, active: ActiveRoute, fields: HeaderSection, address: str, identity: object = None) -> Decision:
        """Which arm answers; only a canary needs the request for that."""
        decision = self._settled[active.number]
        if decision is not None:
            return decision
        finder = active.subjects
        if finder.takes_claims:
            claims = getattr(identity, "claims", None)
            return evaluate(self._flags[active.number], active.route.group, finder.find(fields, address, claims))
        subject = fields.memo.get(finder, UNKNOWN)
        if subject is UNKNOWN:
            subject = fields.memo[finder] = finder.in_fields(fields)
        if subject is None and finder.takes_address:
            subject = address
        return evaluate(self._flags[active.number], active.route.group, subject)


def in_turn(guards: tuple[Guard, ...]) -> Guard | None:
    """Several guards as one."""
    return guards[0] if len(guards) == 1 else InTurn(guards) if guards else None


def _transform(active: ActiveRoute) -> None:
    for arm in (active.monolith, active.service):
        if arm is not None:
            arm.transform = arm_transform(active.route, arm.arm, arm.balancer.upstream, arm.balancer.meters)
    service = active.service.transform if active.service is not None else None
    active.rewrites = rewrites(active.monolith.transform, service)


def _flag(active: ActiveRoute, flags: dict[str, Flag]) -> Flag:
    """A route without a service arm has nothing to flip, whatever its flag says."""
    flag = flags.get(active.route.name)
    if flag is None or active.service is None:
        return Flag(active.route.name, Stage.MONOLITH)
    return flag


def _decide_early(route: Route, flag: Flag, killed: set[str]) -> Decision | None:
    if route.name == CATCH_ALL:
        return NO_ROUTE
    return KILLED if route.name in killed else settled(flag)
