"""Where WebSocket's frames end in a stream (RFC 6455 §5.2), so that one of our own can be put between two of them."""

from typing import Final

CLOSE: Final = 8
"""The opcode of the frame that ends a conversation."""
GOING_AWAY: Final = 1001
"""The close code of an endpoint that goes down (RFC 6455 §7.4.1)."""

_LONGEST_HEAD: Final = 14


class FrameBorders:
    """Follows one direction of a tunnel; reads the frames' heads, and their payloads not at all."""

    __slots__ = ("_head", "_left", "closed", "lost")

    def __init__(self) -> None:
        self._head = b""
        """The beginning of a frame's head whose end has not come yet."""
        self._left = 0
        """Bytes of the current frame that are yet to come."""
        self.closed = False
        """Whether the head of a Close frame went by: nothing may follow that frame."""
        self.lost = False
        """Whether these are no frames at all, so that it cannot be said where one ends."""

    @property
    def between(self) -> bool:
        """Whether the last byte that went by was the last of a frame."""
        return not self._left and not self._head and not self.lost

    def follow(self, data: bytes) -> None:
        """These bytes go by."""
        position = 0
        while position < len(data) and not self.lost:
            position = self._step(data, position)

    def follow_to_border(self, data: bytes) -> int:
        """How many of these bytes go by until the current frame ends; all of them if it does not end here."""
        position = 0
        while position < len(data) and not self.lost:
            position = self._step(data, position)
            if self.between:
                return position
        return len(data)

    def _step(self, data: bytes, position: int) -> int:
        """Go on by a frame's head or payload, or by what there is of it."""
        if self._left:
            taken = min(self._left, len(data) - position)
            self._left -= taken
            return position + taken
        known = len(self._head)
        head = self._head + data[position : position + _LONGEST_HEAD - known]
        size = _head_size(head)
        if len(head) < size:
            self._head = head
            return position + len(head) - known
        self._head = b""
        self._left = _payload_size(head)
        self.lost = _is_senseless(head, self._left)
        self.closed = self.closed or head[0] & 0x0F == CLOSE
        return position + size - known


def close_frame(code: int) -> bytes:
    """A Close frame as a server sends it: not masked."""
    return bytes((0x80 | CLOSE, 2)) + code.to_bytes(2)


def _head_size(head: bytes) -> int:
    """Of a frame, by the bytes of it that are there; more than those if it takes more to tell."""
    if len(head) < 2:
        return 2
    masked, short = head[1] & 0x80, head[1] & 0x7F
    return 2 + (2 if short == 126 else 8 if short == 127 else 0) + (4 if masked else 0)


def _is_senseless(head: bytes, payload: int) -> bool:
    """A control frame is short and whole, and a length has 63 bits (RFC 6455 §5.2, §5.5)."""
    control, whole = head[0] & 0x08, head[0] & 0x80
    return payload >= 1 << 63 or bool(control and (payload > 125 or not whole))


def _payload_size(head: bytes) -> int:
    short = head[1] & 0x7F
    if short == 126:
        return int.from_bytes(head[2:4])
    return int.from_bytes(head[2:10]) if short == 127 else short
