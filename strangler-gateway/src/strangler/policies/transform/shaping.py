"""One answer that is collected, and passed on in another shape when it is complete."""

from collections.abc import Callable

from strangler.http1.response import ResponseHead
from strangler.policies.transform.shape import Shape, Unshapeable

_DIGESTS = frozenset((b"content-digest", b"content-md5", b"digest", b"repr-digest"))
_SPOILED = _DIGESTS | {b"accept-ranges", b"content-encoding"}
"""Fields that say something about the bytes as they were. Content-Encoding is ``identity`` where it gets here."""
_JSON = frozenset((b"application/json", b"text/json"))

Lines = list[tuple[bytes, bytes]]
"""Fields as pairs of their name in lower case and their line."""


class Shaping:
    """Takes the pieces of one answer. Once ``feed`` says so, ``head`` and ``pieces`` are what is to be passed on."""

    __slots__ = ("_finish", "_max_bytes", "_refuses", "_shape", "_size", "count", "head", "pieces")

    def __init__(
        self,
        head: ResponseHead,
        shape: Shape,
        finish: Callable[[], bytes],
        *,
        max_bytes: int,
        refuses: bool,
        count: Callable[[str], None],
    ) -> None:
        """``finish`` gives the block of fields of the shaped answer; ``count`` is told what became of it."""
        self.head = head
        self.pieces: list[bytes] = []
        self.count = count
        self._shape = shape
        self._finish = finish
        self._max_bytes = max_bytes
        self._refuses = refuses
        self._size = 0

    def feed(self, pieces: list[bytes], *, ended: bool) -> bool:
        """Take a part of the content; whether the answer can be passed on. Raises ``Unshapeable``."""
        self.pieces += pieces
        self._size += sum(map(len, pieces))
        try:
            if self._size > self._max_bytes:
                raise Unshapeable("too_large", f"it is longer than {self._max_bytes} bytes")
            if not ended:
                return False
            if self._size:
                shaped = self._shape.apply(b"".join(self.pieces))
                self.pieces = [shaped]
                self.head.length = len(shaped)
                self.head.fields = self._finish()
                self.count("shaped")
        except Unshapeable as error:
            self.count(error.reason)
            if self._refuses:
                raise
        return True


def is_json(lines: Lines) -> bool:
    """Whether the answer says that it is JSON, once."""
    types = [value_of(name, line) for name, line in lines if name == b"content-type"]
    kind = types[0].partition(b";")[0].strip(b" \t").lower() if len(types) == 1 else b""
    return kind in _JSON or kind.endswith(b"+json")


def is_encoded(lines: Lines) -> bool:
    """Whether the content is compressed, or otherwise not what its type says."""
    codings = [value_of(name, line).lower() for name, line in lines if name == b"content-encoding"]
    return not {b"", b"identity"}.issuperset(codings)


def reshaped(lines: Lines) -> Lines:
    """The fields of an answer whose bytes are others than its application's. Its entity tag holds weakly only."""
    kept = []
    for name, line in lines:
        if name == b"etag" and value_of(name, line).startswith(b'"'):
            kept.append((name, line[: len(name) + 1] + b" W/" + value_of(name, line)))
        elif name not in _SPOILED:
            kept.append((name, line))
    return kept


def value_of(name: bytes, line: bytes) -> bytes:
    """The value in a line."""
    return line[len(name) + 1 :].strip(b" \t")


def block(lines: Lines) -> bytes:
    """The lines as a block."""
    return b"".join(b"\r\n" + line for _, line in lines)
