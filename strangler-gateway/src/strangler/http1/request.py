"""A request's head from its bytes: llhttp's strict grammar, and behind it the checks that llhttp leaves to us."""

import httptools

from strangler.http1.body import CHUNKED
from strangler.http1.fields import Fields
from strangler.http1.headers import connection_names, is_length
from strangler.http1.refusal import RequestRefused
from strangler.http1.target import read_host, read_target
from strangler.model.snapshot import Limits

_NO_NAMES: frozenset[bytes] = frozenset()
_NONE: list[bytes] = []
_SPECIAL = frozenset(
    (
        b"connection",
        b"content-length",
        b"expect",
        b"host",
        b"traceparent",
        b"transfer-encoding",
        b"x-request-id",
    )
)
_LOOKALIKES = frozenset((b"content_length", b"transfer_encoding"))
"""Fields that an application behind CGI variables would take for those that frame the body."""
_VERSIONS = {b" HTTP/1.1": 1, b" HTTP/1.0": 0}


class RequestHead:
    """One request without its body."""

    __slots__ = (
        "connection", "expects_continue", "fields", "host", "keep_alive", "length", "method", "minor", "path", "query",
        "special", "target", "underscores",
    )  # fmt: skip

    method: bytes
    target: bytes
    """Origin form, or ``*``."""
    path: bytes
    """The target before its first ``?``; not decoded."""
    query: bytes
    minor: int
    """0 or 1: the second digit of the version."""
    fields: Fields
    special: dict[bytes, list[bytes]]
    """The values of those fields that the gateway asks every request for, where they are present."""
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

    __slots__ = ("_limits", "_target")

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._target = b""

    def on_url(self, url: bytes) -> None:
        """Called by llhttp."""
        self._target = url

    def parse(self, data: bytes) -> RequestHead:
        """Return the head in ``data``: exactly the bytes from the request line to the empty line.

        Raises ``RequestRefused`` with the status to answer.
        """
        # A new llhttp per head costs 0.3 µs and cannot carry state from one request into the next.
        llhttp = httptools.HttpRequestParser(self)
        try:
            llhttp.feed_data(data)
        except httptools.HttpParserUpgrade:
            pass  # The head is whole; whether anything is upgraded is decided elsewhere.
        except httptools.HttpParserError as error:
            self._refuse_target_length(data)
            raise RequestRefused(400, f"the request is not valid HTTP/1.1: {error}") from None
        if data[0] in b"\r\n":
            raise RequestRefused(400, "the request begins with a bare line end")  # llhttp skips it.
        end = data.find(b"\r\n")
        minor = _VERSIONS.get(data[end - 9 : end])
        if minor is None:
            raise RequestRefused(505, "this gateway speaks HTTP/1.1 and HTTP/1.0")
        return self._check(llhttp.get_method(), minor, Fields(data))

    def _refuse_target_length(self, data: bytes) -> None:
        if len(data.partition(b"\r\n")[0]) > self._limits.target_bytes:
            raise RequestRefused(414, f"the request target is longer than {self._limits.target_bytes} bytes")

    def _check(self, method: bytes, minor: int, fields: Fields) -> RequestHead:
        """Judge the fields that say how the request is to be read."""
        if len(self._target) > self._limits.target_bytes:
            raise RequestRefused(414, f"the request target is longer than {self._limits.target_bytes} bytes")
        names = fields.names
        if len(names) > self._limits.header_count:
            raise RequestRefused(431, f"the request has more than {self._limits.header_count} header fields")
        if len(names) != len(fields.lines):
            raise RequestRefused(400, "the request's head can be read in more than one way")
        head = RequestHead()
        head.fields = fields
        head.method = method
        head.minor = minor
        head.underscores = b"_" in b"".join(names)
        if head.underscores and not _LOOKALIKES.isdisjoint(names):
            raise RequestRefused(400, "Content_Length and Transfer_Encoding cannot be told from the real ones")
        head.special = values = {name: fields.values(name) for name in _SPECIAL.intersection(names)}
        connection = values.get(b"connection")
        head.target, authority = read_target(method, self._target)
        head.path, _, head.query = head.target.partition(b"?")
        head.host = read_host(values.get(b"host", _NONE), authority, minor)
        head.connection = connection_names(b",".join(connection)) if connection else _NO_NAMES
        head.length = _length(values.get(b"content-length", _NONE), values.get(b"transfer-encoding", _NONE), minor)
        head.expects_continue = b"expect" in values and _expects_continue(values[b"expect"])
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
    if len(lengths) > 1 or not is_length(lengths[0]):
        raise RequestRefused(400, "the Content-Length is not one number without leading zeros")
    return int(lengths[0])


def _expects_continue(values: list[bytes]) -> bool:
    if any(value.lower() != b"100-continue" for value in values):
        raise RequestRefused(417, "no expectation but 100-continue is understood")
    return True
