"""One request on its way to an application and its answer on the way back, under backpressure both ways.

1. choose an endpoint and take a connection; without an idle one the request waits here, and the client's bytes wait too
2. send the head, then the body as it comes
3. relay the head of the answer, then its content as it comes
4. on failure before any byte of an answer: once more if ``judge_retry`` grants it, else to the monolith where the route
   falls back, else a problem; after: abort
"""

import time
from typing import TYPE_CHECKING

from strangler.dataplane.recovery import fall_back, may_fall_back, verdict
from strangler.http1.body import CHUNKED, LAST_CHUNK, UNTIL_CLOSE, chunk
from strangler.http1.refusal import ResponseRefused
from strangler.http1.response import NO_LENGTH, ResponseHead
from strangler.http1.serializer import request_head, response_head
from strangler.http1.websocket import OPENING, check_agreement
from strangler.model.failure import Failure
from strangler.model.route import Timeouts
from strangler.policies.transform.arm import ArmTransform
from strangler.policies.transform.shape import Unshapeable
from strangler.policies.transform.shaping import Shaping
from strangler.resilience.retry import IDEMPOTENT
from strangler.upstream.balancer import Balancer
from strangler.upstream.connection import UpstreamConnection
from strangler.upstream.pool import EndpointPool

if TYPE_CHECKING:
    from strangler.dataplane.downstream import Downstream
    from strangler.dataplane.exchange import Exchange


