"""``POST /explain``: which route and arm would answer a request, and why."""

from ipaddress import ip_address
from typing import Annotated

from fastapi import APIRouter
from pydantic import BaseModel, Field, IPvAnyAddress

from strangler.control.api.dependencies import Plane
from strangler.control.api.problems import responses
from strangler.model.decision import Arm, Reason
from strangler.model.flag import Stage
from strangler.routing import explain

router = APIRouter(tags=["explain"])

HeaderText = Annotated[str, Field(max_length=8192, pattern=r"^[^\x00\r\n]*$")]


class ExplainBody(BaseModel):
    """A request as a client would send it."""

    method: str = Field(default="GET", pattern=r"^[A-Za-z!#$%&'*+.^_`|~0-9-]+$")
    target: str = Field(pattern=r"^/[^\x00-\x20#]*$", max_length=8192, examples=["/api/products/7"])
    headers: list[tuple[HeaderText, HeaderText]] = Field(default=[], examples=[[["X-User", "u1"]]])
    claims: dict[str, str | int] = Field(
        default={},
        description="What an authenticator would have found out; credentials in the headers are not judged.",
        examples=[{"sub": "u1"}],
    )
    client: IPvAnyAddress = Field(default=ip_address("127.0.0.1"), description="The client's address.")


class ExplanationView(BaseModel):
    """What a worker would decide."""

    route: str
    arm: Arm
    reason: Reason
    stage: Stage
    weight: str = Field(description="Percent with two decimals.")
    subject: str | None = Field(description="What decides for a canary; None if the request has none of its sources.")
    bucket: int | None = Field(
        description="0 to 9,999; the service's if below weight × 100. None where it plays no part."
    )
    group: str
    module: str
    upstream: str
    mirror: bool = Field(description="Whether the service is asked too, and the answers are compared.")
    revision: int


@router.post("/explain", responses=responses(422))
async def post_explain(body: ExplainBody, plane: Plane) -> ExplanationView:
    """Decide as every worker does, by the same code and the current snapshot, and say why."""
    explanation = explain(
        plane.publisher.snapshot,
        plane.supervisor.killed,
        body.method,
        body.target,
        body.headers,
        str(body.client),
        body.claims,
    )
    return ExplanationView.model_validate(explanation, from_attributes=True)
