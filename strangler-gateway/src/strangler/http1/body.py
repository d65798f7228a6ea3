"""Where a body ends: by length, by chunks, or with the connection (RFC 9112 §6)."""

CHUNKED = -1
"""Stands in the place of a length."""
UNTIL_CLOSE = -2
"""A response without a length or chunks: it ends when the upstream closes."""

MAX_CHUNK_LINE = 4 * 1024
"""Bytes of one chunk-size line, extensions included (Go's net/http allows as many)."""
MAX_OVERHEAD = 16 * 1024
"""Bytes of chunk extensions in one body, and of its trailers: what a peer may send that carries no content."""

_HEX = frozenset(b"0123456789abcdefABCDEF")


class ChunkError(Exception):
    """Chunked framing that is not exactly that of RFC 9112 §7.1."""


class ChunkedReader:
    """Takes a chunked body apart. Extensions and trailers are read, bounded and dropped."""

    __slots__ = ("_line", "_overhead", "_remaining", "_step", "done")

    def __init__(self) -> None:
        self.done = False
        self._remaining = 0
        self._line = b""
        self._overhead = 0
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
        if len(line) > MAX_CHUNK_LINE:
            raise ChunkError(f"a line of the chunked framing is longer than {MAX_CHUNK_LINE} bytes")
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
            self._spend(len(line))
            if b":" not in line or line[:1] in b" \t":
                raise ChunkError("a trailer is not a header field")
        else:
            self.done = True

    def _size(self, line: bytes) -> int:
        digits, semicolon, extension = line.partition(b";")
        if semicolon:
            self._spend(len(extension) + 1)
            digits = digits.rstrip(b" \t")
        if not digits or len(digits) > 15 or not _HEX.issuperset(digits):
            raise ChunkError("a chunk size is not 1 to 15 hexadecimal digits")
        return int(digits, 16)

    def _spend(self, count: int) -> None:
        self._overhead += count
        if self._overhead > MAX_OVERHEAD:
            raise ChunkError(f"chunk extensions and trailers are more than {MAX_OVERHEAD} bytes")


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


BodyReader = ChunkedReader | LengthReader | CloseReader


def body_reader(length: int) -> BodyReader:
    """The reader for a length, or for ``CHUNKED`` or ``UNTIL_CLOSE``."""
    if length == CHUNKED:
        return ChunkedReader()
    return CloseReader() if length == UNTIL_CLOSE else LengthReader(length)


def chunk(piece: bytes) -> bytes:
    """One chunk; never call it with nothing, which would end the body."""
    return b"%x\r\n%b\r\n" % (len(piece), piece)


LAST_CHUNK = b"0\r\n\r\n"
