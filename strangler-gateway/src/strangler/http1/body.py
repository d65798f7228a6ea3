"""Where a body ends: by length, by chunks, or with the connection (RFC 9112 §6)."""

import re
from typing import Final

from strangler.http1.refusal import RequestRefused
from strangler.model.snapshot import Limits

CHUNKED: Final = -1
"""Stands in the place of a length."""
UNTIL_CLOSE: Final = -2
"""A response without a length or chunks: it ends when the upstream closes."""

STANDARD: Final = Limits()
"""The bounds on what applications answer."""
FRAMING: Final = frozenset(
    (b"connection", b"content-length", b"host", b"te", b"trailer", b"transfer-encoding", b"upgrade")
)
"""Fields that no trailer may be (RFC 9110 §6.5.1): a recipient that merges trailers into the head would be misled."""
PRIVILEGED: Final = FRAMING | {
    *(b"authorization", b"content-encoding", b"content-range", b"content-type", b"cookie", b"expect", b"forwarded"),
    *(b"max-forwards", b"proxy-authorization", b"range", b"set-cookie"),
}
"""Those, and the fields that say who asks, from where and for what: a request's trailers cannot be these."""

_TOKEN: Final = re.compile(rb"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_HEX: Final = frozenset(b"0123456789abcdefABCDEF")


class ChunkError(Exception):
    """Chunked framing that is not exactly that of RFC 9112 §7.1."""


class ChunkedReader:
    """Takes a chunked body apart. Extensions and trailers are read, bounded and dropped."""

    __slots__ = ("_extensions", "_forbidden", "_limits", "_line", "_remaining", "_step", "_trailers", "done")

    def __init__(self, limits: Limits = STANDARD, forbidden: frozenset[bytes] = FRAMING) -> None:
        """``forbidden`` are lower-case names that a trailer must not have."""
        self.done = False
        self._limits = limits
        self._forbidden = forbidden
        self._remaining = 0
        self._line = b""
        self._extensions = 0
        self._trailers: list[int] = []
        """Bytes of each."""
        self._step = "size"

    def feed(self, data: bytes) -> tuple[list[bytes], bytes]:
        """Return the pieces of content in ``data``, and what follows the body's end. Raises ``ChunkError``."""
        pieces: list[bytes] = []
        position = 0
        while not self.done and position < len(data):
            if self._step == "content":
                piece = data[position : position + self._remaining]
                pieces.append(piece)
                position += len(piece)
                self._remaining -= len(piece)
                if not self._remaining:
                    self._step = "content-end"
            else:
                position = self._take_line(data, position)
        return pieces, data[position:]

    def _take_line(self, data: bytes, position: int) -> int:
        """Complete a line and act on it, or keep its beginning for the next call."""
        end = data.find(b"\n", position)
        stop = len(data) if end < 0 else end + 1
        line = self._line + data[position:stop]
        if len(line) > self._limits.chunk_line_bytes:
            raise ChunkError(f"a line of the chunked framing is longer than {self._limits.chunk_line_bytes} bytes")
        if end < 0:
            self._line = line
            return stop
        self._line = b""
        if not line.endswith(b"\r\n"):
            raise ChunkError("a line of the chunked framing ends with a bare line feed")
        self._act(line[:-2])
        return stop

    def _act(self, line: bytes) -> None:
        if b"\r" in line or b"\0" in line:
            raise ChunkError("a line of the chunked framing holds a bare carriage return or NUL")
        if self._step == "size":
            self._remaining = self._size(line)
            self._step = "content" if self._remaining else "trailer"
        elif self._step == "content-end":
            if line:
                raise ChunkError("a chunk is longer than its size says")
            self._step = "size"
        elif line:
            self._take_trailer(line)
        else:
            self.done = True

    def _size(self, line: bytes) -> int:
        digits, semicolon, extension = line.partition(b";")
        if semicolon:
            self._extensions += len(extension) + 1
            if self._extensions > self._limits.chunk_extension_bytes:
                raise ChunkError(f"the chunk extensions are more than {self._limits.chunk_extension_bytes} bytes")
            digits = digits.rstrip(b" \t")
        if not digits or len(digits) > 15 or not _HEX.issuperset(digits):
            raise ChunkError("a chunk size is not 1 to 15 hexadecimal digits")
        return int(digits, 16)

    def _take_trailer(self, line: bytes) -> None:
        limits = self._limits
        self._trailers.append(len(line) + 2)
        if len(self._trailers) > limits.trailer_count or sum(self._trailers) > limits.trailer_bytes:
            most = f"{limits.trailer_count} or than {limits.trailer_bytes} bytes"
            raise ChunkError(f"the trailers are more than {most}")
        name, colon, _ = line.partition(b":")
        if not colon or _TOKEN.fullmatch(name) is None:
            raise ChunkError("a trailer is not a header field")
        if name.lower() in self._forbidden:
            raise ChunkError(f"{name.decode()} cannot be a trailer")


class LengthReader:
    """Counts a body of a known length."""

    __slots__ = ("_remaining", "done")

    def __init__(self, length: int) -> None:
        self._remaining = length
        self.done = length == 0

    def feed(self, data: bytes) -> tuple[list[bytes], bytes]:
        """Return the content in ``data`` (no piece or one), and what follows the body's end."""
        if len(data) <= self._remaining:
            content, rest = data, b""
        else:
            content, rest = data[: self._remaining], data[self._remaining :]
        self._remaining -= len(content)
        self.done = self._remaining == 0
        return [content] if content else [], rest


class CloseReader:
    """A body that ends with its connection: everything is content."""

    __slots__ = ("done",)

    def __init__(self) -> None:
        self.done = False

    def feed(self, data: bytes) -> tuple[list[bytes], bytes]:
        """Return all of it."""
        return [data] if data else [], b""


class BoundedReader:
    """Another reader, for no more than so many bytes of content."""

    __slots__ = ("_left", "_most", "_reader")

    def __init__(self, reader: "BodyReader", most: int) -> None:
        self._reader = reader
        self._most = self._left = most

    @property
    def done(self) -> bool:
        """Whether the body is complete."""
        return self._reader.done

    def feed(self, data: bytes) -> tuple[list[bytes], bytes]:
        """As the other reader does. Raises ``RequestRefused`` beyond the bound."""
        pieces, rest = self._reader.feed(data)
        self._left -= sum(map(len, pieces))
        if self._left < 0:
            raise RequestRefused(413, f"the body is longer than {self._most} bytes, which is the most for this route")
        return pieces, rest


BodyReader = ChunkedReader | LengthReader | CloseReader | BoundedReader


def body_reader(length: int) -> BodyReader:
    """The reader for an answer's length, or for ``CHUNKED`` or ``UNTIL_CLOSE``."""
    if length == CHUNKED:
        return ChunkedReader()
    return CloseReader() if length == UNTIL_CLOSE else LengthReader(length)


def request_reader(length: int, limits: Limits) -> BodyReader:
    """The reader for a request's length, or for ``CHUNKED``."""
    return ChunkedReader(limits, PRIVILEGED) if length == CHUNKED else LengthReader(length)


def chunk(piece: bytes) -> bytes:
    """One chunk; never call it with nothing, which would end the body."""
    return b"%x\r\n%b\r\n" % (len(piece), piece)


LAST_CHUNK: Final = b"0\r\n\r\n"
