"""What goes wrong with TLS, before and at the handshake."""

from strangler.model.errors import StranglerError


class CertificateRefused(StranglerError):
    """A certificate, key or list of authorities that cannot be used; the text names the file and the cause."""


class HandshakeFailed(OSError):
    """There is no connection that can be trusted; the text says why."""
