"""A WebSocket's bytes both ways once both sides have agreed, under backpressure, until one side ends it.

The gateway reads nothing of what is said but where the application's frames end. So it can say «going away» itself,
between two of them, when it stops or when nobody has said anything for too long; the client answers that with a Close
frame of its own, which goes on to the application and ends the conversation there too.
"""

import asyncio
import math
from collections.abc import Callable
from enum import Enum, auto
from typing import TYPE_CHECKING

from strangler.http1.frames import GOING_AWAY, FrameBorders, close_frame
from strangler.model.failure import Failure
from strangler.upstream.reads import ROOM, VIEW

if TYPE_CHECKING:
    from strangler.dataplane.downstream import Downstream
    from strangler.dataplane.exchange import Exchange
    from strangler.dataplane.worker import Worker
    from strangler.upstream.connection import UpstreamConnection

CLOSE_TIME = 5.0
"""Seconds in which a side that was told of the end has to take what was sent to it, and to end."""


class Stage(Enum):
    """How far a tunnel is from its end."""

    OPEN = auto()
    CLOSING = auto()
    """Our Close frame goes to the client as soon as the application's current frame is over."""
    CLOSED = auto()
    """It has gone; what the application still says is dropped."""
    ENDED = auto()
    """One side is gone; the other is told."""


OPEN, CLOSING, CLOSED, ENDED = Stage


class _Side(asyncio.BufferedProtocol):
    """One end of the tunnel, as the event loop sees it.

    It reads as ``SharedReads`` does, but is none: where that is compiled, what is not cannot inherit from it.
    """

    __slots__ = ("_lost", "_other", "_take")

    def __init__(
        self, take: Callable[[bytes], None], lost: Callable[[Exception | None], None], other: asyncio.Transport
    ) -> None:
        self._take = take
        self._lost = lost
        self._other = other

    def get_buffer(self, sizehint: int) -> bytearray:
        return ROOM

    def buffer_updated(self, nbytes: int) -> None:
        self._take(VIEW[:nbytes].tobytes())

    def connection_lost(self, exc: Exception | None) -> None:
        self._lost(exc)

    def pause_writing(self) -> None:
        """This side reads more slowly than the other says."""
        if not self._other.is_closing():
            self._other.pause_reading()

    def resume_writing(self) -> None:
        if not self._other.is_closing():
            self._other.resume_reading()


class Tunnel:
    """One conversation. Its exchange lasts as long, and so does the snapshot that it began with."""

    __slots__ = ("_borders", "_client", "_code", "_downstream", "_exchange", "_idle", "_stage", "_upstream", "_worker")

    def __init__(self, exchange: "Exchange", downstream: "Downstream", worker: "Worker", idle: float) -> None:
        self._exchange = exchange
        self._downstream = downstream
        self._worker = worker
        self._idle = idle
        self._borders = FrameBorders()
        self._stage = OPEN
        self._code = GOING_AWAY

    def open(self, connection: "UpstreamConnection", answer: bytes) -> None:
        """Take both transports; ``answer`` is the head of the 101 for the client."""
        self._worker.tunnels.value += 1
        self._worker.cork.flush()  # From here on the transports are written to directly.
        upstream, said = connection.release()
        client, asked = self._downstream.turn_into(self, self._idle)
        self._upstream, self._client = upstream, client
        from_client = _Side(self._from_client, self._client_lost, upstream)
        from_upstream = _Side(self._from_upstream, self._upstream_lost, client)
        client.set_protocol(from_client)
        upstream.set_protocol(from_upstream)
        if self._downstream.writing_blocked:
            from_client.pause_writing()
        client.write(answer)
        if said:
            self._from_upstream(said)
        if asked:
            self._from_client(asked)
        if self._downstream.stopping:
            self.close(GOING_AWAY)

    # What is said

    def _from_client(self, data: bytes) -> None:
        self._exchange.bytes_in += len(data)
        self._worker.said_by_clients.value += len(data)
        if not self._upstream.is_closing():
            self._upstream.write(data)
        if self._stage is OPEN:
            self._downstream.deadline = self._worker.now + self._idle

    def _from_upstream(self, data: bytes) -> None:
        if self._stage is OPEN:
            self._borders.follow(data)
            self._downstream.deadline = self._worker.now + self._idle
        elif self._stage is CLOSING:
            data = data[: self._borders.follow_to_border(data)]
        else:
            return
        self._exchange.bytes_out += len(data)
        self._worker.said_by_applications.value += len(data)
        self._client.write(data)
        if self._stage is CLOSING:
            self._say_close()

    # The end

    def close(self, code: int) -> None:
        """Tell the client that it is over, between two frames of the application; it has until the drain ends."""
        if self._stage is OPEN and not self._borders.closed:
            self._code = code
            self._stage = CLOSING
            self._downstream.deadline = math.inf
            self._say_close()

    def _say_close(self) -> None:
        if self._borders.lost:  # No frame can be put into what has none.
            self._stage = CLOSED
            self._client.close()
        elif self._borders.between:
            self._stage = CLOSED
            if not self._borders.closed:  # Else the application has said so itself in the meantime.
                self._client.write(close_frame(self._code))

    def expire(self) -> None:
        """Nobody has said anything for too long; or an end that was announced does not come."""
        if self._stage is OPEN and not self._borders.closed:
            self._exchange.failure = Failure.TUNNEL_IDLE
            self.close(GOING_AWAY)
            self._downstream.deadline = self._worker.now + CLOSE_TIME
        else:
            self._downstream.abort()

    def _client_lost(self, exc: Exception | None) -> None:
        """The client is gone: give the application what the client has said, and end."""
        if self._stage is not ENDED:
            if not self._clean and self._exchange.failure is None:
                self._exchange.failure = Failure.CLIENT_GONE
            self._stage = ENDED
            self._end_upstream(reset=exc is not None)
        self._worker.tunnels.value -= 1
        self._downstream.tunnel_ended()

    def _end_upstream(self, *, reset: bool) -> None:
        upstream = self._upstream
        if reset:
            upstream.abort()
        else:
            upstream.close()
            if upstream.get_write_buffer_size():
                self._worker.loop.call_later(CLOSE_TIME, upstream.abort)

    def _upstream_lost(self, exc: Exception | None) -> None:
        """The application is gone: give the client what it has said, and end."""
        if self._stage is ENDED:
            return
        exchange = self._exchange
        if not self._clean and exchange.failure is None:
            exchange.failure = Failure.TUNNEL_BROKEN
            said = f"{type(exc).__name__}: {exc}" if exc else "the connection was closed without a Close frame"
            self._worker.report(Failure.TUNNEL_BROKEN, said, exchange)
        self._stage = ENDED
        if exc is None:
            self._client.close()
            self._downstream.deadline = self._worker.now + CLOSE_TIME
        else:
            self._downstream.abort()

    @property
    def _clean(self) -> bool:
        """Whether a Close frame went to the client: the application's, or ours."""
        return self._borders.closed or self._stage is CLOSED
