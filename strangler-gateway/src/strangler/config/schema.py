"""The shape of strangler.yaml: one Pydantic model per section. What spans sections is checked in ``topology``."""

import ipaddress
import re
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field

from strangler.config.addresses import parse_endpoint, parse_listener, parse_ready_url
from strangler.config.templates import check_prefix, check_template
from strangler.config.weight import weight_from_percent
from strangler.model.flag import Stage

_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
"""A token by RFC 9110 §5.6.2: what a header's or cookie's name and a method may be."""
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")
_FIELD_VALUE = re.compile(r"[^\x00-\x08\x0a-\x1f\x7f]*")


def _name(text: str) -> str:
    if not _NAME.fullmatch(text):
        raise ValueError(
            f"«{text}» is not a name: letters, digits, «.», «_» and «-», at most 100, a letter or digit first"
        )
    return text


def _method(text: str) -> str:
    if not _TOKEN.fullmatch(text) or text != text.upper():
        raise ValueError(f"«{text}» is not a method; write it in capitals, such as GET")
    return text


def _header_name(text: str) -> str:
    if not _TOKEN.fullmatch(text):
        raise ValueError(f"«{text}» is not a header name: letters, digits and «-», no spaces or colons")
    return text


def _header_value(text: str) -> str:
    if not _FIELD_VALUE.fullmatch(text) or text != text.strip():
        raise ValueError("a header's value has no control characters, and no spaces around it")
    return text


def _sticky(text: str) -> str:
    kind, colon, name = text.partition(":")
    if kind == "token":
        raise ValueError(
            "a sticky source of kind «token» is not available yet: tokens are not verified, and an unverified claim "
            "lets anyone choose an arm; use header:NAME, cookie:NAME or address"
        )
    if text != "address" and not (kind in {"header", "cookie"} and colon and _TOKEN.fullmatch(name)):
        raise ValueError(f"«{text}» is not a sticky source; write header:NAME, cookie:NAME or address")
    return text


def _stage(text: str) -> str:
    if text in {Stage.SHADOW, Stage.RETIRED}:
        raise ValueError(f"the stage «{text}» is not available yet; use monolith, canary or service")
    if text not in set(Stage):
        raise ValueError(f"«{text}» is not a stage; use monolith, canary or service")
    return text


def _percentage(value: Any) -> Any:
    if isinstance(value, int | float | str) and not isinstance(value, bool):
        weight_from_percent(value)
        return str(value)
    return value


def _network(text: str) -> str:
    try:
        return str(ipaddress.ip_network(text))
    except ValueError as error:
        raise ValueError(f"«{text}» is not a network in CIDR notation, such as 10.0.0.0/8 ({error})") from None


def _store_url(text: str) -> str:
    if not text.startswith(("sqlite:///", "postgresql://")):
        raise ValueError("a store is sqlite:///FILE or postgresql://USER:PASSWORD@HOST/DATABASE")
    return text


Name = Annotated[str, AfterValidator(_name)]
Method = Annotated[str, AfterValidator(_method)]
HeaderName = Annotated[str, AfterValidator(_header_name)]
HeaderValue = Annotated[str, AfterValidator(_header_value)]
StickyText = Annotated[str, AfterValidator(_sticky)]
Percentage = Annotated[str, BeforeValidator(_percentage, json_schema_input_type=float | str)]
Network = Annotated[str, AfterValidator(_network)]
Seconds = Annotated[float, Field(gt=0, le=86_400, allow_inf_nan=False)]
EndpointUrl = Annotated[str, AfterValidator(lambda text: parse_endpoint(text) and text)]
Listener = Annotated[str, AfterValidator(lambda text: parse_listener(text) and text)]
ReadyUrl = Annotated[str, AfterValidator(parse_ready_url)]


