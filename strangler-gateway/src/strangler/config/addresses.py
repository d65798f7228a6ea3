"""Addresses in the file: endpoints, listeners, readiness URLs; every refusal says what to write instead."""

import ipaddress
import re
from urllib.parse import urlsplit

from strangler.model.upstream import Endpoint

_HOST_NAME = re.compile(
    r"(?=.{1,253}\Z)[A-Za-z0-9_]([A-Za-z0-9_-]{0,61}[A-Za-z0-9])?(\.[A-Za-z0-9_]([A-Za-z0-9_-]{0,61}[A-Za-z0-9])?)*\.?"
)
_ONLY_DIGITS_AND_DOTS = re.compile(r"[0-9.]+")


def parse_endpoint(url: str) -> Endpoint:
    """``http://HOST[:PORT]`` or the same with ``https`` to an endpoint. Raises ``ValueError``."""
    scheme, separator, rest = url.partition("://")
    if not separator:
        raise ValueError(f"«{url}» is not a URL; write http://HOST:PORT")
    if "@" in rest:
        raise ValueError("an endpoint carries no user name or password; remove what stands before the «@»")
    if scheme not in {"http", "https"}:
        raise ValueError(f"«{url}»: the scheme «{scheme}» is not known; write http://HOST:PORT or https://HOST:PORT")
    authority = rest.removesuffix("/")
    if re.search(r"[/?#\\]", authority):
        raise ValueError(
            f"«{url}»: an endpoint has no path, query or fragment; requests keep their own; write http://HOST:PORT"
        )
    host, port = _split(authority, url, f"{scheme}://HOST:PORT")
    if port == "":
        return Endpoint(host, 443 if scheme == "https" else 80)
    return Endpoint(host, _port(port, url, least=1))


def parse_host(text: str) -> str:
    """A host name or an address, returned as it is. Raises ``ValueError``."""
    host, port = _split(f"[{text}]" if text.count(":") > 1 else text, text, "a host name without a port")
    if port:
        raise ValueError(f"«{text}» has a port; write the host name alone")
    return host


def parse_listener(text: str) -> Endpoint:
    """``HOST:PORT`` to an address; port 0 takes a free one. Raises ``ValueError``."""
    if "/" in text:
        raise ValueError(f"«{text}» is a URL or a path; write HOST:PORT, such as 127.0.0.1:8080")
    host, port = _split(text, text, "HOST:PORT, such as 127.0.0.1:8080")
    if port == "":
        raise ValueError(f"«{text}» has no port; write HOST:PORT, such as 127.0.0.1:8080")
    return Endpoint(host, _port(port, text, least=0))


def parse_ready_url(url: str) -> str:
    """A URL with path; returned as it is. Raises ``ValueError``."""
    parts = urlsplit(url)
    if parts.scheme != "http":
        raise ValueError(f"«{url}» is not a URL; write http://HOST:PORT/PATH")
    _, port = _split(parts.netloc, url, "http://HOST:PORT/PATH")
    if port:
        _port(port, url, least=1)
    return url


def parse_fetch_url(url: str) -> str:
    """A URL from which the gateway itself fetches something; returned as it is. Raises ``ValueError``."""
    parts = urlsplit(url)
    # As it is written: whoever asks whether it is https must not overlook HTTPS.
    if not url.startswith(("http://", "https://")) or not url.isascii() or any(letter.isspace() for letter in url):
        raise ValueError(f"«{url}» is not a URL; write https://HOST[:PORT]/PATH")
    if "@" in parts.netloc or parts.fragment:
        raise ValueError("this URL carries no user name, password or fragment; remove it")
    _, port = _split(parts.netloc, url, "https://HOST[:PORT]/PATH")
    if port:
        _port(port, url, least=1)
    return url


def overlap(one: Endpoint, other: Endpoint) -> bool:
    """Whether two listeners cannot stand beside each other; an unspecified address takes every address."""
    if one.port != other.port or one.port == 0:
        return False
    hosts = {_canonical(one.host), _canonical(other.host)}
    return len(hosts) == 1 or not hosts.isdisjoint({"0.0.0.0", "::"})  # noqa: S104 - compared, not bound


def _canonical(host: str) -> str:
    if host == "localhost":
        return "127.0.0.1"
    try:
        return str(ipaddress.ip_address(host))
    except ValueError:
        return host.lower().rstrip(".")


def _split(authority: str, whole: str, form: str) -> tuple[str, str]:
    """Host (checked, without brackets) and port text, empty if there is none."""
    if authority.startswith("["):
        host, bracket, after = authority[1:].partition("]")
        try:
            ipaddress.IPv6Address(host)
        except ValueError:
            raise ValueError(f"«{whole}»: [{host}] is not an IPv6 address; write {form}") from None
        if not bracket or (after and not after.startswith(":")):
            raise ValueError(f"«{whole}» is not an address; write {form}")
        return host, after.removeprefix(":")
    host, colon, port = authority.partition(":")
    if ":" in port:
        raise ValueError(f"«{whole}»: an IPv6 address stands in brackets, such as [::1]:8080")
    if colon and not port:
        raise ValueError(f"«{whole}»: no port after the colon; write {form}")
    if _ONLY_DIGITS_AND_DOTS.fullmatch(host):
        try:
            ipaddress.IPv4Address(host)
        except ValueError:
            raise ValueError(f"«{whole}»: {host} is not an IPv4 address; write {form}") from None
    elif not _HOST_NAME.fullmatch(host):
        raise ValueError(f"«{whole}»: «{host}» is not a host name or address; write {form}")
    return host, port


def _port(text: str, whole: str, *, least: int) -> int:
    if not (text.isascii() and text.isdigit() and len(text) <= 5 and least <= int(text) <= 65_535):
        raise ValueError(f"«{whole}»: {text} is not a port; ports are {least} to 65535")
    return int(text)
