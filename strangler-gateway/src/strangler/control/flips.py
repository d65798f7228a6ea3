"""What a flip would change; decided purely, before anything is done."""

from collections.abc import Mapping
from dataclasses import dataclass

from strangler.config.loaded import Topology
from strangler.control.targets import find_target
from strangler.model.errors import FlipRefused, StranglerError
from strangler.model.flag import Flag, Stage
from strangler.model.route import Route

AVAILABLE = (Stage.MONOLITH, Stage.SHADOW, Stage.CANARY, Stage.SERVICE)
"""The stages that this version can serve."""


class FlipInvalid(StranglerError):
    """A flip that says something without a meaning, such as a weight for a stage that has none."""


@dataclass(frozen=True, slots=True)
class FlipRequest:
    """What somebody wants. ``weight`` is in hundredths of a percent; None keeps what a canary has, as for cohorts."""

    target: str
    stage: Stage
    author: str
    reason: str
    weight: int | None = None
    cohorts: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True)
class RouteChange:
    """One route's part in a flip; ``before`` and ``after`` are equal where it already is what it shall be."""

    route: str
    before: Flag
    after: Flag


@dataclass(frozen=True, slots=True)
class FlipPlan:
    """What to change, and what to tell whoever asked."""

    routes: tuple[RouteChange, ...]
    warnings: tuple[str, ...]

    @property
    def changes(self) -> tuple[RouteChange, ...]:
        """Those that differ."""
        return tuple(change for change in self.routes if change.before != change.after)


def plan_flip(request: FlipRequest, topology: Topology, flags: Mapping[str, Flag], killed: frozenset[str]) -> FlipPlan:
    """Raises ``UnknownTarget``, ``FlipInvalid``, or ``FlipRefused`` with the reason."""
    target = find_target(topology, request.target)
    if request.stage not in AVAILABLE:
        raise FlipRefused(f"the stage «{request.stage}» is not available yet; use {_listed(AVAILABLE)}")
    if request.stage is not Stage.CANARY and (request.weight is not None or request.cohorts):
        raise FlipInvalid(
            f"a weight or a cohort has a meaning at stage canary only, not at {request.stage}; leave it out"
        )
    moved = _moved(target.routes, request.stage)
    left_out = [route.name for route in target.routes if route not in moved]
    if not moved:
        which = "no route of it has" if target.is_module else "it has no"
        raise FlipRefused(
            f"«{target.name}» cannot go to {request.stage}: {which} service arm; add «service» to the route"
        )
    warnings = [f"{name} was left out: it has no service arm" for name in left_out]
    warnings += [
        f"{route.name} is killed: it goes to the monolith until the kill is lifted"
        for route in moved
        if route.name in killed
    ]
    changes = (_change(route.name, request, flags.get(route.name, Flag(route.name))) for route in moved)
    return FlipPlan(tuple(changes), tuple(warnings))


def _listed(stages: tuple[Stage, ...]) -> str:
    *first, last = stages
    return f"{', '.join(first)} or {last}"


def _moved(routes: tuple[Route, ...], stage: Stage) -> tuple[Route, ...]:
    """Without a service arm a route is at the monolith for good: back there it may be sent, elsewhere not."""
    with_service = tuple(route for route in routes if route.service is not None)
    return with_service or (routes if stage is Stage.MONOLITH else ())


def _change(route: str, request: FlipRequest, before: Flag) -> RouteChange:
    if request.stage is not Stage.CANARY:
        return RouteChange(route, before, Flag(route, request.stage))
    was_canary = before.stage is Stage.CANARY
    cohorts = request.cohorts if request.cohorts is not None else before.cohorts if was_canary else ()
    weight = request.weight if request.weight is not None else before.weight if was_canary else None
    if weight is None and not cohorts:
        raise FlipInvalid("a canary needs a weight, such as 5 for 5 %, or a cohort")
    return RouteChange(route, before, Flag(route, Stage.CANARY, weight or 0, cohorts))
