"""One question to an HTTP server and the whole answer, bounded in bytes and time; without redirects or retries."""

import asyncio
import ssl
from dataclasses import dataclass
from urllib.parse import urlsplit

from strangler.http1.refusal import ResponseRefused
from strangler.http1.response import ResponseHead, ResponseParser
from strangler.model.failure import Failure
from strangler.upstream.connection import UpstreamConnection
from strangler.upstream.cork import Cork
from strangler.upstream.pool import EndpointPool

MOST = 256 * 1024
"""Bytes of an answer's content."""
_parser = ResponseParser()


class Unanswered(Exception):
    """There is no answer, or not the whole of it; the text says why, for the log."""

    def __init__(self, failure: Failure, detail: str, *, stale: bool = False) -> None:
        self.failure = failure
        self.stale = stale
        """Whether a kept connection turned out to be closed, which says nothing about the application."""
        super().__init__(detail)


class TooLong(Unanswered):
    """The answer has more content than was to be taken; the rest of it was not read."""


@dataclass(frozen=True, slots=True)
class Answer:
    """The whole of it."""

    head: ResponseHead
    content: bytes
    seconds: float
    """From the request's last byte out to the answer's last byte in."""

    @property
    def status(self) -> int:
        """The final status."""
        return self.head.status


class Question:
    """Waits for a connection and for the answer on it; whoever asks waits for ``answer``."""

    def __init__(self, request: bytes, most: int, *, bodiless: bool = False) -> None:
        """``bodiless`` if the request is a HEAD."""
        self._loop = asyncio.get_running_loop()
        self.answer: asyncio.Future[Answer] = self._loop.create_future()
        self.abandoned = False
        self.sent = 0.0
        """By the event loop's time; 0 until there is a connection."""
        self._request = request
        self._most = most
        self._bodiless = bodiless
        self._head: ResponseHead | None = None
        self._pieces: list[bytes] = []
        self._taken = 0
        self._reused = False
        self._connection: UpstreamConnection | None = None

    async def ask(self, pool: EndpointPool, *, repeatable: bool, fresh: bool = False) -> Answer:
        """Ask over a pool's connection. Raises ``Unanswered``."""
        connection = pool.take(self, repeatable=repeatable, fresh=fresh)
        if connection is not None:
            self.connected(connection)
        return await self.answer

    def connected(self, connection: UpstreamConnection) -> None:
        """Ask on this connection."""
        self._connection = connection
        self._reused = connection.idle_since > 0
        connection.begin(self, bodiless=self._bodiless)
        connection.write(self._request)
        connection.request_complete = True
        self.sent = self._loop.time()

    def not_connected(self, failure: Failure, detail: str) -> None:
        """There is nobody to ask."""
        self._fail(Unanswered(failure, detail))

    def informational(self, head: ResponseHead) -> None:
        """Nothing in it is of interest."""

    def switching(self, head: ResponseHead) -> None:
        """Nobody asked for that."""
        raise ResponseRefused("the answer switches to another protocol, for which nobody asked")

    def response_head(self, head: ResponseHead, pieces: list[bytes], *, ended: bool) -> None:
        """Keep the head; an answer that announces too much is not waited for."""
        self._head = head
        self._take(pieces, announced=0 if ended else head.length)

    def response_body(self, pieces: list[bytes], *, ended: bool) -> None:
        """Keep a part of the content."""
        self._take(pieces)

    def response_end(self) -> None:
        """The answer is complete."""
        self._connection = None
        assert self._head is not None
        if not self.answer.done():
            content = self._pieces[0] if len(self._pieces) == 1 else b"".join(self._pieces)
            self.answer.set_result(Answer(self._head, content, self._loop.time() - self.sent))

    def response_failed(self, failure: Failure, detail: str) -> None:
        """There is none."""
        self._connection = None
        self._fail(Unanswered(failure, detail, stale=failure is Failure.RESET_BEFORE_HEAD and self._reused))

    def sending_paused(self) -> None:
        """The request is already written as a whole."""

    def sending_resumed(self) -> None:
        """The same."""

    def abandon(self) -> None:
        """Nobody waits any more."""
        self.abandoned = True
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.discard()

    def _take(self, pieces: list[bytes], announced: int = 0) -> None:
        self._pieces += pieces
        self._taken += sum(map(len, pieces))
        if max(self._taken, announced) > self._most:
            self._fail(TooLong(Failure.BAD_RESPONSE, f"the answer is longer than {self._most} bytes"))
            self.abandon()

    def _fail(self, why: Unanswered) -> None:
        if not self.answer.done():
            self.answer.set_exception(why)


async def ask(
    pool: EndpointPool,
    request: bytes,
    *,
    timeout: float,  # noqa: ASYNC109 - it belongs to the question, and its end is an answer of a kind
    most: int = MOST,
    repeatable: bool = False,
    bodiless: bool = False,
) -> Answer:
    """Ask an application over its pool. Raises ``Unanswered``.

    ``repeatable``: the request may be sent once more should a kept connection turn out to be closed; ``bodiless``: it
    is a HEAD.
    """
    question = Question(request, most, bodiless=bodiless)
    try:
        async with asyncio.timeout(timeout):
            try:
                return await question.ask(pool, repeatable=repeatable)
            except Unanswered as why:
                if not (why.stale and repeatable):
                    raise
            question = Question(request, most, bodiless=bodiless)
            return await question.ask(pool, repeatable=True, fresh=True)
    except TimeoutError:
        failure = Failure.RESPONSE_TIMEOUT if question.sent else Failure.QUEUE_TIMEOUT
        raise Unanswered(failure, f"no answer from {pool.authority} within {timeout:g} s") from None
    finally:
        question.abandon()


class _NoHome:
    """A connection that is used once belongs nowhere."""

    def back(self, connection: UpstreamConnection) -> None:
        connection.discard()

    def gone(self, connection: UpstreamConnection) -> None:
        """Nobody counts it."""


async def fetch(url: str, *, timeout: float, tls: ssl.SSLContext | None, most: int = MOST) -> bytes:  # noqa: ASYNC109
    """The document at a URL, which must answer 200. Raises ``Unanswered``."""
    parts = urlsplit(url)
    host, secure = parts.hostname or "", parts.scheme == "https"
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    request = (
        f"GET {path} HTTP/1.1\r\nHost: {parts.netloc}\r\nAccept: application/json\r\n"
        "User-Agent: strangler\r\nConnection: close\r\n\r\n"
    )
    question = Question(request.encode("ascii"), most)
    try:
        async with asyncio.timeout(timeout):
            loop = asyncio.get_running_loop()
            _, connection = await loop.create_connection(
                lambda: UpstreamConnection(_NoHome(), _parser, Cork(loop)),
                host,
                parts.port or (443 if secure else 80),
                ssl=tls if secure else None,
            )
            question.connected(connection)
            answer = await question.answer
    except TimeoutError:
        raise Unanswered(Failure.RESPONSE_TIMEOUT, f"no answer from {url} within {timeout:g} s") from None
    except OSError as error:
        raise Unanswered(Failure.CONNECT, f"no connection to {url}: {error.strerror or error}") from None
    finally:
        question.abandon()
    if answer.status != 200:
        raise Unanswered(Failure.BAD_RESPONSE, f"{url} answered {answer.status}, not 200")
    return answer.content
