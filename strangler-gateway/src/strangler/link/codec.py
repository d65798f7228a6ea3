"""Messages to frames and back, without I/O: a 4-byte big-endian length, then JSON ``[type name, fields]``."""

import typing
from collections.abc import Iterator

import msgspec

from strangler.model.errors import StranglerError
from strangler.model.messages import Message
from strangler.model.registry import Lease
from strangler.model.snapshot import Snapshot

MAX_FRAME = 64 * 1024 * 1024
"""A snapshot with 10,000 routes takes about 4 MB."""

_TYPES: dict[str, type] = {cls.__name__: cls for cls in typing.get_args(Message)}
_encoder = msgspec.json.Encoder()
_envelope = msgspec.json.Decoder(tuple[str, msgspec.Raw])


class LinkError(StranglerError):
    """The other side sent something that is not of this protocol; the connection cannot go on."""


def encode(message: Message) -> bytes:
    """One frame."""
    body = _encoder.encode((type(message).__name__, message))
    return len(body).to_bytes(4) + body


def decode(body: bytes | bytearray | memoryview) -> Message:
    """The message in a frame's body. Raises ``LinkError`` if it is none."""
    try:
        name, fields = _envelope.decode(body)
        return typing.cast("Message", msgspec.json.decode(fields, type=_TYPES[name]))
    except (msgspec.MsgspecError, KeyError) as error:
        raise LinkError(f"not a message of the control link: {error}") from error


class FrameReader:
    """Cuts a stream of bytes into messages."""

    def __init__(self) -> None:
        self._buffer = bytearray()

    def feed(self, data: bytes) -> Iterator[Message]:
        """Yield every message that ``data`` completes. Raises ``LinkError`` on a frame above ``MAX_FRAME``."""
        buffer = self._buffer
        buffer += data
        while len(buffer) >= 4:
            length = int.from_bytes(buffer[:4])
            if length > MAX_FRAME:
                raise LinkError(f"a frame of {length} bytes is more than {MAX_FRAME}")
            if len(buffer) < 4 + length:
                return
            body = bytes(buffer[4 : 4 + length])
            del buffer[: 4 + length]
            yield decode(body)


def encode_snapshot(snapshot: Snapshot) -> bytes:
    """A snapshot as it lies on disk: indented JSON, for people to read."""
    return msgspec.json.format(_encoder.encode(snapshot), indent=2) + b"\n"


def decode_snapshot(data: bytes) -> Snapshot:
    """The opposite of ``encode_snapshot``. Raises ``LinkError`` if it is not one."""
    try:
        return msgspec.json.decode(data, type=Snapshot)
    except msgspec.MsgspecError as error:
        raise LinkError(f"not a snapshot: {error}") from error


def encode_leases(leases: tuple[Lease, ...]) -> bytes:
    """The registry as it lies on disk."""
    return msgspec.json.format(_encoder.encode(leases), indent=2) + b"\n"


def decode_leases(data: bytes) -> tuple[Lease, ...]:
    """The opposite of ``encode_leases``. Raises ``LinkError`` if it is not one."""
    try:
        return msgspec.json.decode(data, type=tuple[Lease, ...])
    except msgspec.MsgspecError as error:
        raise LinkError(f"not a registry: {error}") from error
