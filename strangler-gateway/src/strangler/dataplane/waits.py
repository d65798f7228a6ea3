"""What a client's connection waits for, until when, and what becomes of it when that time is over."""

import asyncio
import math
import socket
import struct
from typing import TYPE_CHECKING, Final

from strangler.dataplane.answers import problem
from strangler.dataplane.exchange import Exchange
from strangler.dataplane.forwarded import Peer, new_id
from strangler.dataplane.phase import BODY, HEAD, IDLE, LINGER, RELAY, Phase
from strangler.model.failure import Failure
from strangler.upstream.reads import SharedReads
from strangler.upstream.unread import unread

if TYPE_CHECKING:
    from strangler.dataplane.tunnel import Tunnel
    from strangler.dataplane.worker import Worker

LINGER_TIME: Final = 2.0
"""Seconds in which the rest of a refused request is read and thrown away, so that the answer is not lost to a reset
(RFC 9112 §9.6)."""
_RESET: Final = struct.pack("ii", 1, 0)
"""SO_LINGER: on, for no time."""


class Waits(SharedReads):
    """The part of a downstream connection that knows of time; the worker's sweep calls ``expire``."""

    __slots__ = (
        "_buffer", "_cork", "_phase", "_transport", "_unread", "_wait", "_worker", "deadline", "exchange", "peer",
        "tunnel",
    )  # fmt: skip

    _transport: asyncio.Transport
    peer: Peer

    def __init__(self, worker: "Worker") -> None:
        self._worker = worker
        self._cork = worker.cork
        self._buffer = b""
        self._unread = 0
        self._phase = IDLE
        self._wait = worker.limits.idle_timeout
        self.deadline = math.inf
        self.exchange: Exchange | None = None
        self.tunnel: Tunnel | None = None
        """What this connection has become once both sides have agreed to it."""

    @property
    def phase(self) -> Phase:
        """What it waits for."""
        return self._phase

    def stop(self) -> None:
        """Finish what has begun, take nothing more."""
        raise NotImplementedError

    def answer_failure(self, failure: Failure, detail: str) -> None:
        """Tell the client that the application did not answer."""
        raise NotImplementedError

    def _pause_reading(self, wanted: bool) -> None:  # noqa: FBT001 - it is the state to reach
        raise NotImplementedError

    def _expect(self, phase: Phase, seconds: float) -> None:
        self._phase = phase
        self._wait = seconds
        self.deadline = self._worker.now + seconds

    def expire(self) -> None:
        """The deadline has passed; called by the worker's sweep."""
        phase, exchange = self._phase, self.exchange
        if phase is HEAD:
            self._turn_away(Failure.REQUEST_TIMEOUT, 408, "The head of the request is not complete.")
        elif self.tunnel is not None:
            self.tunnel.expire()
        elif exchange is None:
            self._expire_silence()
        elif phase is RELAY:
            self._expire_relay(exchange)
        elif exchange.forwarding is not None:
            blocked = phase is BODY and exchange.forwarding.sending_blocked
            if not blocked or not self._moves(exchange.forwarding.unread):
                exchange.forwarding.overdue(self._wait, sending=phase is BODY)
        else:  # No application was asked yet: a policy still waits for what it must know.
            self.answer_failure(Failure.POLICY_UNAVAILABLE, f"not known within {self._wait:g} s")

    def expire_request(self, exchange: Exchange) -> None:
        """The request's own deadline has passed; called by the worker's sweep."""
        fail = self.answer_failure if exchange.forwarding is None else exchange.forwarding.fail
        fail(Failure.DEADLINE, "the request as a whole took too long")

    def _expire_silence(self) -> None:
        """Nothing is asked any more. A client that still reads its last answer is given more time."""
        if self._phase is IDLE and not self._transport.get_write_buffer_size():
            self._close()
        elif not self._moves(unread(self._transport)):
            self._transport.abort()

    def _expire_relay(self, exchange: Exchange) -> None:
        """Whoever made no progress is to blame; a slow client that reads at all is given more time."""
        unsent = self._transport.get_write_buffer_size()
        if unsent and self._moves(unread(self._transport)):
            return
        assert exchange.forwarding is not None
        stalled = Failure.CLIENT_STALLED if unsent else Failure.BODY_TIMEOUT
        exchange.forwarding.fail(stalled, f"no byte of the answer moved within {self._wait:g} s")

    def note_unread(self, count: int) -> None:
        """So much is not taken yet by whom it was sent to; the next deadline asks whether that has changed."""
        self._unread = count

    def _moves(self, count: int) -> bool:
        """Whether what is not taken yet has changed, which is worth more time."""
        moves = 0 < count != self._unread
        self._unread = count
        if moves:
            self.deadline = self._worker.now + self._wait
        return moves

    def fileno(self) -> int:
        """The number of its descriptor; -1 if it is about to be closed."""
        return -1 if self._transport.is_closing() else int(self._transport.get_extra_info("socket").fileno())

    # The ends of a connection

    def write(self, data: bytes) -> None:
        """Send a part of the answer."""
        self._cork.write(self._transport, data)

    def cut_answer(self, failure: Failure, detail: str) -> None:
        """The answer that has begun will not be complete."""
        if self.exchange is not None:
            self.exchange.failure = failure
            self._worker.report(failure, detail, self.exchange)
        self.abort()

    def abort(self) -> None:
        """Cut the connection by a reset: the client must not take half an answer for a whole one."""
        sock = self._transport.get_extra_info("socket")
        if sock is not None:  # Over TLS it is gone a turn before anybody hears of it.
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
        self._transport.abort()

    def _turn_away(self, failure: Failure, status: int, detail: str, fields: bytes = b"") -> None:
        """Answer what did not become a request, and end the connection."""
        request_id = new_id()
        self._worker.refused(self.peer.address, status, failure, request_id)
        culprit = failure.culprit
        self.write(
            problem(status, failure.title, detail, request_id=request_id, culprit=culprit, close=True, fields=fields)
        )
        self._linger()

    def _close(self) -> None:
        """Close when everything is written."""
        self._cork.flush()
        self._transport.close()

    def _linger(self) -> None:
        """End our side, and read what still comes into nothing for a moment."""
        self._cork.flush()
        self._buffer = b""
        self._unread = unread(self._transport)
        self._expect(LINGER, LINGER_TIME)
        if self._transport.can_write_eof():
            self._transport.write_eof()
        self._pause_reading(False)
