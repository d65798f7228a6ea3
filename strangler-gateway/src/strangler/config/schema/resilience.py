"""The parts of strangler.yaml that say what is done about endpoints that fail. Defaults name their origin."""

import re
from typing import Annotated

from pydantic import AfterValidator, Field

from strangler.config.schema.types import Seconds, Section

_STATUSES = re.compile(r"([1-5]\d\d)(?:-([1-5]\d\d))?")


def _statuses(text: str) -> str:
    found = _STATUSES.fullmatch(text)
    if found is None or int(found[1]) > int(found[2] or found[1]):
        raise ValueError(f"«{text}» is neither a status, such as 204, nor a range of them, such as 200-399")
    return text


def _path(text: str) -> str:
    if not re.fullmatch(r"/[!-\"$-~]*", text):
        raise ValueError(f"«{text}» is not a path: it begins with / and has neither spaces nor #")
    return text


Statuses = Annotated[str, AfterValidator(_statuses)]


class BreakerSection(Section):
    """When an endpoint that gives no answer is left alone. An answer is an answer, whatever its status."""

    enabled: bool = Field(default=True, description="Whether there is one, per endpoint and worker.", examples=[False])
    failure_percent: int = Field(
        default=50,
        ge=1,
        le=100,
        description="It opens when at least this share of the attempts within the window got no answer (Hystrix: 50).",
        examples=[50],
    )
    minimum: int = Field(
        default=10,
        ge=1,
        le=100_000,
        description="And there were at least so many attempts in it (YARP: 10).",
        examples=[10],
    )
    window: Seconds = Field(default=10.0, description="Seconds that it looks back (Hystrix: 10).", examples=[10])
    open_time: Seconds = Field(
        default=5.0,
        description="Seconds in which nothing is sent, and up to half as many again by chance (Hystrix: 5).",
        examples=[5],
    )
    probes: int = Field(
        default=3,
        ge=1,
        le=1000,
        description="Requests that are let through then. It closes when all of them are answered, and opens again when "
        "one is not.",
        examples=[3],
    )


class OutlierSection(Section):
    """When an endpoint that answers badly is passed over. It is asked all the same where there is no better one."""

    enabled: bool = Field(default=True, description="Whether endpoints are ejected.", examples=[False])
    failures: int = Field(
        default=5,
        ge=1,
        le=100_000,
        description="Consecutive answers of 500 and above, or attempts without one, that eject it (Envoy: 5).",
        examples=[5],
    )
    base_time: Seconds = Field(
        default=30.0,
        description="Seconds of an ejection, times the number of ejections that it had lately (Envoy: 30).",
        examples=[30],
    )
    max_time: Seconds = Field(default=300.0, description="Longest ejection in seconds (Envoy: 300).", examples=[300])
    max_percent: int = Field(
        default=10,
        ge=0,
        le=100,
        description="The share of the endpoints that may be ejected at a time; one always may (Envoy: 10).",
        examples=[50],
    )


class HealthSection(Section):
    """How each worker asks each endpoint whether it is well. One that is not is passed over, as if it were ejected."""

    path: Annotated[str, AfterValidator(_path)] = Field(
        description="What is asked for, by GET and on a connection of its own.", examples=["/readyz"]
    )
    interval: Seconds = Field(
        default=10.0,
        description="Seconds between two checks, a tenth more or less by chance (Kubernetes: 10).",
        examples=[10],
    )
    timeout: Seconds = Field(default=2.0, description="Seconds for an answer.", examples=[1])
    healthy: int = Field(
        default=2, ge=1, le=100, description="Consecutive good answers that bring it back (HAProxy: 2).", examples=[2]
    )
    unhealthy: int = Field(
        default=3, ge=1, le=100, description="Consecutive bad checks that take it out (HAProxy: 3).", examples=[3]
    )
    statuses: list[Statuses] = Field(
        default=["200-399"],
        min_length=1,
        description="Good statuses, single or ranges (HAProxy and Kubernetes: 200 to 399).",
        examples=[["200", "204"]],
    )


class RetryBudgetSection(Section):
    """How many requests may be sent again when an application has had them before. Finagle and Envoy: 20 percent."""

    percent: int = Field(
        default=20, ge=0, le=100, description="Share of the requests of the last ten seconds.", examples=[20]
    )
    minimum: int = Field(
        default=3, ge=0, le=10_000, description="So many in ten seconds whatever their share (Envoy: 3).", examples=[3]
    )


class RetriesSection(Section):
    """When a request is sent once more: never a POST, and nothing of which a part of the body was passed on.

    Two cases need no setting: an attempt that could not connect while there is another endpoint, whatever the method,
    and an idempotent request that met a kept connection just when the application closed it.
    """

    attempts: int = Field(
        default=2, ge=1, le=5, description="How often a request is sent at most; 1 for never again.", examples=[3]
    )
    statuses: list[Annotated[int, Field(ge=500, le=599)]] = Field(
        default=[],
        description="Answers for which an idempotent request is sent again in place of passing them on.",
        examples=[[502, 503, 504]],
    )
