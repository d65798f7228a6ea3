"""The part of strangler.yaml that says what is told about requests: the access log, and spans of traces."""

from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, BeforeValidator, Field

from strangler.config.schema.types import Seconds, Section
from strangler.model.telemetry import SECRET_PARAMETERS


def _parameter(text: str) -> str:
    if not text.strip() or text != text.strip():
        raise ValueError("a query parameter has a name, without spaces around it")
    return text.lower()


class AccessLogSection(Section):
    """Which requests get a line, and what stands in it. `access_log: PLACE` is short for `access_log: {to: PLACE}`."""

    to: str = Field(default="off", min_length=1, description="`off`, `stdout`, or a file.", examples=["stdout"])
    sample: float = Field(
        default=1.0,
        ge=0,
        le=1,
        description="The share of the requests that get a line; the others are counted.",
        examples=[0.1],
    )
    always: list[Literal["errors", "slow"]] = Field(
        default=["errors", "slow"],
        description="What gets a line whatever `sample` is. `errors`: failed through the gateway or an upstream, or "
        "answered with 500 and above; `slow`: took longer than `slow`.",
        examples=[["errors"]],
    )
    slow: Seconds = Field(default=1.0, description="Seconds from which on a request is slow.", examples=[0.5])
    also: list[Literal["query", "user_agent", "subject"]] = Field(
        default=[],
        description="Fields that are left out otherwise, since they are personal or may hold secrets. `subject`: who "
        "asks, where a policy found it out.",
        examples=[["query"]],
    )
    redact: list[Annotated[str, AfterValidator(_parameter)]] = Field(
        default=list(SECRET_PARAMETERS),
        description="Query parameters whose values are replaced by `REDACTED` where the query is logged, besides those "
        "in which authenticators look for API keys; case does not count.",
        examples=[["token", "email"]],
    )


def _from_place(value: Any) -> Any:
    return {"to": value} if isinstance(value, str) else value


AccessLog = Annotated[AccessLogSection, BeforeValidator(_from_place, json_schema_input_type=str | AccessLogSection)]
"""The section, or in short the place that the log goes to."""


def _collector(url: str) -> str:
    parts = urlsplit(url)
    if parts.scheme not in {"http", "https"} or not parts.hostname or parts.query or parts.fragment:
        raise ValueError(f"«{url}» is not the URL of a collector; write for example http://127.0.0.1:4318")
    if parts.username or parts.password:
        raise ValueError("a collector's URL has no password; give a key in OTEL_EXPORTER_OTLP_HEADERS")
    return url


class TraceSection(Section):
    """Spans of requests, for a collector that takes OTLP over HTTP.

    Needs the extra `otlp`: `pip install 'strangler[otlp]'`.
    """

    to: Annotated[str, AfterValidator(_collector)] | None = Field(
        default=None,
        description="The collector's URL; `/v1/traces` is added to one without a path. Left out: no spans.",
        examples=["http://127.0.0.1:4318"],
    )
    sample: float = Field(
        default=0.01,
        ge=0,
        le=1,
        description="The share of the requests without a `traceparent` that begin a trace; with one, its sampled flag "
        "decides.",
        examples=[0.05],
    )
    service: str = Field(
        default="strangler", min_length=1, description="What the gateway is called in a trace.", examples=["edge"]
    )
