"""The parts of strangler.yaml that are about TLS: what clients are shown, and what applications must show."""

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field

from strangler.config.schema.types import HostName, Seconds, Section


def _version(value: Any) -> Any:
    """Without quotes it is a number in YAML."""
    return str(value) if isinstance(value, float) else value


class CertificateSection(Section):
    """A certificate with its private key. Both are read again when they change."""

    certificate: str = Field(
        min_length=1,
        description="PEM file of the certificate, the intermediate ones behind it.",
        examples=["/etc/strangler/shop.example.pem"],
    )
    key: str = Field(
        min_length=1,
        description="PEM file of its private key, not encrypted.",
        examples=["/etc/strangler/shop.example.key"],
    )


class TlsSection(Section):
    """TLS for clients: `listen` then speaks it, and nothing else."""

    certificates: list[CertificateSection] = Field(
        min_length=1,
        max_length=1000,
        description="A client is shown the one with the name that it asks for (SNI), else the first.",
        examples=[[{"certificate": "/etc/strangler/shop.example.pem", "key": "/etc/strangler/shop.example.key"}]],
    )
    minimum: Annotated[Literal["1.2", "1.3"], BeforeValidator(_version, json_schema_input_type=float | str)] = Field(
        default="1.2", description="The oldest version of TLS that is spoken, `1.2` or `1.3`.", examples=["1.3"]
    )
    handshake_timeout: Seconds = Field(default=10.0, description="Seconds for a whole handshake.", examples=[10])
    handshakes: int = Field(
        default=512,
        ge=1,
        le=100_000,
        description="Handshakes under way per worker; one more connection is closed.",
        examples=[512],
    )


class UpstreamTlsSection(Section):
    """TLS towards an application whose endpoints are `https://`. Its certificate is verified."""

    ca: str | None = Field(
        default=None,
        min_length=1,
        description="PEM file of the authorities that its certificate may be from; the system's if left out.",
        examples=["/etc/strangler/internal-ca.pem"],
    )
    server_name: HostName | None = Field(
        default=None,
        description="The name that is asked for (SNI) and that the certificate must bear; the endpoint's host if left "
        "out.",
        examples=["catalog.internal"],
    )
    client: CertificateSection | None = Field(
        default=None,
        description="What the gateway shows if the application asks who it is (mutual TLS).",
        examples=[{"certificate": "/etc/strangler/gateway.pem", "key": "/etc/strangler/gateway.key"}],
    )
    insecure_accept_any_certificate: bool = Field(
        default=False,
        description="Verify nothing: whoever stands between can read and change everything. `strangler check` warns.",
        examples=[False],
    )
