"""The same decision as a worker's, with everything that led to it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from strangler.model.decision import Arm, Decision, Reason
from strangler.model.errors import StranglerError
from strangler.model.flag import WEIGHT_SCALE, Flag, Stage
from strangler.model.route import CATCH_ALL, Route
from strangler.model.snapshot import Snapshot
from strangler.routing.bucket import bucket
from strangler.routing.evaluator import KILLED, NO_ROUTE, evaluate
from strangler.routing.fields import Fields, PairFields
from strangler.routing.matcher import Matcher
from strangler.routing.path import is_plain, read_path, refusing
from strangler.routing.subject import SubjectFinder


class AmbiguousPath(StranglerError):
    """A path that applications read differently, on a route that refuses such paths."""


@dataclass(frozen=True, slots=True)
class Explanation:
    """Which route and arm would answer a request, and why."""

    route: str
    arm: Arm
    reason: Reason
    stage: Stage
    weight: str
    """Percent with two decimals."""
    subject: str | None
    bucket: int | None
    """None where the subject plays no part."""
    group: str
    module: str
    upstream: str
    mirror: bool
    """Whether the service is asked too, and the answers are compared."""
    revision: int


def find_route(matcher: Matcher[Route], method: bytes, target: bytes, fields: Fields) -> Route:
    """The route of a request; raises ``AmbiguousPath`` where a worker would answer 400."""
    path, _, query = target.partition(b"?")
    if is_plain(path):
        route = matcher.match(method, path, fields, query)
    else:
        reading = read_path(path)
        route = matcher.match(method, reading.lenient, fields, query)
        if reading.ambiguous:
            lenient, route = route, matcher.match(method, path, fields, query)
            refused = refusing(lenient, route)
            if refused is not None:
                why = "strict: true" if refused.strict else "it has policies, and only one reading leads to it"
                raise AmbiguousPath(
                    f"the path {path.decode('latin-1')!r} can be read in more than one way, and route {refused.name} "
                    f"refuses such paths ({why}); a worker answers 400"
                )
    if route is None:
        raise StranglerError("no route takes this request, not even the catch-all: the snapshot is damaged")
    return route


def explain(
    snapshot: Snapshot,
    killed: frozenset[str],
    method: str,
    target: str,
    headers: Sequence[tuple[str, str]] = (),
    client: str = "127.0.0.1",
    claims: Mapping[str, object] | None = None,
) -> Explanation:
    """Decide as a worker with this snapshot would. Raises ``AmbiguousPath`` where it would answer 400.

    ``claims`` are taken for verified: credentials among the headers are not judged here.
    """
    fields = PairFields(headers)
    matcher = Matcher((route.match, route) for route in snapshot.routes)
    route = find_route(matcher, method.upper().encode(), target.encode("utf-8"), fields)
    flag = next((flag for flag in snapshot.flags if flag.route == route.name), Flag(route.name))
    subject = SubjectFinder(route.sticky).find(fields, client, claims)
    decision = _decide(route, flag, subject, killed)
    counts = flag.stage is Stage.CANARY and subject is not None and decision.reason is not Reason.KILLED
    return Explanation(
        route=route.name,
        arm=decision.arm,
        reason=decision.reason,
        stage=flag.stage,
        weight=f"{flag.weight / WEIGHT_SCALE:.2f}",
        subject=subject,
        bucket=bucket(route.group, subject) if counts and subject is not None else None,
        group=route.group,
        module=route.module,
        upstream=route.service if decision.arm is Arm.SERVICE and route.service else route.monolith,
        mirror=decision.mirror,
        revision=snapshot.revision,
    )


def _decide(route: Route, flag: Flag, subject: str | None, killed: frozenset[str]) -> Decision:
    if route.name == CATCH_ALL:
        return NO_ROUTE
    if route.name in killed:
        return KILLED
    return evaluate(flag, route.group, subject)
