"""An upstream's response head from its bytes, and how long its body is."""

import re
from typing import Final

import httptools

from strangler.http1.body import CHUNKED, UNTIL_CLOSE
from strangler.http1.fields import Fields
from strangler.http1.headers import COMMON, HOP_BY_HOP, is_length, list_members
from strangler.http1.refusal import ResponseRefused

MAX_HEAD: Final = 64 * 1024
MAX_FIELDS: Final = 256

_NO_NAMES: Final[frozenset[bytes]] = frozenset()
_NOT_IN_REASON: Final = re.compile(rb"[^\t -~\x80-\xff]")
_VERSIONS: Final = {b"HTTP/1.1 ": 1, b"HTTP/1.0 ": 0}


class ResponseHead:
    """One response without its body."""

    __slots__ = ("agreement", "effects", "fields", "keep_alive", "length", "located", "reason", "status")

    status: int
    reason: bytes
    fields: bytes
    """The block of end-to-end fields in their order, as they were sent; Content-Length is not among them."""
    length: int
    """Of the body that follows, or ``CHUNKED`` or ``UNTIL_CLOSE``; without a body: as announced, or ``NO_LENGTH``."""
    keep_alive: bool
    located: bool
    """Whether it says where something is, which may be an address that clients should not see."""
    effects: bytes
    """What the application reports of the request's effects, to whoever asked for that; it is not among the fields."""
    agreement: Fields
    """All fields of a 101, for whoever asked for it to judge; other heads do not have it."""


NO_LENGTH: Final = -3
"""A response without a body that announces no length either."""


KEPT: Final = 0
DROPPED: Final = 1
LENGTH: Final = 2
CONNECTION: Final = 3
CODING: Final = 4
LOCATED: Final = 5
EFFECTS: Final = 6
"""What a field is to the relay."""
MOST_SPELLINGS: Final = 512
"""Spellings of field names that are remembered; applications use a dozen."""


class ResponseParser:
    """Parses response heads; of one to the next it keeps what each spelling of a field's name means to the relay."""

    __slots__ = ("_dropped", "_kinds")

    def __init__(self, own: frozenset[bytes] = frozenset()) -> None:
        """``own`` are lower-case names that the gateway writes itself: the upstream's are left out."""
        self._dropped = HOP_BY_HOP | own | {b"content-length", b"x-strangler-effects"}
        self._kinds: dict[bytes, int] = {}

    def parse(self, data: bytes, *, bodiless: bool) -> ResponseHead:
        """Return the head in ``data``; ``bodiless`` if the request was a HEAD. Raises ``ResponseRefused``."""
        llhttp = httptools.HttpResponseParser(self)
        try:
            llhttp.feed_data(data)
        except httptools.HttpParserUpgrade:
            pass  # A 101; whether it was asked for is judged by whoever sent the request.
        except httptools.HttpParserError as error:
            raise ResponseRefused(f"the answer is not valid HTTP/1.1: {error}") from None
        minor = _VERSIONS.get(data[:9])
        if minor is None:
            raise ResponseRefused("the answer is neither HTTP/1.1 nor HTTP/1.0")
        end = data.find(b"\r\n")
        head = ResponseHead()
        head.reason = data[13:end] if end > 13 else b""
        if not head.reason.isalpha() and _NOT_IN_REASON.search(head.reason) is not None:
            raise ResponseRefused("the answer's reason phrase holds a control character")
        head.status = status = llhttp.get_status_code()
        if not 100 <= status <= 599:
            raise ResponseRefused(f"the answer has the status {status}, which HTTP does not know")
        self._read_fields(head, data[end:], minor)
        if bodiless or status in {204, 304} or status < 200:
            head.length = _announced(head.length, status)
            if status == 101:
                if not minor:
                    raise ResponseRefused("the answer is a 101 of HTTP/1.0, which has none")
                head.agreement = Fields(data[end:])
        elif head.length == UNTIL_CLOSE:
            head.keep_alive = False
        return head

    def _read_fields(self, head: ResponseHead, section: bytes, minor: int) -> None:
        """Sort the fields into those that go on and those that say where the answer ends."""
        lines = section.split(b"\r\n")[1:-2]
        if len(lines) > MAX_FIELDS:
            raise ResponseRefused(f"the answer has more than {MAX_FIELDS} header fields")
        names = _NO_NAMES
        kept = [b""]
        lengths: list[bytes] = []
        codings: list[bytes] = []
        head.located = False
        head.effects = b""
        for line in lines:
            colon = line.find(b":")
            name = line[:colon] if colon > 0 else b""
            kind = self._kinds.get(name)
            if kind is None:
                kind = self._learn(name)
            if kind == KEPT:
                kept.append(line)
            elif kind == LENGTH:
                lengths.append(line[15:].strip(b" \t"))
            elif kind == CONNECTION:
                names |= list_members(line[11:])
            elif kind == CODING:
                codings.append(line[18:].strip(b" \t"))
            elif kind == LOCATED:
                head.located = True
                kept.append(line)
            elif kind == EFFECTS:
                value = line[colon + 1 :].strip(b" \t")
                head.effects = head.effects + b"," + value if head.effects else value
        head.keep_alive = b"close" not in names if minor else b"keep-alive" in names
        if names <= COMMON:
            head.fields = b"\r\n".join(kept) if len(kept) > 1 else b""
        else:
            head.fields = Fields(section).block_without(self._dropped | names)
        head.length = _length(lengths, codings, minor)

    def _learn(self, spelling: bytes) -> int:
        """What fields of this name are to the relay."""
        if not spelling:
            raise ResponseRefused("the answer's head can be read in more than one way")
        name = spelling.lower()
        kind = _KINDS.get(name, DROPPED if name in self._dropped else KEPT)
        if len(self._kinds) >= MOST_SPELLINGS:
            self._kinds.clear()
        self._kinds[spelling] = kind
        return kind


_KINDS: Final = {
    b"connection": CONNECTION,
    b"content-length": LENGTH,
    b"content-location": LOCATED,
    b"location": LOCATED,
    b"refresh": LOCATED,
    b"transfer-encoding": CODING,
    b"x-strangler-effects": EFFECTS,
}


def has_body(head: ResponseHead, *, bodiless: bool) -> bool:
    """Whether content follows this head; ``bodiless`` if the request was a HEAD."""
    return not (bodiless or head.status < 200 or head.status in {204, 304} or head.length in {0, NO_LENGTH})


def _announced(length: int, status: int) -> int:
    """A Content-Length is passed on for HEAD and 304; 1xx and 204 must not have one (RFC 9110 §8.6)."""
    return length if length >= 0 and status >= 200 and status != 204 else NO_LENGTH


def _length(lengths: list[bytes], codings: list[bytes], minor: int) -> int:
    if codings:
        if lengths or not minor or len(codings) != 1 or codings[0].lower() != b"chunked":
            raise ResponseRefused("the answer's length is in doubt: its Transfer-Encoding is not just chunked")
        return CHUNKED
    if not lengths:
        return UNTIL_CLOSE
    if len(lengths) > 1 or not is_length(lengths[0]):
        raise ResponseRefused("the answer's length is in doubt: its Content-Length is not one plain number")
    return int(lengths[0])
