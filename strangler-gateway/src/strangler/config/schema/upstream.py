"""The part of strangler.yaml that says where requests can be sent."""

from pydantic import Field

from strangler.config.schema.types import EndpointUrl, Seconds, Section


class UpstreamSection(Section):
    """An application that requests can be sent to."""

    endpoints: list[EndpointUrl] = Field(
        min_length=1,
        description="Addresses that answer alike, each `http://HOST[:PORT]`.",
        examples=[["http://127.0.0.1:8091"]],
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
