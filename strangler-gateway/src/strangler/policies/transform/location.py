"""Redirects that name the arm's own address: the client gets a path in its place, which holds wherever it came in.

A path is right behind any proxy, port and scheme (RFC 9110 §10.2.2 allows it). Where the route rewrites paths, the new
path is taken back to the client's.
"""

import ipaddress
import re
from collections.abc import Iterable, Sequence
from functools import lru_cache

from strangler.policies.transform.path import Rewriter

_LOOPBACK = frozenset(("localhost", "127.0.0.1", "::1", "0.0.0.0"))  # noqa: S104 - what a naive application calls itself
_PORTS = {b"http": 80, b"https": 443}
# Browsers read a backslash as a slash here, and ignore tabs (WHATWG URL §4.4).
_ABSOLUTE = re.compile(rb"(?i:(https?):)?[/\\]{2}([^/\\?#]*)([^?#]*)(.*)", re.DOTALL)
_PATH = re.compile(rb"(/[^?#]*)(.*)", re.DOTALL)
_REFRESH = re.compile(rb"(?i)(\s*[0-9.]+\s*[;,]\s*(?:url\s*=\s*)?)([\"']?)(.*?)\2\s*", re.DOTALL)

Authority = tuple[str, int]


class Locations:
    """Rewrites the fields that say where something is, for one arm."""

    __slots__ = ("_own", "_rewriter")

    def __init__(self, endpoints: Sequence[Authority], rewriter: Rewriter | None) -> None:
        self._own = _own(tuple(endpoints))
        self._rewriter = rewriter

    def rewrite(self, name: bytes, value: bytes, host: bytes, endpoint: bytes) -> bytes:
        """The new value of one of the fields. ``host`` is the client's, ``endpoint`` what was asked."""
        if name != b"refresh":
            return self._url(value, host, endpoint)
        match = _REFRESH.fullmatch(value)
        return match[1] + match[2] + self._url(match[3], host, endpoint) + match[2] if match is not None else value

    def _url(self, value: bytes, host: bytes, endpoint: bytes) -> bytes:
        plain = value.replace(b"\t", b"")
        match = _ABSOLUTE.fullmatch(plain)
        if match is None:
            here = _PATH.fullmatch(plain)
            return self._back(here[1]) + here[2] if here is not None and self._rewriter is not None else value
        scheme, named, path, rest = match[1], match[2].rpartition(b"@")[2], match[3] or b"/", match[4]
        authority = read_authority(named, scheme)
        if authority is None:
            return value
        if authority in self._own or authority == read_authority(endpoint, b"http"):
            return self._back(path) + rest
        if self._rewriter is not None and authority == read_authority(host, scheme):
            return plain[: match.start(3)] + self._back(path) + rest
        return value

    def _back(self, path: bytes) -> bytes:
        """The client's path; one that begins with two slashes would be another host, so it is told from that."""
        path = self._rewriter.back(path) if self._rewriter is not None else path
        return b"/." + path if path[1:2] in {b"/", b"\\"} else path


def read_authority(text: bytes, scheme: bytes | None) -> Authority | None:
    """Host and port in one spelling; None if it is none."""
    host, colon, port = text.decode("latin-1").lower().rpartition(":")
    if not colon or host.startswith("[") != host.endswith("]"):
        host, port = text.decode("latin-1").lower(), ""
    if port and not (port.isascii() and port.isdigit() and len(port) <= 5):
        return None
    return _host(host.rstrip(".")), int(port) if port else _PORTS.get((scheme or b"http").lower(), 80)


def _host(text: str) -> str:
    try:
        return str(ipaddress.ip_address(text.strip("[]")))
    except ValueError:
        return text


@lru_cache(maxsize=1024)
def _own(endpoints: tuple[Authority, ...]) -> frozenset[Authority]:
    """What the endpoints of an upstream may be called; many routes lead to one upstream."""
    return frozenset(alias for host, port in endpoints for alias in _aliases(host, port))


def _aliases(host: str, port: int) -> Iterable[Authority]:
    host = _host(host.lower())
    return ((name, port) for name in _LOOPBACK) if host in _LOOPBACK else ((host, port),)
