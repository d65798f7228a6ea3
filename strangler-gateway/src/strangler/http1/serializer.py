"""Heads to bytes. Values come from the parsers, which let no CR, LF or NUL through."""

from http import HTTPStatus
from typing import Final

from strangler.http1.body import CHUNKED
from strangler.http1.headers import HOP_BY_HOP
from strangler.http1.request import RequestHead

REPLACED: Final = HOP_BY_HOP | {b"host", b"content-length"}
"""Request fields that the gateway writes itself or drops."""

_CARRY_CONTENT: Final = frozenset((b"POST", b"PUT", b"PATCH"))
"""Methods whose empty body is announced as such (RFC 9110 §8.6)."""


def request_head(
    head: RequestHead, host: bytes, dropped: frozenset[bytes], added: bytes, target: bytes | None = None
) -> bytes:
    """The head that goes to the upstream.

    ``dropped`` are lower-case names to leave out, ``REPLACED`` among them; ``added`` is a block; ``target`` is given
    where it is another than the client's.
    """
    if head.length == CHUNKED:
        framing = b"\r\nTransfer-Encoding: chunked\r\n\r\n"
    elif head.length or head.method in _CARRY_CONTENT:
        framing = b"\r\nContent-Length: %d\r\n\r\n" % head.length
    else:
        framing = b"\r\n\r\n"
    kept = head.fields.kept(dropped)
    if target is None:
        target = head.target
    return b"%b %b HTTP/1.1\r\nHost: %b%b%b%b" % (head.method, target, host, kept, added, framing)


_STATUS_LINES: Final = {int(status): b"HTTP/1.1 %d %b" % (status, status.phrase.encode()) for status in HTTPStatus}


def status_line(status: int, reason: bytes) -> bytes:
    """The first line of a response; the upstream's own reason phrase is kept."""
    known = _STATUS_LINES.get(status)
    if known is not None and known[13:] == reason:
        return known
    return b"HTTP/1.1 %d %b" % (status, reason)


def response_head(status: int, reason: bytes, fields: bytes, added: bytes = b"") -> bytes:
    """The head that goes to the client; ``fields`` and ``added`` are blocks."""
    return b"%b%b%b\r\n\r\n" % (status_line(status, reason), fields, added)
