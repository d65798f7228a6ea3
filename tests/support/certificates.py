"""Certificates for tests: an authority of the test's own, certificates from it, and what is wrong with some."""

import ssl
from datetime import UTC, datetime, timedelta
from pathlib import Path

import trustme

from strangler.model.tls import CertificateFiles


class Authority:
    """An authority whose certificates are files in a folder."""

    def __init__(self, folder: Path, name: str = "ca") -> None:
        self._folder = folder
        self._authority = trustme.CA(organization_name=name)
        self.file = folder / f"{name}.pem"
        self._authority.cert_pem.write_to_path(self.file)

    def issue(self, *names: str, file: str | None = None, expired: bool = False) -> CertificateFiles:
        """A certificate for these names, the first of which is its file's name unless ``file`` is."""
        stem = file or names[0].replace("*", "any")
        found = CertificateFiles(str(self._folder / f"{stem}.crt"), str(self._folder / f"{stem}.key"))
        self.replace(found, *names, expired=expired)
        return found

    def replace(self, files: CertificateFiles, *names: str, expired: bool = False) -> None:
        """Put a new certificate and key into these files, the key first, each at once."""
        end = datetime.now(UTC) + (timedelta(days=-1) if expired else timedelta(days=30))
        issued = self._authority.issue_cert(*names, not_before=end - timedelta(days=90), not_after=end)
        _write(files.key, issued.private_key_pem.bytes())
        _write(files.certificate, b"".join(blob.bytes() for blob in issued.cert_chain_pems))

    def server(self, files: CertificateFiles) -> ssl.SSLContext:
        """For an upstream of a test."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(files.certificate, files.key)
        return context

    def client(self) -> ssl.SSLContext:
        """For a client that trusts this authority alone."""
        return ssl.create_default_context(cafile=str(self.file))


def _write(path: str, data: bytes) -> None:
    beside = Path(f"{path}.new")
    beside.write_bytes(data)
    beside.replace(path)
