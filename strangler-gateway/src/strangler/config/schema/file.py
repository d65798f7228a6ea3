"""The whole of strangler.yaml, and its JSON Schema."""

from typing import Annotated, Any

from pydantic import Field

from strangler.config.schema.authentication import AuthenticatorSection, IdentitySection
from strangler.config.schema.gateway import GatewaySection
from strangler.config.schema.route import RouteSection
from strangler.config.schema.types import EndpointUrl, Name, ReadyUrl, Section
from strangler.config.schema.upstream import UpstreamSection


class ProcessSection(Section):
    """An application that `strangler up` starts, for development."""

    command: str = Field(
        min_length=1, description="The command line, without a shell.", examples=["shop serve --port 8090"]
    )
    before: list[Annotated[str, Field(min_length=1)]] = Field(
        default=[], description="Commands that must succeed first, in this order.", examples=[["shop seed --if-empty"]]
    )
    env: dict[str, str] = Field(
        default={}, description="Environment variables.", examples=[{"DATABASE_URL": "sqlite:///shop.db"}]
    )
    ready: ReadyUrl | None = Field(
        default=None,
        description="A URL that answers 2xx once the application is ready.",
        examples=["http://127.0.0.1:8090/readyz"],
    )


class ConfigFile(Section):
    """strangler.yaml: `monolith: URL` alone makes a complete configuration."""

    monolith: EndpointUrl | None = Field(
        default=None,
        description="The monolith's address, short for `upstreams: {monolith: {endpoints: [URL]}}`; one of the two "
        "must stand.",
        examples=["http://127.0.0.1:8090"],
    )
    upstreams: dict[Name, UpstreamSection] = Field(
        default={},
        description="Applications by name.",
        examples=[{"catalog": {"endpoints": ["http://127.0.0.1:8091"]}}],
    )
    gateway: GatewaySection = Field(
        default=GatewaySection(), description="Settings of the gateway itself.", examples=[{"workers": 2}]
    )
    routes: list[RouteSection] = Field(
        default=[],
        description="What is migrated. Requests that no route takes go to the monolith.",
        examples=[[{"name": "legacy", "match": {"prefix": "/legacy"}}]],
    )
    authentication: dict[Name, AuthenticatorSection] = Field(
        default={},
        description="Ways of finding out who asks, by name; routes name those that they believe.",
        examples=[{"tokens": {"jwt": {"issuer": "https://shop.example"}}}],
    )
    identity: IdentitySection = Field(
        default=IdentitySection(),
        description="How the applications are told who asks.",
        examples=[{"subject": "X-User-Id"}],
    )
    processes: dict[Name, ProcessSection] = Field(
        default={},
        description="Applications that `strangler up` starts, for development.",
        examples=[{"shop": {"command": "shop serve --port 8090"}}],
    )


def schema() -> dict[str, Any]:
    """The JSON Schema (2020-12) of strangler.yaml, with a description of every field."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "strangler.yaml",
        **{key: value for key, value in ConfigFile.model_json_schema().items() if key != "title"},
    }
