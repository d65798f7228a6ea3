"""What TLS needs on either side: files by their paths, never their content."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class CertificateFiles:
    """A certificate chain and its private key, each a path of a PEM file; the leaf stands first in the chain."""

    certificate: str
    key: str


@dataclass(frozen=True, slots=True)
class DownstreamTls:
    """How clients are spoken to. The first certificate is for those that name no host, or an unknown one."""

    certificates: tuple[CertificateFiles, ...]
    minimum: str = "1.2"
    """The oldest version that is spoken: ``1.2`` or ``1.3``."""
    handshake_timeout: float = 10.0
    """Seconds from the connection to the end of its handshake."""
    handshakes: int = 512
    """Handshakes under way per worker; one more connection is closed."""


@dataclass(frozen=True, slots=True)
class UpstreamTls:
    """How an application is spoken to."""

    ca: str | None = None
    """PEM file of the authorities that are trusted; None for those of the system."""
    server_name: str | None = None
    """The name that is asked for and that the certificate must bear; None for the endpoint's host."""
    client: CertificateFiles | None = None
    """What the gateway shows if it is asked who it is."""
    verify: bool = True
    """Without it anyone in between can read and change everything."""
