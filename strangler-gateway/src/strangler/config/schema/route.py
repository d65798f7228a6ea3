"""The part of strangler.yaml that says what a route takes and where it goes."""

from typing import Annotated

from pydantic import AfterValidator, Field

from strangler.config.schema.authentication import AuthenticateSection, AuthorizeSection
from strangler.config.schema.rate_limit import RateLimitSection
from strangler.config.schema.resilience import RetriesSection
from strangler.config.schema.shadow import ShadowSection
from strangler.config.schema.transform import ArmsSection, RequestSection, ResponseSection
from strangler.config.schema.types import (
    HeaderName,
    HeaderValue,
    Method,
    Name,
    Percentage,
    Seconds,
    Section,
    StickyText,
)
from strangler.config.schema.types import stage as stage_name
from strangler.config.templates import check_prefix, check_template


class MatchSection(Section):
    """Which requests a route takes; everything given must hold. Either `path` or `prefix`."""

    path: Annotated[str, AfterValidator(check_template)] | None = Field(
        default=None,
        description="A path; `{name}` takes any one segment. It is compared with the decoded path.",
        examples=["/api/products/{id}"],
    )
    prefix: Annotated[str, AfterValidator(check_prefix)] | None = Field(
        default=None,
        description="A path and everything below it: `/api` takes `/api/x` and not `/apix`.",
        examples=["/api"],
    )
    methods: list[Method] = Field(
        default=[],
        description="Methods in capitals; none takes all. GET takes HEAD too, unless another route names it.",
        examples=[["GET"]],
    )
    headers: dict[HeaderName, HeaderValue] = Field(
        default={}, description="Headers and the exact values that they must have.", examples=[{"x-variant": "new"}]
    )
    query: dict[str, str] = Field(
        default={}, description="Query parameters and the exact values that they must have.", examples=[{"v": "2"}]
    )


class TimeoutsSection(Section):
    """How long an upstream may take."""

    response: Seconds = Field(
        default=60.0,
        description="Seconds from the request's end to the response's head, of each attempt.",
        examples=[10],
    )
    idle: Seconds = Field(default=60.0, description="Seconds between any two bytes.", examples=[30])
    request: Seconds | None = Field(
        default=None,
        description="Seconds from the request's head to the answer's last byte, over all attempts; then 504, or the "
        "end of the connection where the answer has begun. Without it a request may go on for as long as bytes move, "
        "as downloads and event streams must. It does not apply to WebSockets.",
        examples=[15],
    )
    tunnel_idle: Seconds = Field(
        default=3600.0,
        description="Seconds in which nobody says anything in a WebSocket before it is closed with 1001.",
        examples=[600],
    )


class RouteSection(Section):
    """A unit of migration: what is flipped as one."""

    name: Name = Field(description="Unique; it stands in flags, logs and metrics.", examples=["products-get"])
    match: MatchSection = Field(
        description="Which requests it takes.", examples=[{"path": "/api/products/{id}", "methods": ["GET"]}]
    )
    module: Name | None = Field(
        default=None,
        description="The part of the monolith that it belongs to, flipped together by `strangler flip MODULE`; the "
        "route's name if left out.",
        examples=["catalog"],
    )
    group: Name | None = Field(
        default=None,
        description="Routes of one group send the same subjects to the service; the module if left out.",
        examples=["catalog"],
    )
    service: Name | None = Field(
        default=None,
        description="The upstream of the service arm; without one the route stays at the monolith.",
        examples=["catalog"],
    )
    stage: Annotated[str, AfterValidator(stage_name)] = Field(
        default="monolith",
        description="The first stage: `monolith`, `shadow`, `canary` or `service`. Once the store knows the route, the "
        "store decides.",
        examples=["monolith"],
        json_schema_extra={"enum": ["monolith", "shadow", "canary", "service"]},
    )
    weight: Percentage | None = Field(
        default=None,
        description="Percent of subjects that go to the service, with at most two decimals; for a first stage `canary` "
        "only.",
        examples=[5],
    )
    sticky: list[StickyText] = Field(
        default=["address"],
        min_length=1,
        description="Where a canary finds its subject, `header:NAME`, `cookie:NAME`, `token:CLAIM` or `address`; the "
        "first that is present counts.",
        examples=[["header:X-User", "cookie:session", "address"]],
    )
    timeouts: TimeoutsSection = Field(
        default=TimeoutsSection(), description="How long its upstreams may take.", examples=[{"response": 10}]
    )
    retries: RetriesSection = Field(
        default=RetriesSection(),
        description="When a request is sent once more.",
        examples=[{"attempts": 3, "statuses": [503]}],
    )
    fallback: bool = Field(
        default=False,
        description="Whether the monolith answers a GET, HEAD or OPTIONS that the service cannot take: no endpoint is "
        "well, every breaker is open, or no connection could be made.",
        examples=[True],
    )
    writes: list[Name] = Field(
        default=[], description="The modules whose data a request to this route may change.", examples=[["catalog"]]
    )
    body_bytes: int | None = Field(
        default=None,
        ge=0,
        le=1 << 50,
        description="Longest body of a request; beyond it 413, and 0 for no bound. `gateway.limits` says if left out.",
        examples=[10485760],
    )
    strict: bool = Field(
        default=True,
        description="Whether paths that applications read differently (`//`, `..`, encoded slashes, `;`) are refused. "
        "With false too, they are refused where only one reading leads to a route with policies or `writes`.",
        examples=[True],
    )
    authenticate: AuthenticateSection | None = Field(
        default=None,
        description="How the route finds out who asks; left out, it does not ask.",
        examples=[{"by": ["tokens"]}],
    )
    authorize: AuthorizeSection | None = Field(
        default=None, description="What whoever asks must have.", examples=[{"scopes": ["orders:read"]}]
    )
    rate_limits: list[RateLimitSection] = Field(
        default=[],
        description="How often it may be asked; a request must be within all of them; one too many is answered 429.",
        examples=[[{"name": "burst", "requests": 10, "per": 1}]],
    )
    shadow: ShadowSection | None = Field(
        default=None,
        description="How the service is compared with the monolith before it answers anybody.",
        examples=[{"compare": {"ignore": [{"field": "body.served_by", "reason": "it differs on purpose"}]}}],
    )
    request: RequestSection = Field(
        default=RequestSection(),
        description="What is changed on the way to either arm.",
        examples=[{"path": {"strip_prefix": "/api"}}],
    )
    response: ResponseSection = Field(
        default=ResponseSection(),
        description="What is changed on the way back from either arm.",
        examples=[{"headers": {"remove": ["Server"]}}],
    )
    arms: ArmsSection = Field(
        default=ArmsSection(),
        description="What is changed for one arm in place of that.",
        examples=[{"service": {"request": {"path": {"strip_prefix": "/api"}}}}],
    )
