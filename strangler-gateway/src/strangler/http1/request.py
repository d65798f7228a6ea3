"""A request's head from its bytes: llhttp's strict grammar, and behind it the checks that llhttp leaves to us."""

import httptools

from strangler.http1.body import CHUNKED
from strangler.http1.headers import CONTENT_LENGTH, connection_names
from strangler.http1.refusal import RequestRefused
from strangler.http1.target import read_host, read_target
from strangler.model.snapshot import Limits

_NO_NAMES: frozenset[bytes] = frozenset()


class RequestHead:
    """One request without its body. Header fields keep their order and their spelling."""

    __slots__ = (
        "connection", "expects_continue", "headers", "host", "keep_alive", "length", "lowered", "method", "minor",
        "path", "query", "target", "underscores",
    )  # fmt: skip

    method: bytes
    target: bytes
    """Origin form, or ``*``."""
    path: bytes
    """The target before its first ``?``; not decoded."""
    query: bytes
    minor: int
    """0 or 1: the second digit of the version."""
    headers: list[tuple[bytes, bytes]]
    """Name as it was sent, and value."""
    lowered: list[tuple[bytes, bytes]]
    """The same fields with their names in lower case."""
    host: bytes
    connection: frozenset[bytes]
    """What the Connection header names."""
    length: int
    """Of the body in bytes, or ``CHUNKED``."""
    keep_alive: bool
    expects_continue: bool
    underscores: bool
    """Whether a header's name holds ``_``, which many applications cannot tell from ``-``."""


class RequestParser:
    """Parses request heads; keeps nothing between two of them."""

    __slots__ = ("_headers", "_limits", "_target")

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._target = b""
        self._headers: list[tuple[bytes, bytes]] = []

    def on_url(self, url: bytes) -> None:
        """Called by llhttp."""
        self._target = url

    def on_header(self, name: bytes, value: bytes) -> None:
        """Called by llhttp."""
        self._headers.append((name, value))

    def parse(self, data: bytes) -> RequestHead:
        """Return the head in ``data``: exactly the bytes from the request line to the empty line.

        Raises ``RequestRefused`` with the status to answer.
        """
        self._headers = []
        # A new llhttp per head costs 0.3 µs and cannot carry state from one request into the next.
        llhttp = httptools.HttpRequestParser(self)
        try:
            llhttp.feed_data(data)
        except httptools.HttpParserUpgrade:
            pass  # The head is whole; whether anything is upgraded is decided elsewhere.
        except httptools.HttpParserError as error:
            self._refuse_target_length(data)
            raise RequestRefused(400, f"the request is not valid HTTP/1.1: {error}") from None
        version = llhttp.get_http_version()
        if version not in {"1.1", "1.0"}:
            raise RequestRefused(505, "this gateway speaks HTTP/1.1 and HTTP/1.0")
        return self._check(llhttp.get_method(), 1 if version == "1.1" else 0)

    def _refuse_target_length(self, data: bytes) -> None:
        if len(data.partition(b"\r\n")[0]) > self._limits.target_bytes:
            raise RequestRefused(414, f"the request target is longer than {self._limits.target_bytes} bytes")

    def _check(self, method: bytes, minor: int) -> RequestHead:
        """Classify the fields in one pass, then judge them."""
        if len(self._target) > self._limits.target_bytes:
            raise RequestRefused(414, f"the request target is longer than {self._limits.target_bytes} bytes")
        headers = self._headers
        if len(headers) > self._limits.header_count:
            raise RequestRefused(431, f"the request has more than {self._limits.header_count} header fields")
        head = RequestHead()
        head.headers = headers
        head.lowered = lowered = [(name.lower(), value) for name, value in headers]
        head.method = method
        head.minor = minor
        hosts: list[bytes] = []
        lengths: list[bytes] = []
        codings: list[bytes] = []
        connection: list[bytes] = []
        head.expects_continue = head.underscores = False
        for name, value in lowered:
            if name == b"host":
                hosts.append(value)
            elif name == b"content-length":
                lengths.append(value)
            elif name == b"transfer-encoding":
                codings.append(value)
            elif name == b"connection":
                connection.append(value)
            elif name == b"expect":
                head.expects_continue = _expects_continue(value)
            elif b"_" in name:
                head.underscores = True
        head.target, authority = read_target(method, self._target)
        head.path, _, head.query = head.target.partition(b"?")
        head.host = read_host(hosts, authority, minor)
        head.connection = connection_names(connection) if connection else _NO_NAMES
        head.length = _length(lengths, codings, minor)
        head.keep_alive = b"close" not in head.connection if minor else b"keep-alive" in head.connection
        if method == b"TRACE" and head.length:
            raise RequestRefused(400, "a TRACE request has no body (RFC 9110 §9.3.8)")
        return head


def _length(lengths: list[bytes], codings: list[bytes], minor: int) -> int:
    """Of the body, by RFC 9112 §6.3 without its indulgences."""
    if codings:
        if not minor:
            raise RequestRefused(400, "an HTTP/1.0 request cannot have a Transfer-Encoding")
        if lengths:
            raise RequestRefused(400, "the request has both a Content-Length and a Transfer-Encoding")
        if len(codings) != 1 or codings[0].lower() != b"chunked":
            raise RequestRefused(501, "no Transfer-Encoding but chunked is understood")
        return CHUNKED
    if not lengths:
        return 0
    if len(lengths) > 1 or CONTENT_LENGTH.fullmatch(lengths[0]) is None:
        raise RequestRefused(400, "the Content-Length is not one number without leading zeros")
    return int(lengths[0])


def _expects_continue(value: bytes) -> bool:
    if value.lower() != b"100-continue":
        raise RequestRefused(417, "no expectation but 100-continue is understood")
    return True
