"""The part of strangler.yaml that says what is told about requests: the access log."""

from typing import Annotated, Any, Literal

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
        description="Query parameters whose values are replaced by `REDACTED` where the query is logged; case does "
        "not count.",
        examples=[["token", "email"]],
    )


def _from_place(value: Any) -> Any:
    return {"to": value} if isinstance(value, str) else value


AccessLog = Annotated[AccessLogSection, BeforeValidator(_from_place, json_schema_input_type=str | AccessLogSection)]
"""The section, or in short the place that the log goes to."""
