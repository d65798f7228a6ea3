"""The header section of a request, and what follows from its bytes alone.

Clients repeat their sections: a browser, an application or a connection pool sends the same fields again and again, and
only the request line differs (the redundancy that HPACK was made for). So sections are values that requests share, and
the parser remembers those it has met.
"""

from typing import Any, Final

from strangler.http1.body import CHUNKED
from strangler.http1.fields import Fields
from strangler.http1.headers import COMMON, connection_names, is_length
from strangler.http1.refusal import RequestRefused
from strangler.http1.websocket import is_opening

_SPECIAL: Final = frozenset(
    (
        b"connection",
        b"content-length",
        b"expect",
        b"host",
        b"traceparent",
        b"transfer-encoding",
        b"upgrade",
        b"x-request-id",
    )
)
_LOOKALIKES: Final = frozenset((b"content_length", b"transfer_encoding"))
"""Fields that an application behind CGI variables would take for those that frame the body."""
_NO_NAMES: Final[frozenset[bytes]] = frozenset()
_NONE: Final[list[bytes]] = []


class HeaderSection(Fields):
    """A request's fields, and what they say. Not to be changed: requests share it."""

    __slots__ = (
        "_kept", "connection", "expects_continue", "hosts", "length", "memo", "special", "underscores", "websocket",
    )  # fmt: skip

    def __init__(self, section: bytes) -> None:
        """Raises ``RequestRefused``."""
        super().__init__(section)
        names = self.names
        if len(names) != len(self.lines):
            raise RequestRefused(400, "the request's head can be read in more than one way")
        self.underscores = b"_" in section and b"_" in b"".join(names)
        """Whether a field's name holds ``_``, which many applications cannot tell from ``-``."""
        if self.underscores and not _LOOKALIKES.isdisjoint(names):
            raise RequestRefused(400, "Content_Length and Transfer_Encoding cannot be told from the real ones")
        self.special: dict[bytes, list[bytes]] = {}
        """The values of those fields that the gateway asks every request for, where they are present."""
        for name in _SPECIAL.intersection(names):
            self.special[name] = self.values(name)
        special = self.special
        self.hosts = special.get(b"host", _NONE)
        self.connection = connection_names(b",".join(special[b"connection"])) if b"connection" in special else _NO_NAMES
        """What the Connection header names."""
        self.length = _length(special.get(b"content-length", _NONE), special.get(b"transfer-encoding", _NONE))
        """Of the body in bytes, or ``CHUNKED``."""
        self.expects_continue = b"expect" in special and _expects_continue(special[b"expect"])
        self.websocket = b"upgrade" in special and is_opening(self, self.connection, self.length)
        """Whether they ask for a WebSocket tunnel, as far as fields can."""
        self.memo: dict[object, Any] = {}
        """What others have found in these fields, by who has found it."""
        self._kept: dict[frozenset[bytes], bytes] = {}

    def kept(self, dropped: frozenset[bytes]) -> bytes:
        """The block of fields that go on when ``dropped`` and what Connection names are left out."""
        kept = self._kept.get(dropped)
        if kept is None:
            names = dropped if self.connection <= COMMON else dropped | self.connection
            kept = self._kept[dropped] = self.block_without(names)
        return kept


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
    if len(values) > 1 or values[0].lower() != b"100-continue":
        raise RequestRefused(417, "no expectation but one 100-continue is understood")
    return True
