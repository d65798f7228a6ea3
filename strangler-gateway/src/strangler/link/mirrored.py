"""The channel from workers to the comparator: exchanges in batches, and the running account of what became of all.

Frames as on the control link (a 4-byte big-endian length), then MessagePack of ``[kind, value]``. A worker sends
``Opening`` first, then ``Batch`` after ``Batch``; the comparator sends nothing. Totals are since the worker started,
so that a frame that was lost loses nothing of the account.
"""

import msgspec

from strangler.link.codec import LinkError

MAX_FRAME = 64 * 1024 * 1024
PROTOCOL = 1


class Mirrored(msgspec.Struct, frozen=True, array_like=True):
    """One exchange with the monolith, as the client saw its answer."""

    route: str
    revision: int
    """Of the snapshot under which it was decided."""
    at: float
    """When the answer was complete: seconds since the epoch."""
    seconds: float
    """From the request's head in to the answer's last byte out."""
    head: bytes
    """The request's head as it goes to an application, before what an arm changes: request line to empty line."""
    body: bytes
    client: str
    """The client's address."""
    host: bytes
    """As the client named it."""
    endpoint: str
    """The authority of the endpoint that answered."""
    answer: bytes
    """The answer's head as the client got it: status line to empty line."""
    content: bytes
    """The answer's content without framing."""
    effects: bytes = b""
    """The monolith's report of what the request did; empty where none was asked for or given."""


class Account(msgspec.Struct, frozen=True, array_like=True):
    """One shadowed route in one worker. ``requests`` is ``sent`` + what was skipped + what still waits."""

    route: str
    requests: int
    """That have ended."""
    sent: int
    """Exchanges that were handed to a comparator, this one or one before."""
    skipped: tuple[tuple[str, int], ...]
    """Pairs of ``Heading`` and count."""


class Opening(msgspec.Struct, frozen=True, array_like=True):
    """Who sends."""

    worker: str
    """Of one worker process, unlike that of any other: ``<random hex>``."""
    slot: int
    pid: int
    accounts: tuple[Account, ...]
    protocol: int = PROTOCOL


class Batch(msgspec.Struct, frozen=True, array_like=True):
    """Exchanges, and the accounts as they are when these have been handed over (``sent`` includes them)."""

    exchanges: tuple[Mirrored, ...]
    accounts: tuple[Account, ...]
    recorded: tuple[Mirrored, ...] = ()
    """Of routes that are recorded and not shadowed: they are in no account, and nobody is asked about them."""


_encoder = msgspec.msgpack.Encoder()
_openings = msgspec.msgpack.Decoder(Opening)
_batches = msgspec.msgpack.Decoder(Batch)


def encode_frame(message: Opening | Batch) -> bytes:
    """One frame."""
    kind = b"O" if isinstance(message, Opening) else b"B"
    body = _encoder.encode(message)
    return (len(body) + 1).to_bytes(4) + kind + body


def decode_frame(body: bytes) -> Opening | Batch:
    """The message in a frame's body (without its length). Raises ``LinkError`` if it is none."""
    try:
        if body[:1] == b"O":
            return _openings.decode(body[1:])
        if body[:1] == b"B":
            return _batches.decode(body[1:])
    except msgspec.MsgspecError as error:
        raise LinkError(f"not a frame of the channel to the comparator: {error}") from error
    raise LinkError("not a frame of the channel to the comparator")