class Section(BaseModel):
    """Strict: nothing unknown, and a number in quotes is no number."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


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


class LimitsSection(Section):
    """What a client may send, and how long it may take."""

    target_bytes: int = Field(
        default=8192, ge=64, le=1_048_576, description="Longest request target; beyond it 414.", examples=[8192]
    )
    header_count: int = Field(
        default=100, ge=1, le=10_000, description="Most header lines; beyond it 431.", examples=[100]
    )
    header_bytes: int = Field(
        default=61_440,
        ge=256,
        le=16_777_216,
        description="Longest head of a request in bytes; beyond it 431.",
        examples=[61440],
    )
    header_timeout: Seconds = Field(
        default=30.0, description="Seconds for a whole head to arrive; beyond it 408.", examples=[30]
    )
    idle_timeout: Seconds = Field(
        default=90.0, description="Seconds after which a client's idle connection is closed.", examples=[90]
    )
    connections: int = Field(
        default=20_000, ge=1, le=1_000_000, description="Client connections per worker.", examples=[20000]
    )
    drain_timeout: Seconds = Field(
        default=30.0, description="Seconds that a stopping worker gives the requests that it has.", examples=[30]
    )


class GatewaySection(Section):
    """The gateway's own processes.

    `STRANGLER_GATEWAY__KEY` in the environment overrides a key; options of the command line override both.
    """

    listen: Listener = Field(
        default="127.0.0.1:8080", description="Where clients connect, `HOST:PORT`.", examples=["0.0.0.0:80"]
    )
    admin: Listener = Field(
        default="127.0.0.1:8081",
        description="Where the admin API answers. An address that is not loopback needs a token in "
        "`STRANGLER_ADMIN_TOKEN`.",
        examples=["127.0.0.1:8081"],
    )
    health: Listener = Field(
        default="127.0.0.1:8082",
        description="Where `/livez` and `/readyz` of the data plane answer.",
        examples=["127.0.0.1:8082"],
    )
    workers: int = Field(default=0, ge=0, le=1024, description="Worker processes; 0 for one per core.", examples=[2])
    state: str = Field(
        default=".strangler",
        min_length=1,
        description="Folder of sockets, kills, last snapshot and store.",
        examples=[".strangler"],
    )
    store: Annotated[str, AfterValidator(_store_url)] | None = Field(
        default=None,
        description="Database of flags and audit; SQLite in the state folder if left out.",
        examples=["postgresql://strangler@db.internal/strangler"],
    )
    access_log: str = Field(default="off", min_length=1, description="`off`, `stdout`, or a file.", examples=["stdout"])
    trusted_proxies: list[Network] = Field(
        default=[],
        description="Networks whose `Forwarded` and `X-Forwarded-*` headers are believed; from others they are "
        "replaced.",
        examples=[["10.0.0.0/8"]],
    )
    limits: LimitsSection = Field(
        default=LimitsSection(), description="Bounds on requests and connections.", examples=[{"header_count": 200}]
    )


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
        default=60.0, description="Seconds from the request's end to the response's head.", examples=[10]
    )
    idle: Seconds = Field(default=60.0, description="Seconds between any two bytes.", examples=[30])


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
    stage: Annotated[str, AfterValidator(_stage)] = Field(
        default="monolith",
        description="The first stage: `monolith`, `canary` or `service`. Once the store knows the route, the store "
        "decides.",
        examples=["monolith"],
        json_schema_extra={"enum": ["monolith", "canary", "service"]},
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
        description="Where a canary finds its subject, `header:NAME`, `cookie:NAME` or `address`; the first that is "
        "present counts.",
        examples=[["header:X-User", "cookie:session", "address"]],
    )
    timeouts: TimeoutsSection = Field(
        default=TimeoutsSection(), description="How long its upstreams may take.", examples=[{"response": 10}]
    )
    writes: list[Name] = Field(
        default=[], description="The modules whose data a request to this route may change.", examples=[["catalog"]]
    )
    strict: bool = Field(
        default=True,
        description="Whether paths that applications read differently (`//`, `..`, encoded slashes, `;`) are refused.",
        examples=[True],
    )


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
