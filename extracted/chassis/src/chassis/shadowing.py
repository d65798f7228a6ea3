"""Middleware that lets a request with the gateway's shadow mark run in a transaction of which nothing stays.

The gateway asks the service what the monolith has done already. So the request comes with the rows as they were before
(`X-Strangler-Before`); they are put back, the handler runs, what it wrote is reported (`X-Strangler-Effects`), and
everything is undone before a byte of the answer goes out. `X-Strangler-Shadowed` says so. A mark that does not hold is
refused, and so is any mark while no secret is set: a shadowed request is never taken for one in earnest.
"""

import asyncio
import time
from collections.abc import Callable

import structlog
from prometheus_client import CollectorRegistry, Counter, Histogram
from sqlalchemy import event
from sqlalchemy.pool import Pool
from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from chassis.problems import Problem
from chassis.shadow import Outcome, Shadow, refuse_connection, working_for
from strangler_kit.effects import BEFORE_HEADER, EFFECTS_HEADER, ReportRefused, before_images, decode, recording
from strangler_kit.marks import SHADOW_HEADER, MarkRefused, verify
from strangler_kit.targets import of_asgi

SHADOWED_HEADER = "X-Strangler-Shadowed"
MAX_BODY = 8 * 1024 * 1024
"""Bytes of a request, and of an answer, that are kept in memory."""
LONGEST = 10.0
"""Seconds for the whole of it. The gateway gives up earlier, and what it does not wait for ends at once."""

_MARK = SHADOW_HEADER.lower().encode()
_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
_log = structlog.get_logger(__name__)


