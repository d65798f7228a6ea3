"""A certificate with its private key: read, checked against each other, and told apart when the files change."""

import ssl
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from cryptography import x509
from cryptography.x509.oid import NameOID

from strangler.model.tls import CertificateFiles
from strangler.tls.refusal import CertificateRefused


@dataclass(frozen=True, slots=True)
class Pair:
    """What the certificate says of itself."""

    files: CertificateFiles
    names: tuple[str, ...]
    """Host names in lower case; a wildcard begins with ``*.``."""
    not_after: float
    """The end of its validity, in seconds since 1970."""


def read_pair(files: CertificateFiles, context: ssl.SSLContext) -> Pair:
    """Load certificate and key into ``context``. Raises ``CertificateRefused``."""
    leaf = _leaf(files.certificate)
    try:
        # Without a password function OpenSSL would ask at the terminal, and the worker would hang.
        context.load_cert_chain(files.certificate, files.key, password=_no_password)
    except _Encrypted:
        raise CertificateRefused(
            f"{files.key} is encrypted; a gateway that starts by itself needs a plain key"
        ) from None
    except OSError as error:
        raise CertificateRefused(_why_not(files, error)) from error
    return Pair(files, _names(leaf), leaf.not_valid_after_utc.timestamp())


def day(timestamp: float) -> str:
    """A point in time as people write it."""
    return datetime.fromtimestamp(timestamp, UTC).strftime("%Y-%m-%d %H:%M UTC")


def signature(*paths: str | None) -> tuple[object, ...]:
    """Changes whenever one of the files does, also by being removed, replaced or linked elsewhere."""
    return tuple(_look(path) for path in paths)


def _look(path: str | None) -> object:
    if path is None:
        return None
    try:
        found = Path(path).stat()
    except OSError as error:
        return error.errno
    return found.st_ino, found.st_mtime_ns, found.st_size


class _Encrypted(Exception):
    """The key is; raised out of OpenSSL's question for the password."""


def _no_password() -> str:
    raise _Encrypted


def _leaf(path: str) -> x509.Certificate:
    try:
        return x509.load_pem_x509_certificates(Path(path).read_bytes())[0]
    except OSError as error:
        raise CertificateRefused(f"{path} cannot be read: {error.strerror}") from error
    except ValueError as error:
        raise CertificateRefused(f"{path} holds no certificate in PEM form ({error})") from error


def _why_not(files: CertificateFiles, error: OSError) -> str:
    if isinstance(error, ssl.SSLError):
        if error.reason == "KEY_VALUES_MISMATCH":
            return f"{files.key} is not the key of {files.certificate}"
        return f"{files.key} holds no private key in PEM form that can be used ({error.reason or error})"
    return f"{files.key} cannot be read: {error.strerror}"


def _names(leaf: x509.Certificate) -> tuple[str, ...]:
    try:
        listed = leaf.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        common = leaf.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
        return tuple(str(attribute.value).lower() for attribute in common)
    return tuple(name.lower() for name in listed.get_values_for_type(x509.DNSName))
