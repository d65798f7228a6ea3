"""The part of strangler.yaml that says where requests can be sent."""

from typing import Literal

from pydantic import Field

from strangler.config.schema.discovery import Discovery
from strangler.config.schema.resilience import BreakerSection, HealthSection, OutlierSection, RetryBudgetSection
from strangler.config.schema.tls import UpstreamTlsSection
from strangler.config.schema.types import EndpointUrl, Seconds, Section


class UpstreamSection(Section):
    """An application that requests can be sent to."""

    endpoints: list[EndpointUrl] = Field(
        default=[],
        description="Addresses that answer alike, each `http://HOST[:PORT]`, or each `https://HOST[:PORT]`. Needed "
        "without `discovery`; with it, those until the first answer.",
        examples=[["http://127.0.0.1:8091"]],
    )
    discovery: Discovery | None = Field(
        default=None,
        description="How endpoints are found that do not stand here: `registry`, where they register themselves, or by "
        "the DNS. With `tls` they are spoken to over TLS.",
        examples=["registry"],
    )
    connect_timeout: Seconds = Field(default=5.0, description="Seconds to establish a connection.", examples=[5])
    idle_timeout: Seconds = Field(
        default=60.0,
        description="Seconds after which an idle pooled connection is closed; keep it below the application's own.",
        examples=[60],
    )
    max_connections: int = Field(
        default=256, ge=1, le=65_535, description="Connections per endpoint and worker.", examples=[256]
    )
    max_pending: int = Field(
        default=1024,
        ge=0,
        le=1_000_000,
        description="Requests that may wait for a connection, per endpoint and worker; one more is answered 503.",
        examples=[1024],
    )
    pending_timeout: Seconds = Field(
        default=10.0,
        description="Seconds that a request may wait for a connection; then it is answered 503.",
        examples=[5],
    )
    balance: Literal["round_robin", "least_loaded"] = Field(
        default="round_robin",
        description="How requests are shared: in turn, or to the less loaded of two endpoints taken by chance.",
        examples=["least_loaded"],
    )
    breaker: BreakerSection = Field(
        default=BreakerSection(),
        description="When an endpoint that gives no answer is left alone.",
        examples=[{"open_time": 10}],
    )
    outlier: OutlierSection = Field(
        default=OutlierSection(),
        description="When an endpoint that answers badly is passed over.",
        examples=[{"failures": 10}],
    )
    health: HealthSection | None = Field(
        default=None,
        description="How endpoints are asked whether they are well; they are not if left out.",
        examples=[{"path": "/readyz"}],
    )
    retry_budget: RetryBudgetSection = Field(
        default=RetryBudgetSection(), description="How many requests may be sent again.", examples=[{"percent": 10}]
    )
    tls: UpstreamTlsSection | None = Field(
        default=None,
        description="How `https://` endpoints must prove who they are; without it by the system's authorities.",
        examples=[{"ca": "/etc/strangler/internal-ca.pem"}],
    )
