"""TLS towards an application: who it must prove to be, and the handshake that comes before its first request."""

import asyncio
import ssl

from strangler.model.upstream import Endpoint, Upstream
from strangler.tls.contexts import client_context
from strangler.tls.pair import signature
from strangler.tls.refusal import CertificateRefused, HandshakeFailed
from strangler.tls.transport import SecureTransport
from strangler.upstream.connection import UpstreamConnection

FAREWELL_TIME = 5.0
"""Seconds in which a closing connection must have taken what was still unsent."""


class Security:
    """The context of one upstream; made anew when its files have changed."""

    def __init__(self, upstream: Upstream) -> None:
        """Raises ``CertificateRefused``."""
        assert upstream.tls is not None
        self._settings = settings = upstream.tls
        client = settings.client
        self._paths = (settings.ca, client.certificate if client else None, client.key if client else None)
        self._seen = signature(*self._paths)
        self._context = client_context(settings)

    async def connect(self, connection: UpstreamConnection, endpoint: Endpoint) -> None:
        """Open ``connection``. Raises ``OSError`` as for a plain one, and ``HandshakeFailed``."""
        loop = asyncio.get_running_loop()
        plain, _ = await loop.create_connection(asyncio.Protocol, endpoint.host, endpoint.port)
        try:
            secure = await loop.start_tls(
                plain,
                connection,
                self._context,
                server_hostname=self._settings.server_name or endpoint.host,
                ssl_shutdown_timeout=FAREWELL_TIME,
            )
        except (OSError, ValueError) as error:
            plain.abort()
            raise HandshakeFailed(_describe(error)) from error
        assert secure is not None
        connection.connection_made(SecureTransport(plain, secure))

    def look_again(self) -> str:
        """Take over files that have changed; what is wrong with them, if anything, and then the old stays in use."""
        seen = signature(*self._paths)
        if seen == self._seen:
            return ""
        self._seen = seen
        try:
            self._context = client_context(self._settings)
        except CertificateRefused as error:
            return f"{error}; what was read before stays in use"
        return ""


def _describe(error: Exception) -> str:
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"its certificate is refused: {error.verify_message}"
    if isinstance(error, ssl.SSLError) and error.reason:
        return error.reason.lower().replace("_", " ")
    return str(error) or type(error).__name__