class Forwarding:
    """The relay between one client's request and one application's connection."""

    __slots__ = (
        "_chunked", "_connection", "_continue_due", "_downstream", "_exchange", "_shaping", "_timeouts", "abandoned",
        "answering", "attempts", "balancer", "body_passed", "pool", "reused", "sending_blocked",
    )  # fmt: skip

    def __init__(self, exchange: "Exchange", downstream: "Downstream", balancer: Balancer, timeouts: Timeouts) -> None:
        self._exchange = exchange
        self._downstream = downstream
        self._timeouts = timeouts
        self._connection: UpstreamConnection | None = None
        self._chunked = False
        self._shaping: Shaping | None = None
        """What collects the answer, where it is passed on in another shape."""
        self._continue_due = exchange.head.fields.expects_continue
        self.balancer = balancer
        self.pool: EndpointPool | None = None
        """The endpoint of the current attempt."""
        self.attempts = 0
        self.reused = False
        """Whether the connection had answered before."""
        self.body_passed = False
        """Whether the application may have a part of the request's body."""
        self.answering = False
        """Whether the answer's head has gone to the client."""
        self.sending_blocked = True
        """Whether the client's body has to wait: no connection yet, or the application is slower."""
        self.abandoned = False
        """Whether nobody waits for the answer any more."""
        balancer.requests += 1

    # 1. choose an endpoint and take a connection

    def begin(self, *, fresh: bool = False) -> None:
        """Start an attempt; ``fresh`` for one that must not meet another stale connection."""
        self.attempts += 1
        balancer = self.balancer
        if balancer.calm:
            pool = balancer.choose(self.pool)
        else:
            last_resort = not may_fall_back(self, self._exchange)
            chosen = balancer.choose_with_care(self, self.pool, last_resort=last_resort)
            if chosen is None:
                self._nobody_to_ask()
                return
            pool = chosen
        self.pool = pool
        self._exchange.attempts += 1
        repeatable = self._exchange.head.method in IDEMPOTENT and self._exchange.body is None
        connection = pool.take(self, repeatable=repeatable, fresh=fresh)
        if connection is not None:
            self.connected(connection)
        elif not self.abandoned and self._connection is None:  # Neither refused nor served elsewhere at once.
            self._downstream.await_response(balancer.upstream.pending_timeout)

    # 2. send the head, then the body as it comes

    def connected(self, connection: UpstreamConnection) -> None:
        """A connection to send on."""
        assert self.pool is not None
        exchange, downstream = self._exchange, self._downstream
        head = exchange.head
        exchange.endpoint = self.pool.authority
        self._connection = connection
        self.reused = connection.idle_since > 0
        connection.begin(self, bodiless=exchange.bodiless)
        dropped, added = downstream.peer.upstream_fields(head, exchange.ids)
        if head.fields.websocket and head.asks_for_tunnel:
            added += OPENING
        onward = exchange.active.topology.onward
        if onward is not None:
            dropped, added = onward.dropped(dropped), added + onward.fields(exchange.identity)
        host = head.host or self.pool.authority.encode()
        target: bytes | None = None
        arm, capture = exchange.arm, exchange.capture
        if arm is not None and arm.transform is not None and arm.transform.asks:
            if capture is not None:
                capture.before_changes(request_head(head, host, dropped, added))
            target = arm.transform.target(head)
            dropped, added = arm.transform.outgoing(exchange, dropped, added)
        sent = request_head(head, host, dropped, added, target)
        connection.write(sent if capture is None else capture.asked(sent))
        self.sending_blocked = False
        if exchange.body is None:
            self._request_sent()
        else:
            downstream.expect_body(self._timeouts.idle)

    def not_connected(self, failure: Failure, detail: str) -> None:
        """No connection is to be had."""
        self.fail(failure, detail)

    def pass_body(self, pieces: list[bytes], *, last: bool) -> None:
        """Send what the client sent of its body."""
        connection = self._connection
        if connection is None:
            return
        if pieces or last:  # The last chunk alone counts too: a second attempt could not send it again.
            self.body_passed = True
        if self._exchange.capture is not None:
            self._exchange.capture.passed(pieces)
        if self._exchange.head.length == CHUNKED:
            pieces = [chunk(piece) for piece in pieces]
            if last:
                pieces.append(LAST_CHUNK)
        if pieces:
            connection.write(pieces[0] if len(pieces) == 1 else b"".join(pieces))
        if last:
            self._request_sent()

    def _request_sent(self) -> None:
        connection = self._connection
        if connection is not None:
            connection.request_complete = not self._continue_due
        if not self.answering:
            self._downstream.await_response(self._timeouts.response)

    def sending_paused(self) -> None:
        """The application is slower than the client."""
        self.sending_blocked = True
        self._downstream.note_unread(self.unread)

    def sending_resumed(self) -> None:
        """The application has caught up."""
        self.sending_blocked = False
        self._downstream.expect_body(self._timeouts.idle)

    @property
    def unread(self) -> int:
        """Bytes of the request that the application has not taken yet."""
        return self._connection.unread if self._connection is not None else 0

    # 3. relay the head of the answer, then its content as it comes

    def informational(self, head: ResponseHead) -> None:
        """Pass a 1xx on; an HTTP/1.0 client would not understand it."""
        if head.status == 100:
            if not self._continue_due:
                return  # The gateway passed Expect on, or the client did not ask.
            self._continue_due = False
        if self._exchange.head.minor:
            self._downstream.write(response_head(head.status, head.reason, head.fields))
            if self._downstream.writing_blocked:
                self.pause()

    def switching(self, head: ResponseHead) -> None:
        """Turn both connections into a tunnel. Raises ``ResponseRefused`` unless the client asked for just that."""
        exchange, connection = self._exchange, self._connection
        if connection is None or not exchange.head.asks_for_tunnel:
            raise ResponseRefused("the answer is a 101, for which nobody asked")
        check_agreement(exchange.head.fields, head.agreement)
        if self.pool is not None:
            self.pool.standing.answered += 1
            self.pool.note_answer(self, head.status)
        self._connection = exchange.forwarding = exchange.deadline = None  # A tunnel is as long as it is.
        exchange.status = head.status
        added = OPENING + exchange.ids.line + exchange.answer_fields
        answer = response_head(head.status, head.reason, head.fields, added)
        self._downstream.open_tunnel(connection, answer, self._timeouts.tunnel_idle)

    def response_head(self, head: ResponseHead, pieces: list[bytes], *, ended: bool) -> None:
        """Pass the final head on, with a framing that this client understands, and what came along with it."""
        assert self.pool is not None
        standing = self.pool.standing
        standing.answered += 1
        if head.status >= 500 or standing.troubled:
            self.pool.note_answer(self, head.status)
            if self._is_repeated(head.status):
                return
        arm = self._exchange.arm
        if arm is not None and arm.transform is not None and (head.located or arm.transform.every_answer):
            self._change(arm.transform, head, pieces, ended=ended)
        else:
            self._pass_on(head, pieces, ended=ended)

    def _change(self, transform: ArmTransform, head: ResponseHead, pieces: list[bytes], *, ended: bool) -> None:
        """Pass the answer on as the route wants it; one whose content is shaped waits until it is complete."""
        try:
            self._shaping = transform.answer(self._exchange, head)
        except Unshapeable as error:
            self._downstream.answer_failure(Failure.NOT_SHAPED, str(error))
            return
        if self._shaping is not None:
            self._collect(self._shaping, pieces, ended=ended)
        else:
            self._pass_on(head, pieces, ended=ended)

    def _collect(self, shaping: Shaping, pieces: list[bytes], *, ended: bool) -> None:
        try:
            ready = shaping.feed(pieces, ended=ended)
        except Unshapeable as error:
            self._shaping = None
            self._downstream.answer_failure(Failure.NOT_SHAPED, str(error))
            return
        if ready:
            self._shaping = None
            self._pass_on(shaping.head, shaping.pieces, ended=ended)
        else:
            self._downstream.await_response(self._timeouts.idle)

    def _pass_on(self, head: ResponseHead, pieces: list[bytes], *, ended: bool) -> None:
        exchange = self._exchange
        self.answering = True
        exchange.status = head.status
        if not ended:
            exchange.answered = time.perf_counter()
        if exchange.body is not None:
            exchange.keep_alive = False  # An early answer: the rest of the request is not worth reading.
        added = exchange.ids.line + exchange.answer_fields
        length = head.length
        if ended and length in {CHUNKED, UNTIL_CLOSE}:
            length = sum(map(len, pieces))  # It is all here, so nothing has to be cut into chunks.
        if length >= 0:
            added += b"\r\nContent-Length: %d" % length
        elif length != NO_LENGTH and exchange.head.minor:
            self._chunked = True
            added += b"\r\nTransfer-Encoding: chunked"
        elif length != NO_LENGTH:
            exchange.keep_alive = False
        if not exchange.keep_alive or self._downstream.stopping:
            exchange.keep_alive = False
            added += b"\r\nConnection: close"
        elif not exchange.head.minor:
            added += b"\r\nConnection: keep-alive"
        rendered = response_head(head.status, head.reason, head.fields, added)
        if exchange.capture is not None:
            exchange.capture.answered(rendered, head)
        self._relay([rendered], pieces, ended=ended)

    def response_body(self, pieces: list[bytes], *, ended: bool) -> None:
        """Pass a part of the content on."""
        if self._shaping is not None:
            self._collect(self._shaping, pieces, ended=ended)
        else:
            self._relay([], pieces, ended=ended)

    def _relay(self, parts: list[bytes], pieces: list[bytes], *, ended: bool) -> None:
        """One write, which is one system call, for all that arrived at once."""
        if self._exchange.capture is not None:
            self._exchange.capture.relayed(pieces, ended=ended)
        for piece in pieces:
            self._exchange.bytes_out += len(piece)
            parts.append(chunk(piece) if self._chunked else piece)
        if ended and self._chunked:
            parts.append(LAST_CHUNK)
        if parts:
            self._downstream.write(parts[0] if len(parts) == 1 else b"".join(parts))
        if not ended:
            self._await_more()
            if self._downstream.writing_blocked:  # Since before this connection was taken: it is not said again.
                self.pause()

    def response_end(self) -> None:
        """The answer is complete."""
        self._connection = None
        self._downstream.complete()

    def _await_more(self) -> None:
        self._downstream.await_more(self._timeouts.idle)

    def pause(self) -> None:
        """The client is slower than the application."""
        if self._connection is not None:
            self._connection.pause_reading()

    def resume(self) -> None:
        """The client has caught up."""
        if self._connection is not None:
            self._connection.resume_reading()

    # 4. on failure: once more, the monolith, a problem, or the end

    def response_failed(self, failure: Failure, detail: str) -> None:
        """The connection ended before the answer did."""
        self._connection = None
        self.fail(failure, detail)

    def overdue(self, seconds: float, *, sending: bool) -> None:
        """What was waited for did not come within ``seconds``."""
        if self._connection is None:
            self.fail(Failure.QUEUE_TIMEOUT, f"no connection was free within {seconds:g} s")
        elif not sending:
            self.fail(Failure.RESPONSE_TIMEOUT, f"no answer within {seconds:g} s")
        else:
            stalled = Failure.SEND_TIMEOUT if self.sending_blocked else Failure.REQUEST_TIMEOUT
            self.fail(stalled, f"no progress of the request's body within {seconds:g} s")

    def abandon(self) -> None:
        """Nobody waits for the answer any more: stop the application's work on it."""
        self.abandoned = True
        self.step_aside()
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.discard()

    def step_aside(self) -> None:
        """Be no probe of a breaker any more: others may find out how the endpoint is."""
        if self.pool is not None and self.pool.standing.troubled:
            self.pool.standing.left(self)

    def fail(self, failure: Failure, detail: str) -> None:
        """This attempt came to nothing."""
        if self.pool is not None:
            self._note(self.pool, failure)
        if self._shaping is not None:
            self._shaping = None
            failure = failure if failure.status else Failure.BAD_RESPONSE  # Nothing of it has been passed on.
        if self.answering:
            self._downstream.cut_answer(failure, detail)
        elif self.pool is not None and verdict(failure, self, self._exchange).granted:
            self._exchange.recovered_from = failure
            self._again()
        elif may_fall_back(self, self._exchange, failure):
            self._go_to_monolith(failure)
        else:
            self._downstream.answer_failure(failure, detail)

    def _note(self, pool: EndpointPool, failure: Failure) -> None:
        """What it says about the endpoint."""
        stale = failure is Failure.RESET_BEFORE_HEAD and self.reused
        unsent = failure is Failure.DEADLINE and (self._connection is None or not self._connection.request_complete)
        if stale or unsent or (failure is Failure.DEADLINE and self.answering):
            pool.standing.left(self)
        else:
            pool.note_failure(self, failure)

    def _nobody_to_ask(self) -> None:
        name = self.balancer.upstream.name
        self.pool = None
        if self.balancer.pools and not self.balancer.askable():
            self.fail(Failure.BREAKER_OPEN, f"the breaker of every endpoint of {name} is open")
        else:
            self.fail(Failure.NO_ENDPOINT, f"no endpoint of {name} can be asked")

    def _is_repeated(self, status: int) -> bool:
        """Whether the request is sent again in place of passing this answer on."""
        route = self._exchange.route
        if route is None or status not in route.route.retries.statuses:
            return False
        if not verdict(None, self, self._exchange).granted:
            return False
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.discard()
        self._again()
        return True

    def _again(self) -> None:
        self.sending_blocked = True
        self.begin(fresh=True)

    def _go_to_monolith(self, cause: Failure) -> None:
        self._exchange.recovered_from = cause
        self.balancer = fall_back(self._exchange, cause)
        self.balancer.requests += 1
        self.pool = None
        self.attempts = 0
        self.sending_blocked = True
        self.begin()