class ShadowMetrics:
    """What became of shadowed requests, and how long their transactions lasted (SQLite's writers wait that long)."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.requests = Counter("shadowed_requests", "Shadowed requests by outcome", ["outcome"], registry=registry)
        self.seconds = Histogram(
            "shadow_transaction_seconds", "From begin to rollback", buckets=_SECONDS, registry=registry
        )


class NotShadowed(Problem):
    """A mark that does not hold. The reason is in the log: it would only help who forges one."""

    def __init__(self) -> None:
        super().__init__(403, "shadow-refused", "Not shadowed", "This request cannot be shadowed.")


class ShadowFailed(Problem):
    """A shadowed request without an answer that could be compared."""

    def __init__(self, outcome: Outcome) -> None:
        detail = "Others hold the rows." if outcome is Outcome.LOCKED else "This request cannot be shadowed."
        headers = {SHADOWED_HEADER: outcome.value}
        super().__init__(503, f"shadow-{outcome.value}", "Not shadowed", detail, headers=headers)


class ShadowingMiddleware:
    """Stands outside everything that may turn an exception into an answer."""

    def __init__(
        self,
        app: ASGIApp,
        *,
        secret: bytes | None,
        metrics: ShadowMetrics,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.app = app
        self._secret = secret
        self._metrics = metrics
        self._clock = clock
        if secret is not None and not event.contains(Pool, "checkout", refuse_connection):
            event.listen(Pool, "checkout", refuse_connection)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or not any(name == _MARK for name, _ in scope["headers"]):
            await self.app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        try:
            self._verify(scope, headers.getlist(SHADOW_HEADER))
            rows = before_images(decode(before)) if (before := headers.get(BEFORE_HEADER)) else []
        except (MarkRefused, ReportRefused) as error:
            _log.warning("a shadowed request was refused", reason=str(error), path=scope["path"])
            await NotShadowed().response()(scope, receive, send)
            return
        with recording() as effects:
            shadow = Shadow(rows, effects)
            answer = await self._run(shadow, scope, receive)
        self._metrics.requests.labels(shadow.outcome.value).inc()
        self._metrics.seconds.observe(shadow.seconds)
        if shadow.outcome is Outcome.ROLLED_BACK:
            await answer.go(send)
        else:
            _log.warning("a shadowed request has no answer", outcome=shadow.outcome.value, reason=shadow.why)
            await ShadowFailed(shadow.outcome).response()(scope, receive, send)

    def _verify(self, scope: Scope, marks: list[str]) -> None:
        """Raise `MarkRefused` unless there is one mark, and it holds."""
        refused = MarkRefused("forged")
        if self._secret is None or len(marks) != 1:
            raise refused
        for target in of_asgi(scope):
            try:
                verify(self._secret, "shadow", scope["method"], target, marks[0], self._clock())
            except MarkRefused as error:
                refused = error
            else:
                return
        raise refused

    async def _run(self, shadow: Shadow, scope: Scope, receive: Receive) -> "_Answer":
        """Let the application answer, and undo what it did, also if the client leaves or the server ends meanwhile."""
        answer, request = _Answer(shadow), _Request(receive)

        async def work() -> None:
            with working_for(shadow):
                try:
                    await self.app(scope, request.receive, answer.keep)
                finally:
                    await shadow.end()

        if not await request.read():
            shadow.fail(Outcome.REFUSED, f"the request was cut, or is longer than {MAX_BODY} bytes")
            return answer
        working, leaving = asyncio.create_task(work()), asyncio.create_task(request.left())
        try:
            await asyncio.wait({working, leaving}, timeout=LONGEST, return_when=asyncio.FIRST_COMPLETED)
        finally:
            leaving.cancel()
            in_time = working.done() or not working.cancel()
            await asyncio.wait({working, leaving})
        error = None if working.cancelled() else working.exception()
        if not in_time:
            shadow.fail(Outcome.REFUSED, f"the client left, or it took longer than {LONGEST:g} s")
        elif not answer.whole and shadow.outcome is Outcome.ROLLED_BACK:
            shadow.fail(Outcome.REFUSED, f"there was no whole answer of at most {MAX_BODY} bytes: {error!r}")
        return answer


class _Request:
    """A request's body, read before it is handled; after that one can only hear that the client has left."""

    def __init__(self, receive: Receive) -> None:
        self._receive = receive
        self._body = bytearray()
        self._given = False
        self._left = asyncio.Event()

    async def read(self) -> bool:
        """Whether all of it came."""
        more = True
        while more and len(self._body) <= MAX_BODY:
            message = await self._receive()
            if message["type"] != "http.request":
                return False
            self._body += message.get("body", b"")
            more = message.get("more_body", False)
        return not more

    async def left(self) -> None:
        """Return when the client has left."""
        while (await self._receive())["type"] != "http.disconnect":
            pass
        self._left.set()

    async def receive(self) -> Message:
        """For the application."""
        if self._given:
            await self._left.wait()
            return {"type": "http.disconnect"}
        self._given = True
        return {"type": "http.request", "body": bytes(self._body), "more_body": False}


class _Answer:
    """What the application answers, kept until all is undone."""

    def __init__(self, shadow: Shadow) -> None:
        self._shadow = shadow
        self._start: Message = {}
        self._body = bytearray()
        self._effects = ""
        self.whole = False

    async def keep(self, message: Message) -> None:
        """For the application. With the last byte the report is closed: a background task adds nothing to it."""
        if message["type"] == "http.response.start":
            self._start = message
        elif message["type"] == "http.response.body" and len(self._body) <= MAX_BODY:
            self._body += message.get("body", b"")
            if not message.get("more_body", False) and len(self._body) <= MAX_BODY:
                await self._shadow.settle()
                self._effects = self._shadow.recording.header()
                self.whole = True

    async def go(self, send: Send) -> None:
        headers = MutableHeaders(raw=list(self._start.get("headers", ())))
        headers[SHADOWED_HEADER] = Outcome.ROLLED_BACK.value
        headers[EFFECTS_HEADER] = self._effects
        await send({**self._start, "headers": headers.raw})
        await send({"type": "http.response.body", "body": bytes(self._body)})
