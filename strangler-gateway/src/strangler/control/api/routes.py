"""``GET /routes``: every route with its flag and what it has served in the last minute."""

from fastapi import APIRouter
from pydantic import BaseModel, Field

from strangler.config.weight import percent_from_weight
from strangler.control.api.dependencies import Plane
from strangler.control.api.status import KillStatus
from strangler.control.traffic import WINDOW_SECONDS, Key, Tally, quantile
from strangler.model.decision import Arm
from strangler.model.flag import Flag, Stage
from strangler.model.route import PathKind, Route, RouteMatch

router = APIRouter(tags=["routes"])


class MatchView(BaseModel):
    """Which requests a route takes."""

    kind: PathKind
    path: str
    methods: list[str] = Field(description="Empty for every method.")
    headers: dict[str, str]
    query: dict[str, str]

    @classmethod
    def of(cls, match: RouteMatch) -> "MatchView":
        """From the model's value."""
        return cls(
            kind=match.kind,
            path=match.path,
            methods=sorted(match.methods),
            headers=dict(match.headers),
            query=dict(match.query),
        )


class ArmTraffic(BaseModel):
    """What one arm has served."""

    requests: int
    p95_ms: float | None = Field(description="None without requests; from a histogram, so an estimate.")
    errors: int = Field(description="Answers of 500 and above.")


class LiveTraffic(BaseModel):
    """What a route has served lately."""

    window_seconds: int
    requests: int
    service_share: float | None = Field(description="0 to 1; None without requests.")
    monolith: ArmTraffic
    service: ArmTraffic


class RouteView(BaseModel):
    """A route, its flag and its traffic."""

    name: str
    module: str
    group: str
    match: MatchView
    monolith: str = Field(description="The upstream of the monolith arm.")
    service: str | None = Field(description="The upstream of the service arm.")
    stage: Stage
    weight: str = Field(description="Percent with two decimals.", examples=["5.00"])
    cohorts: list[str]
    killed: KillStatus | None
    writes: list[str]
    live: LiveTraffic


class RouteList(BaseModel):
    """All routes, in the order of the configuration, the catch-all last."""

    revision: int
    items: list[RouteView]


@router.get("/routes")
async def list_routes(plane: Plane) -> RouteList:
    """Every route with its stage, and what its arms have served in the last minute."""
    snapshot = plane.publisher.snapshot
    flags = {flag.route: flag for flag in snapshot.flags}
    kills = {kill.route: KillStatus.of(kill) for kill in plane.supervisor.roster.kills}
    recent = plane.traffic.recent()
    items = [
        _view(route, flags.get(route.name, Flag(route.name)), kills.get(route.name), recent)
        for route in snapshot.routes
    ]
    return RouteList(revision=snapshot.revision, items=items)


def _view(route: Route, flag: Flag, kill: KillStatus | None, recent: dict[Key, Tally]) -> RouteView:
    return RouteView(
        name=route.name,
        module=route.module,
        group=route.group,
        match=MatchView.of(route.match),
        monolith=route.monolith,
        service=route.service,
        stage=flag.stage,
        weight=percent_from_weight(flag.weight),
        cohorts=list(flag.cohorts),
        killed=kill,
        writes=list(route.writes),
        live=_live(
            recent.get((route.name, Arm.MONOLITH.value), Tally()), recent.get((route.name, Arm.SERVICE.value), Tally())
        ),
    )


def _live(monolith: Tally, service: Tally) -> LiveTraffic:
    total = monolith.requests + service.requests
    return LiveTraffic(
        window_seconds=WINDOW_SECONDS,
        requests=total,
        service_share=round(service.requests / total, 4) if total else None,
        monolith=_arm(monolith),
        service=_arm(service),
    )


def _arm(tally: Tally) -> ArmTraffic:
    p95 = quantile(tally.buckets, 0.95)
    return ArmTraffic(
        requests=tally.requests, p95_ms=None if p95 is None else round(p95 * 1000, 2), errors=tally.errors
    )
