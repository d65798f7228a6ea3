"""``POST /flips``: move a route or a module to another stage."""

from typing import Annotated

from fastapi import APIRouter
from pydantic import BaseModel, BeforeValidator, Field

from strangler.config.weight import percent_from_weight, weight_from_percent
from strangler.control.api.dependencies import Plane
from strangler.control.api.problems import responses
from strangler.control.flips import FlipRequest
from strangler.control.plane import ControlPlane
from strangler.control.workers import Settlement
from strangler.model.flag import Flag, Stage

router = APIRouter(tags=["flips"])


def _weight(value: object) -> object:
    """Percent to hundredths."""
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise ValueError("a weight is a number or its text, such as 5 or «0.05»")
    return weight_from_percent(value)


Author = Annotated[str, Field(min_length=1, max_length=200, description="Who does it.", examples=["maria"])]
Why = Annotated[str, Field(min_length=1, max_length=2000, description="Why, for whoever reads the history.")]


class FlipBody(BaseModel):
    """What is asked for."""

    target: str = Field(description="A route or a module.", examples=["catalog"])
    stage: Stage = Field(description="`monolith`, `shadow`, `canary` or `service`.")
    weight: Annotated[int | None, BeforeValidator(_weight, json_schema_input_type=float | str | None)] = Field(
        default=None,
        description="Percent for a canary, at most two decimals; left out, a canary keeps the weight that it has.",
        examples=[5, "0.05"],
    )
    cohorts: list[Annotated[str, Field(min_length=1, max_length=200)]] | None = Field(
        default=None,
        max_length=1000,
        description="Subjects that a canary sends to the service regardless of its weight; left out, it keeps them.",
    )
    reason: Why
    author: Author


class FlagView(BaseModel):
    """A flag."""

    stage: Stage
    weight: str = Field(description="Percent with two decimals.")
    cohorts: list[str]

    @classmethod
    def of(cls, flag: Flag) -> "FlagView":
        """From the model's value."""
        return cls(stage=flag.stage, weight=percent_from_weight(flag.weight), cohorts=list(flag.cohorts))


class RouteChangeView(BaseModel):
    """One route's part."""

    route: str
    before: FlagView
    after: FlagView


class FlipResult(BaseModel):
    """What was done, and who has it."""

    revision: int
    changes: list[RouteChangeView] = Field(
        description="Every route that the target stands for, also if it was there already."
    )
    acknowledged: list[int] = Field(description="Slots whose worker serves every new request by this revision.")
    missing: list[int] = Field(
        description="Slots that have not said so in time; their worker gets it when it connects."
    )
    seconds: float = Field(description="Until the last acknowledgement, or until the wait was over.")
    warnings: list[str]


@router.post("/flips", responses=responses(404, 409, 422, 503))
async def flip(body: FlipBody, plane: Plane) -> FlipResult:
    """Move a route, or every route of a module that has a service arm, in one step.

    The answer comes when every worker has the change, or after five seconds, naming those that do not. Asking for
    what already is changes nothing, and waits all the same.
    """
    cohorts = tuple(dict.fromkeys(body.cohorts)) if body.cohorts is not None else None
    request = FlipRequest(body.target, body.stage, body.author, body.reason, body.weight, cohorts)
    flipped = await plane.flip(request)
    return FlipResult(
        revision=flipped.revision,
        changes=[
            RouteChangeView(route=part.route, before=FlagView.of(part.before), after=FlagView.of(part.after))
            for part in flipped.plan.routes
        ],
        acknowledged=list(flipped.settlement.acknowledged),
        missing=list(flipped.settlement.missing),
        seconds=round(flipped.seconds, 4),
        warnings=[*flipped.plan.warnings, *settlement_warnings(plane, flipped.settlement)],
    )


def settlement_warnings(plane: ControlPlane, settlement: Settlement) -> list[str]:
    """What somebody should know about the workers, beside who is missing."""
    warnings = list(settlement.refusals)
    if plane.workers.expected is None:
        warnings.append("the supervisor is not connected, so it is not known which workers there should be")
    return warnings
