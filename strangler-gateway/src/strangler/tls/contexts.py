"""What both ends of TLS may speak: version 1.2 or newer, ciphers with forward secrecy, HTTP/1.1 and nothing else."""

import ssl

from strangler.model.tls import CertificateFiles, UpstreamTls
from strangler.tls.pair import Pair, read_pair
from strangler.tls.refusal import CertificateRefused

VERSIONS = {"1.2": ssl.TLSVersion.TLSv1_2, "1.3": ssl.TLSVersion.TLSv1_3}
_PROTOCOLS = ["http/1.1"]


def server_context(minimum: str) -> ssl.SSLContext:
    """A context for clients, without a certificate yet. Python's own choice of ciphers is the modern one."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = VERSIONS[minimum]
    context.options |= ssl.OP_NO_RENEGOTIATION
    context.set_alpn_protocols(_PROTOCOLS)
    return context


def certified(files: CertificateFiles, minimum: str) -> tuple[ssl.SSLContext, Pair]:
    """A context that shows this certificate. Raises ``CertificateRefused``."""
    context = server_context(minimum)
    return context, read_pair(files, context)


def client_context(settings: UpstreamTls) -> ssl.SSLContext:
    """A context for an application: it must prove its name, unless the settings say otherwise.

    Raises ``CertificateRefused``.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.options |= ssl.OP_NO_RENEGOTIATION
    # An end without notice may be somebody's scissors: an answer without a length would pass for whole.
    context.options &= ~ssl.OP_IGNORE_UNEXPECTED_EOF
    context.set_alpn_protocols(_PROTOCOLS)
    if not settings.verify:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    elif settings.ca is None:
        context.load_default_certs(ssl.Purpose.SERVER_AUTH)
    else:
        _trust(context, settings.ca)
    if settings.client is not None:
        read_pair(settings.client, context)
    return context


def _trust(context: ssl.SSLContext, path: str) -> None:
    try:
        context.load_verify_locations(path)
    except ssl.SSLError as error:
        raise CertificateRefused(f"{path} holds no certificate in PEM form ({error.reason or error})") from error
    except OSError as error:
        raise CertificateRefused(f"{path} cannot be read: {error.strerror}") from error
