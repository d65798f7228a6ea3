"""One question to an HTTP server, for the gateway's own needs: bounded in bytes and time, without redirects."""

import asyncio
import ssl
from dataclasses import dataclass
from urllib.parse import urlsplit

from strangler.http1.refusal import ResponseRefused
from strangler.http1.response import ResponseHead, ResponseParser
from strangler.model.failure import Failure
from strangler.policies.refusals import Unavailable
from strangler.upstream.connection import UpstreamConnection
from strangler.upstream.cork import Cork
from strangler.upstream.pool import EndpointPool

MOST = 256 * 1024
"""Bytes of an answer's body."""
_parser = ResponseParser()


@dataclass(frozen=True, slots=True)
class Answer:
    """The whole of it."""

    status: int
    body: bytes


class Question:
    """Waits for a connection and for the answer on it; whoever asks waits for ``answer``."""

    def __init__(self, request: bytes, most: int) -> None:
        self.answer: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        self.abandoned = False
        self._request = request
        self._most = most
        self._status = 0
        self._body: list[bytes] = []
        self._connection: UpstreamConnection | None = None

    def connected(self, connection: UpstreamConnection) -> None:
        """Ask."""
        self._connection = connection
        connection.begin(self, bodiless=False)
        connection.write(self._request)
        connection.request_complete = True

    def not_connected(self, failure: Failure, detail: str) -> None:
        """There is nobody to ask."""
        self._fail(detail)

    def informational(self, head: ResponseHead) -> None:
        """Nothing in it is of interest."""

    def switching(self, head: ResponseHead) -> None:
        """Nobody asked for that."""
        raise ResponseRefused("the answer switches to another protocol, for which nobody asked")

    def response_head(self, head: ResponseHead, pieces: list[bytes], *, ended: bool) -> None:
        """Note the status."""
        self._status = head.status
        self._take(pieces)

    def response_body(self, pieces: list[bytes], *, ended: bool) -> None:
        """Keep a part of the body."""
        self._take(pieces)

    def response_end(self) -> None:
        """The answer is complete."""
        self._connection = None
        if not self.answer.done():
            self.answer.set_result(Answer(self._status, b"".join(self._body)))

    def response_failed(self, failure: Failure, detail: str) -> None:
        """There is none."""
        self._connection = None
        self._fail(detail)

    def sending_paused(self) -> None:
        """The request is small and already written."""

    def sending_resumed(self) -> None:
        """The same."""

    def abandon(self) -> None:
        """Nobody waits any more."""
        self.abandoned = True
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.discard()

    def _take(self, pieces: list[bytes]) -> None:
        self._body += pieces
        if sum(map(len, self._body)) > self._most:
            self._fail(f"the answer is longer than {self._most} bytes")
            self.abandon()

    def _fail(self, why: str) -> None:
        if not self.answer.done():
            self.answer.set_exception(Unavailable(why))


async def ask(pool: EndpointPool, request: bytes, *, timeout: float, most: int = MOST) -> Answer:  # noqa: ASYNC109
    """Ask an application over its pool; the request may be sent twice. Raises ``Unavailable``."""
    question = Question(request, most)
    try:
        async with asyncio.timeout(timeout):
            connection = pool.take(question, repeatable=False)
            if connection is not None:
                question.connected(connection)
            return await question.answer
    except TimeoutError:
        raise Unavailable(f"no answer from {pool.authority} within {timeout:g} s") from None
    finally:
        question.abandon()


class _NoHome:
    """A connection that is used once belongs nowhere."""

    def back(self, connection: UpstreamConnection) -> None:
        connection.discard()

    def gone(self, connection: UpstreamConnection) -> None:
        """Nobody counts it."""


async def fetch(url: str, *, timeout: float, tls: ssl.SSLContext | None, most: int = MOST) -> bytes:  # noqa: ASYNC109
    """The document at a URL, which must answer 200. Raises ``Unavailable``."""
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
        raise Unavailable(f"no answer from {url} within {timeout:g} s") from None
    except OSError as error:
        raise Unavailable(f"no connection to {url}: {error.strerror or error}") from None
    finally:
        question.abandon()
    if answer.status != 200:
        raise Unavailable(f"{url} answered {answer.status}, not 200")
    return answer.body
