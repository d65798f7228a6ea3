"""The header section of a request, read once and remembered: clients repeat theirs from request to request.

A browser, an application or a connection pool sends the same fields again and again, and only the request line differs
(the redundancy that HPACK was made for). What follows from a section's bytes alone is worked out here; sections are
equal when their bytes are, so a remembered one cannot differ from one read anew.
"""

from functools import lru_cache

import httptools

from strangler.http1.body import CHUNKED
from strangler.http1.fields import Fields
from strangler.http1.headers import COMMON, connection_names, is_length
from strangler.http1.refusal import RequestRefused

REMEMBERED = 1024
"""Sections that a worker remembers; the one not seen for longest is forgotten first."""
LONGEST_REMEMBERED = 4 * 1024
"""Bytes of a section that is worth remembering: together they take a few megabytes at most."""

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
_NONE: list[bytes] = []


class HeaderSection(Fields):
    """A request's fields, and what they say. Not to be changed: requests share it."""

    __slots__ = ("_kept", "connection", "expects_continue", "hosts", "length", "special", "underscores")

    def __init__(self, data: bytes) -> None:
        """``data`` reaches from the CRLF before the first field to the empty line. Raises ``RequestRefused``."""
        super().__init__(data)
        names = self.names
        if len(names) != len(self.lines):
            raise RequestRefused(400, "the request's head can be read in more than one way")
        self.underscores = b"_" in b"".join(names)
        """Whether a field's name holds ``_``, which many applications cannot tell from ``-``."""
        if self.underscores and not _LOOKALIKES.isdisjoint(names):
            raise RequestRefused(400, "Content_Length and Transfer_Encoding cannot be told from the real ones")
        self.special = special = {name: self.values(name) for name in _SPECIAL.intersection(names)}
        """The values of those fields that the gateway asks every request for, where they are present."""
        self.hosts = special.get(b"host", _NONE)
        self.connection = connection_names(b",".join(special.get(b"connection", _NONE)))
        """What the Connection header names."""
        self.length = _length(special.get(b"content-length", _NONE), special.get(b"transfer-encoding", _NONE))
        """Of the body in bytes, or ``CHUNKED``."""
        self.expects_continue = _expects_continue(special.get(b"expect", _NONE))
        self._kept: dict[frozenset[bytes], bytes] = {}

    def kept(self, dropped: frozenset[bytes]) -> bytes:
        """The lines, with their CRLF, that go on when ``dropped`` and what Connection names are left out."""
        kept = self._kept.get(dropped)
        if kept is None:
            names = dropped if self.connection <= COMMON else dropped | self.connection
            kept = self._kept[dropped] = b"".join([line + b"\r\n" for line in self.without(names)])
        return kept


class _Deaf:
    """Takes nothing that llhttp has to say but its errors."""


def read_section(data: bytes) -> HeaderSection:
    """The section in ``data``, from the CRLF before its first field to the empty line. Raises ``RequestRefused``."""
    return _remembered(data) if len(data) <= LONGEST_REMEMBERED else _read(data)


def _read(data: bytes) -> HeaderSection:
    try:
        httptools.HttpRequestParser(_Deaf()).feed_data(b"GET / HTTP/1.1" + data)
    except httptools.HttpParserUpgrade:
        pass  # Whether anything is upgraded is decided elsewhere.
    except httptools.HttpParserError as error:
        raise RequestRefused(400, f"the request is not valid HTTP/1.1: {error}") from None
    return HeaderSection(data)


_remembered = lru_cache(maxsize=REMEMBERED)(_read)


def _length(lengths: list[bytes], codings: list[bytes]) -> int:
    """Of the body, by RFC 9112 §6.3 without its indulgences."""
    if codings:
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
    return bool(values)
