"""TLS in the file: from sections to values of the model, what contradicts itself, and files that cannot be used."""

import ipaddress
from collections.abc import Callable
from urllib.parse import urlsplit

from strangler.config.addresses import parse_listener
from strangler.config.document import Path as DocumentPath
from strangler.config.schema.file import ConfigFile
from strangler.config.schema.tls import CertificateSection, TlsSection
from strangler.config.schema.upstream import UpstreamSection
from strangler.model.tls import CertificateFiles, DownstreamTls, UpstreamTls

Report = Callable[[DocumentPath, str], None]


def downstream_tls(section: TlsSection | None) -> DownstreamTls | None:
    """What clients are shown."""
    if section is None:
        return None
    files = tuple(_files(each) for each in section.certificates)
    return DownstreamTls(files, section.minimum, section.handshake_timeout, section.handshakes)


def upstream_tls(section: UpstreamSection, place: DocumentPath, report: Report) -> UpstreamTls | None:
    """What an application must show; None where its endpoints are ``http://``."""
    schemes = [url.partition("://")[0] for url in section.endpoints]
    for number, scheme in enumerate(schemes):
        if scheme != schemes[0]:
            message = (
                f"{section.endpoints[number]} is {scheme} and {section.endpoints[0]} is {schemes[0]}; use one of them"
            )
            report((*place, "endpoints", number), message)
    tls = section.tls
    scheme = schemes[0] if schemes else "http" if tls is None else "https"
    if scheme == "http":
        if tls is not None:
            report((*place, "tls"), "this is for endpoints with https://; write them so, or remove it")
        return None
    if tls is None:
        return UpstreamTls()
    if tls.insecure_accept_any_certificate and tls.ca is not None:
        report(
            (*place, "tls", "ca"), "nothing is verified with «insecure_accept_any_certificate»; remove one of the two"
        )
    client = _files(tls.client) if tls.client is not None else None
    found = section.discovery
    found_by = parse_listener(found.dns).host if found is not None and found.dns else None
    return UpstreamTls(tls.ca, tls.server_name or found_by, client, verify=not tls.insecure_accept_any_certificate)


def warn_of_tls(file: ConfigFile, warn: Report) -> None:
    """Say what is allowed and dangerous."""
    for name, section in file.upstreams.items():
        if section.tls is not None and section.tls.insecure_accept_any_certificate:
            place = ("upstreams", name, "tls", "insecure_accept_any_certificate")
            warn(place, "no certificate is verified: whoever stands in between can read and change everything")
    for name, authenticator in file.authentication.items():
        url = authenticator.jwt.keys_url if authenticator.jwt is not None else None
        if url is not None and url.startswith("http:") and not _is_here(urlsplit(url).hostname or ""):
            place = ("authentication", name, "jwt", "keys_url")
            warn(
                place, "keys that come over http can be replaced on their way, and with them every identity; use https"
            )


def check_files(file: ConfigFile, report: Report) -> None:
    """Read every file of TLS as a worker would."""
    from strangler.tls.contexts import certified, client_context  # noqa: PLC0415 - for those who ask for it only
    from strangler.tls.refusal import CertificateRefused  # noqa: PLC0415

    places: list[tuple[DocumentPath, Callable[[], object]]] = []
    served = downstream_tls(file.gateway.tls)
    for number, files in enumerate(served.certificates if served else ()):
        place: DocumentPath = ("gateway", "tls", "certificates", number)
        places.append((place, lambda files=files: certified(files, "1.2")))  # type: ignore[misc]
    for name, section in file.upstreams.items():
        settings = upstream_tls(section, ("upstreams", name), lambda _place, _message: None)
        if settings is not None and section.tls is not None:
            places.append((("upstreams", name, "tls"), lambda settings=settings: client_context(settings)))  # type: ignore[misc]
    for place, read in places:
        try:
            read()
        except CertificateRefused as error:
            report(place, str(error))


def _is_here(host: str) -> bool:
    """Whether this is a name or an address of this machine itself."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _files(section: CertificateSection) -> CertificateFiles:
    return CertificateFiles(section.certificate, section.key)
