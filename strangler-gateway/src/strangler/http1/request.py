"""A request's head from its bytes: llhttp's strict grammar, and behind it the checks that llhttp leaves to us."""

from typing import Final

import httptools

from strangler.http1.body import CHUNKED
from strangler.http1.refusal import RequestRefused
from strangler.http1.section import HeaderSection
from strangler.http1.target import read_host, read_target
from strangler.model.snapshot import Limits

REMEMBERED: Final = 512
"""Header sections that a worker remembers before it begins anew."""
LONGEST_REMEMBERED: Final = 4 * 1024
"""Bytes of a section that is worth remembering. One takes about four times its bytes, all of them 10 MB at most."""
_PREFACE: Final = b"PRI * HTTP/2.0\r\n\r\n"
"""What a client of HTTP/2 begins with (RFC 9113 §3.4)."""
_VERSIONS: Final = {b" HTTP/1.1": 1, b" HTTP/1.0": 0}


class RequestHead:
    """One request without its body."""

    __slots__ = ("fields", "host", "keep_alive", "length", "method", "minor", "path", "query", "target")

    method: bytes
    target: bytes
    """Origin form, or ``*``."""
    path: bytes
    """The target before its first ``?``; not decoded."""
    query: bytes
    minor: int
    """0 or 1: the second digit of the version."""
    fields: HeaderSection
    host: bytes
    length: int
    """Of the body in bytes, or ``CHUNKED``."""
    keep_alive: bool

    @property
    def asks_for_tunnel(self) -> bool:
        """Whether it is the opening of a WebSocket; ask ``fields.websocket`` first where time counts."""
        return self.fields.websocket and self.method == b"GET" and self.minor == 1


class RequestParser:
    """Parses request heads. Of one to the next it keeps header sections, which are equal for ever."""

    __slots__ = ("_limits", "_sections", "_seen", "_target")

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._target = b""
        self._sections: dict[bytes, HeaderSection] = {}
        self._seen: set[int] = set()
        """Hashes of sections that were met at least once."""

    def on_url(self, url: bytes) -> None:
        """Called by llhttp."""
        self._target = url

    def parse(self, data: bytes) -> RequestHead:
        """Return the head in ``data``: exactly the bytes from the request line to the empty line.

        Raises ``RequestRefused`` with the status to answer.
        """
        end = data.find(b"\r\n")
        if end > self._limits.target_bytes + 32:  # The longest method and the version take less.
            raise RequestRefused(414, f"the request target is longer than {self._limits.target_bytes} bytes")
        section = data[end:]
        fields = self._sections.get(section)
        # A new llhttp costs 0.3 µs and cannot carry state from one request into the next.
        llhttp = httptools.HttpRequestParser(self)
        try:
            llhttp.feed_data(data if fields is None else data[:end] + b"\r\n\r\n")
        except httptools.HttpParserUpgrade:
            pass  # CONNECT is refused below; whether anything else is upgraded is decided elsewhere.
        except httptools.HttpParserError as error:
            if data.startswith(_PREFACE):
                raise RequestRefused(505, "this gateway speaks HTTP/1.1; HTTP/2 ends at an edge before it") from None
            raise RequestRefused(400, f"the request is not valid HTTP/1.1: {error}") from None
        minor = _VERSIONS.get(data[end - 9 : end]) if end > 9 else None
        if minor is None:
            raise RequestRefused(505, "this gateway speaks HTTP/1.1 and HTTP/1.0")
        method = llhttp.get_method()
        if len(method) + len(self._target) + len(b"  HTTP/1.1") != end:  # llhttp skips spaces and bare line ends.
            raise RequestRefused(400, "the request line is not three words with one space between them")
        if fields is None:
            fields = HeaderSection(section)
            self._remember(section, fields)
        return self._check(method, minor, fields)

    def _remember(self, section: bytes, fields: HeaderSection) -> None:
        """At its second sight: a section that never comes again is not worth the room."""
        seen = hash(section)
        if seen in self._seen:
            if len(self._sections) >= REMEMBERED:
                self._sections.clear()  # Those that are still in use are back after a request each.
            if len(section) <= LONGEST_REMEMBERED:
                self._sections[section] = fields
        else:
            if len(self._seen) >= 8 * REMEMBERED:
                self._seen.clear()
            self._seen.add(seen)

    def _check(self, method: bytes, minor: int, fields: HeaderSection) -> RequestHead:
        """Judge what the request line and the fields say together."""
        if len(self._target) > self._limits.target_bytes:
            raise RequestRefused(414, f"the request target is longer than {self._limits.target_bytes} bytes")
        if len(fields.names) > self._limits.header_count:
            raise RequestRefused(431, f"the request has more than {self._limits.header_count} header fields")
        length = fields.length
        if length == CHUNKED and not minor:
            raise RequestRefused(400, "an HTTP/1.0 request cannot have a Transfer-Encoding")
        if length and method == b"TRACE":
            raise RequestRefused(400, "a TRACE request has no body (RFC 9110 §9.3.8)")
        head = RequestHead()
        head.method = method
        head.minor = minor
        head.fields = fields
        head.length = length
        head.target, authority = read_target(method, self._target)
        head.path, _, head.query = head.target.partition(b"?")
        head.host = read_host(fields.hosts, authority, minor)
        head.keep_alive = b"close" not in fields.connection if minor else b"keep-alive" in fields.connection
        return head
