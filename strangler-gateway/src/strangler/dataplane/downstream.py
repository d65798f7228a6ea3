"""A client's connection: cuts its bytes into requests, answers them in order, and keeps every wait bounded."""

import asyncio
import math
import time
from collections.abc import Awaitable
from typing import TYPE_CHECKING, cast

from strangler.dataplane import pipeline
from strangler.dataplane.answers import problem
from strangler.dataplane.exchange import Exchange
from strangler.dataplane.forwarded import Peer
from strangler.dataplane.phase import BODY, HEAD, IDLE, LINGER, RELAY, RESPONSE, TUNNEL
from strangler.dataplane.tunnel import Tunnel
from strangler.dataplane.waits import Waits
from strangler.http1.body import ChunkError
from strangler.http1.frames import GOING_AWAY
from strangler.http1.refusal import RequestRefused
from strangler.model.failure import Failure
from strangler.policies.guard import Denied
from strangler.upstream.connection import WRITE_HIGH
from strangler.upstream.unread import arrived, unread

if TYPE_CHECKING:
    from strangler.dataplane.worker import Worker
    from strangler.upstream.connection import UpstreamConnection


class Downstream(Waits):
    """The asyncio side of one client. At most one exchange at a time; pipelined requests wait unread."""

    __slots__ = ("_advancing", "_paused", "_waiting", "stopping", "writing_blocked")

    def __init__(self, worker: "Worker") -> None:
        super().__init__(worker)
        self._paused = False
        self._advancing = False
        self.writing_blocked = False
        """Whether the client reads more slowly than the application answers."""
        self._waiting: asyncio.Task[None] | None = None
        """What a request waits for before it may go on; requests that need not wait have no task."""
        self.stopping = False

    # What the event loop calls

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Take the connection, or turn it away at the cap."""
        self._transport = cast("asyncio.Transport", transport)
        self._transport.set_write_buffer_limits(WRITE_HIGH)
        address = transport.get_extra_info("peername")
        secure = transport.get_extra_info("ssl_object") is not None
        self.peer = Peer(address[0] if address else "", self._worker.trusted, secure=secure)
        self._expect(IDLE, self._worker.limits.idle_timeout)
        failure = self._worker.admit(self)
        if failure is not None:
            self._turn_away_at_once(failure)

    def _turn_away_at_once(self, failure: Failure) -> None:
        """Answer before anything is asked, and end; in silence, if too many others are being told the same."""
        if self._worker.clients.may_turn_away(self):
            self._turn_away(failure, failure.status, f"{failure.title}.", b"\r\nRetry-After: 1")
        else:
            self._worker.counters.failures[failure] += 1
            self._transport.abort()

    def data_received(self, data: bytes) -> None:
        """Take what the client sent as far as it can be taken now."""
        if self._phase is LINGER:
            return
        self._buffer = self._buffer + data if self._buffer else data
        self._advance()

    def eof_received(self) -> bool:
        """A client that closes its side is gone, as for nginx: what it asked for is not worth finishing."""
        exchange = self.exchange
        if exchange is not None and exchange.forwarding is not None and exchange.forwarding.answering:
            self.abort()  # An end without a reset could make the part that it has the whole.
        return False

    def connection_lost(self, exc: Exception | None) -> None:
        """Stop the application's work on a request that nobody waits for."""
        self._worker.forget(self)
        self._buffer = b""
        self.deadline = math.inf
        exchange, self.exchange = self.exchange, None
        self._stop_waiting()
        if exchange is not None:
            if exchange.forwarding is not None:
                exchange.forwarding.abandon()
                exchange.forwarding = None
            if exchange.failure is None:
                exchange.failure = Failure.CLIENT_GONE
            self._worker.finished(exchange)

    def pause_writing(self) -> None:
        """The client reads more slowly than the application answers."""
        self.writing_blocked = True
        self._unread = unread(self._transport)
        if self.exchange is not None and self.exchange.forwarding is not None:
            self.exchange.forwarding.pause()
        elif self._phase is HEAD:  # It is not late with its request: nothing more of it is read now.
            self._expect(IDLE, self._worker.limits.idle_timeout)

    def resume_writing(self) -> None:
        """The client has caught up."""
        self.writing_blocked = False
        if self.exchange is not None and self.exchange.forwarding is not None:
            self.exchange.forwarding.resume()
        elif self._buffer:
            self._advance()

    # From bytes to requests

    def _advance(self) -> None:
        """Take requests and bodies out of the buffer until it is empty or something has to be waited for."""
        if self._advancing:
            return  # An answer that was ready at once ended an exchange inside this very loop.
        self._advancing = True
        try:
            while self._buffer and self._take():
                pass
        finally:
            self._advancing = False
        self._pause_reading(bool(self._buffer) and (self.exchange is not None or self.writing_blocked))

    def _pause_reading(self, wanted: bool) -> None:  # noqa: FBT001 - it is the state to reach
        if wanted is not self._paused and not self._transport.is_closing():
            self._paused = wanted
            self._worker.clients.note_paused(self, wanted)
            if wanted:
                self._transport.pause_reading()
            else:
                self._transport.resume_reading()

    def _take(self) -> bool:
        """Take one head or a part of a body; False if that has to wait."""
        exchange = self.exchange
        if self._phase is LINGER:
            self._buffer = b""
            return False
        try:
            if exchange is None:
                return not self.writing_blocked and self._take_head()
            if exchange.body is None or exchange.forwarding is None or exchange.forwarding.sending_blocked:
                return False
            self._take_body(exchange)
        except RequestRefused as refused:
            self._refuse(refused)
        except Denied as denied:
            self.turn_away(denied)
        return True

    def _take_head(self) -> bool:
        limits = self._worker.limits
        buffer = self._buffer
        if buffer[:1] == b"\r":
            buffer = self._buffer = _without_empty_lines(buffer)
        end = buffer.find(b"\r\n\r\n") + 4
        if end > limits.header_bytes or (end == 3 and len(buffer) > limits.header_bytes):
            if buffer.find(b"\r\n", 0, limits.target_bytes + 64) < 0:
                raise RequestRefused(414, f"the request target is longer than {limits.target_bytes} bytes")
            raise RequestRefused(431, f"the request's head is longer than {limits.header_bytes} bytes")
        if end == 3:
            if buffer and buffer != b"\r" and not b"A" <= buffer[:1] <= b"Z":
                raise RequestRefused(400, "the connection does not begin with an HTTP request")
            if self._phase is not HEAD:
                self._expect(HEAD, limits.header_timeout)
            return False
        head = self._worker.parser.parse(buffer[:end])
        self._buffer = buffer[end:]
        self.exchange = exchange = Exchange(head, self._worker.active, self.peer.client(head), self.peer.scheme)
        self._worker.in_flight += 1
        pipeline.run(exchange, self)
        return True

    def _take_body(self, exchange: Exchange) -> None:
        assert exchange.body is not None
        assert exchange.forwarding is not None
        before = len(self._buffer)
        try:
            pieces, self._buffer = exchange.body.feed(self._buffer)
        except ChunkError as error:
            raise RequestRefused(400, f"{error} (RFC 9112 §7.1)") from None
        exchange.bytes_in += before - len(self._buffer)
        last = exchange.body.done
        self.deadline = self._worker.now + self._wait
        if last:
            exchange.body = None
        exchange.forwarding.pass_body(pieces, last=last)

    # What the pipeline calls

    def judge_tunnel(self) -> None:
        """Raises ``Denied`` if there are as many tunnels as may be."""
        if self._worker.tunnels.value >= self._worker.limits.tunnels:
            raise Denied(Failure.TUNNELS_FULL, "As many connections of this kind are open as may be.")

    def wait(self, waiting: Awaitable[None]) -> None:
        """Let the request go on when this is done; the client may leave, and the deadline may pass, before."""
        exchange = self.exchange
        assert exchange is not None
        assert exchange.route is not None
        self._expect(RESPONSE, exchange.route.route.timeouts.response)
        self._waiting = self._worker.loop.create_task(self._go_on(waiting, exchange))

    async def _go_on(self, waiting: Awaitable[None], exchange: Exchange) -> None:
        try:
            await waiting
            self._waiting = None
            pipeline.proceed(exchange, self)
        except RequestRefused as refused:
            self._refuse(refused)
        except Denied as denied:
            self.turn_away(denied)
        except Exception as error:
            if self.exchange is not exchange:
                raise
            self.answer_failure(Failure.POLICY_UNAVAILABLE, f"{type(error).__name__}: {error}")

    def hold_on(self, seconds: float) -> None:
        """The request is held, at most for so long."""
        if self.exchange is not None:
            self.exchange.held -= time.perf_counter()
        self._expect(RESPONSE, 2 * seconds)  # The hold's own end comes first; this is for the case that it does not.

    def go_on(self) -> None:
        """The hold is over."""
        if self.exchange is not None:
            self.exchange.held += time.perf_counter()
            pipeline.resume(self.exchange, self, self._worker.active)

    def _stop_waiting(self) -> None:
        waiting, self._waiting = self._waiting, None
        if waiting is not None:
            waiting.cancel()

    # What the forwarder calls

    def expect_body(self, seconds: float) -> None:
        """The application takes more of the body; the next part is due."""
        exchange = self.exchange
        if exchange is not None and exchange.body is not None:
            if exchange.forwarding is None or not exchange.forwarding.answering:
                self._expect(BODY, seconds)
            self._advance()
            self._watch(exchange)

    def _watch(self, exchange: Exchange) -> None:
        """Judge the pace of a body that is not complete; asked there, mypyc would go by what it was before."""
        if exchange.body is not None:
            self._worker.uploads.watch(exchange, self)

    def await_response(self, seconds: float) -> None:
        """The request is sent; its answer is due."""
        self._expect(RESPONSE, seconds)

    def await_more(self, seconds: float) -> None:
        """A part of the answer came; the next is due."""
        self._phase = RELAY
        self._wait = seconds
        self.deadline = self._worker.now + seconds

    def complete(self) -> None:
        """The answer is written; on to the next request, or to the end."""
        exchange, self.exchange = self.exchange, None
        if exchange is None:
            return
        exchange.forwarding = None  # The two know each other: without this only the garbage collector frees them.
        self._worker.finished(exchange)
        if exchange.body is not None or (exchange.failure is not None and exchange.failure is Failure.REQUEST):
            self._linger()
        elif not exchange.keep_alive or self.stopping:
            if self._buffer or self._paused:
                self._linger()  # Closing over unread bytes would be a reset, and the answer may still be on its way.
            else:
                self._close()
        else:
            self._expect(IDLE, self._worker.limits.idle_timeout)
            if self._buffer or self._paused:
                self._advance()

    def answer_failure(self, failure: Failure, detail: str) -> None:
        """Tell the client that the application did not answer; the detail goes to the log only."""
        exchange = self.exchange
        if exchange is not None:
            self._worker.report(failure, detail, exchange)
            self._answer(exchange, failure, failure.status, failure.title, "")

    def open_tunnel(self, connection: "UpstreamConnection", answer: bytes, idle: float) -> None:
        """Become a tunnel to the application; ``answer`` is the head that says so."""
        assert self.exchange is not None
        try:
            self.judge_tunnel()  # Once more: others have become tunnels since this one was asked for.
        except Denied as denied:
            connection.discard()
            self.turn_away(denied)
        else:
            Tunnel(self.exchange, self, self._worker, idle).open(connection, answer)

    # What a tunnel calls

    def turn_into(self, tunnel: Tunnel, idle: float) -> tuple[asyncio.Transport, bytes]:
        """Leave the transport to a tunnel, and what the client has sent behind its request."""
        rest, self._buffer = self._buffer, b""
        self.tunnel = tunnel
        self._pause_reading(False)
        self._expect(TUNNEL, idle)
        return self._transport, rest

    def tunnel_ended(self) -> None:
        """The client of a tunnel is gone."""
        exchange, self.exchange = self.exchange, None
        self.tunnel = None
        self.connection_lost(None)
        if exchange is not None:
            self._worker.finished(exchange)

    # The gateway's own answers

    def _refuse(self, refused: RequestRefused) -> None:
        exchange = self.exchange
        if exchange is None:
            self._turn_away(Failure.REQUEST, refused.status, refused.detail)
            return
        if exchange.forwarding is not None and exchange.forwarding.answering:
            exchange.failure = Failure.REQUEST
            self.abort()
            return
        exchange.keep_alive = False
        self._answer(exchange, Failure.REQUEST, refused.status, Failure.REQUEST.title, refused.detail)

    def turn_away(self, denied: Denied) -> None:
        """A policy does not let the request pass; the connection is as good as before."""
        exchange = self.exchange
        if exchange is not None:
            failure = denied.failure
            exchange.answer_fields += denied.fields
            self._answer(exchange, failure, failure.status, failure.title, denied.detail)

    def _answer(self, exchange: Exchange, failure: Failure, status: int, title: str, detail: str) -> None:
        """Answer the exchange in the application's place and finish it."""
        self._stop_waiting()
        if exchange.forwarding is not None:
            exchange.forwarding.abandon()
        exchange.failure = failure
        exchange.status = status
        if exchange.body is not None or self.stopping:
            exchange.keep_alive = False
        self.write(
            problem(
                status,
                title,
                detail or f"{title}.",
                request_id=exchange.ids.request_id,
                culprit=failure.culprit,
                close=not exchange.keep_alive,
                bodiless=exchange.bodiless,
                fields=exchange.answer_fields,
            )
        )
        self.complete()

    # The end

    def stop(self) -> None:
        """The worker is stopping: finish what has begun, take nothing more."""
        self.stopping = True
        if self.tunnel is not None:
            self.tunnel.close(GOING_AWAY)
        elif self.exchange is None and self._phase is not LINGER and not self._buffer and not arrived(self._transport):
            self._close()


def _without_empty_lines(buffer: bytes) -> bytes:
    """What comes behind empty lines, which may stand before a request (RFC 9112 §2.2)."""
    start = 0
    while buffer.startswith(b"\r\n", start):
        start += 2
    return buffer[start:]
