"""The part of strangler.yaml that says how endpoints are found that do not stand in it."""

import ipaddress
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, Field

from strangler.config.addresses import parse_host, parse_listener
from strangler.config.schema.types import Seconds, Section


def _host_and_port(text: str) -> str:
    if parse_listener(text).port == 0:
        raise ValueError(f"«{text}»: 0 is not a port; ports are 1 to 65535")
    return text


def _name_server(text: str) -> str:
    """An address, since there is nobody yet to ask for a name; with a port an IPv6 address has its brackets."""
    address = text
    if text.startswith("[") or text.count(":") == 1:
        address = parse_listener(_host_and_port(text)).host
    try:
        ipaddress.ip_address(address)
    except ValueError:
        raise ValueError(
            f"«{text}» is not the address of a name server; write ADDRESS or ADDRESS:PORT, such as 10.0.0.53, "
            "10.0.0.53:5353 or [::1]:5353"
        ) from None
    return text


def _short(value: Any) -> Any:
    if isinstance(value, str):
        if value != "registry":
            raise ValueError(f"«{value}» is no discovery; write registry, or a mapping with dns or srv")
        return {"registry": True}
    return value


class DiscoverySection(Section):
    """How endpoints are found that do not stand in the file: one of `registry`, `dns` and `srv`.

    `discovery: registry` is short for `discovery: {registry: true}`.
    """

    registry: bool = Field(default=False, description="They register themselves, with a lease.", examples=[False])
    dns: Annotated[str, AfterValidator(_host_and_port)] | None = Field(
        default=None,
        description="`NAME:PORT`: the addresses of the name (A and AAAA), all on this port.",
        examples=["catalog.internal:8091"],
    )
    srv: Annotated[str, AfterValidator(parse_host)] | None = Field(
        default=None,
        description="A name with SRV records. Those of the lowest priority that may be asked share the requests by "
        "weight.",
        examples=["_http._tcp.catalog.internal"],
    )
    at_least: Seconds = Field(
        default=1.0, description="Seconds between two questions, also if an answer holds for less.", examples=[1]
    )
    at_most: Seconds = Field(
        default=300.0, description="Seconds between two questions, also if an answer holds for more.", examples=[60]
    )
    servers: list[Annotated[str, AfterValidator(_name_server)]] = Field(
        default=[],
        max_length=8,
        description="Name servers, `ADDRESS` or `ADDRESS:PORT`; those of the system if left out.",
        examples=[["10.0.0.53"]],
    )


Discovery = Annotated[DiscoverySection, BeforeValidator(_short, json_schema_input_type=str | DiscoverySection)]
