"""One application that a replay asks: over HTTP, for the bytes of its answer, and for no longer than agreed."""

import asyncio
import time
from typing import Self
from urllib.parse import urlsplit

import httpx

from strangler.cli.failures import BadInput
from strangler.model.shadow import Heading
from strangler.shadow.answer import Answer, Question

_SAFE = frozenset((b"GET", b"HEAD", b"OPTIONS"))
_NOT_SENT = frozenset(
    (
        b"connection", b"content-length", b"expect", b"host", b"keep-alive", b"proxy-connection", b"te", b"trailer",
        b"transfer-encoding", b"upgrade",
    )
)  # fmt: skip
"""Headers of the connection on which the request once came; the others are sent as they were."""


class Unanswered(Exception):
    """There is no answer; ``heading`` says why, the text too, for people."""

    def __init__(self, heading: Heading, why: str, *, refused: bool = False) -> None:
        super().__init__(why)
        self.heading = heading
        self.refused = refused
        """Whether there was not even a connection."""


class LiveSide:
    """An application at a URL. Use it in ``async with``."""

    def __init__(self, option: str, url: str, *, seconds: float, most: int, connections: int) -> None:
        """``option`` names the one that said so. ``most``: bytes of an answer. Raises ``BadInput``."""
        self.option = option
        self.url = url
        self._base, self._prefix = _parts(option, url)
        self._seconds = seconds
        self._most = most
        limits = httpx.Limits(max_connections=connections, max_keepalive_connections=connections)
        # A proxy or a certificate that the environment names is not what is to be compared.
        self._client = httpx.AsyncClient(limits=limits, timeout=None, trust_env=False, follow_redirects=False)  # noqa: S113
        self.has_answered = False

    async def __aenter__(self) -> Self:
        await self._client.__aenter__()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._client.aclose()

    async def ask(self, question: Question) -> Answer:
        """The answer as it came. Raises ``Unanswered``."""
        try:
            async with asyncio.timeout(self._seconds):
                try:
                    answer = await self._asked(question)
                except (httpx.RemoteProtocolError, httpx.ReadError, httpx.WriteError):
                    # A kept connection may be closed at any moment; what may be asked twice is.
                    if question.method not in _SAFE:
                        raise
                    answer = await self._asked(question)
        except TimeoutError:
            why = f"{self.url} has not answered within {self._seconds:g} s"
            raise Unanswered(Heading.CANDIDATE_TIMEOUT, why) from None
        except httpx.TransportError as error:
            why = f"{self.url} does not answer ({error or type(error).__name__})"
            refused = isinstance(error, httpx.ConnectError)
            raise Unanswered(Heading.CANDIDATE_UNREACHABLE, why, refused=refused) from error
        self.has_answered = True
        return answer

    async def _asked(self, question: Question) -> Answer:
        host = [value for name, value in question.fields if name.lower() == b"host"]
        sent = [(name, value) for name, value in question.fields if name.lower() not in _NOT_SENT]
        if question.body or question.method not in _SAFE:
            sent.append((b"Content-Length", b"%d" % len(question.body)))
        request = httpx.Request(
            question.method.decode(),
            self._base,
            headers=[(b"Host", host[-1] if host else self._base.netloc), *sent],
            content=question.body,
            # httpx would tidy it up.
            extensions={"target": question.target if question.target == b"*" else self._prefix + question.target},
        )
        began = time.perf_counter()
        response = await self._client.send(request, stream=True)
        try:
            pieces, taken = [], 0
            async for piece in response.aiter_raw():
                taken += len(piece)
                if taken > self._most:
                    why = f"{self.url} answers more than {self._most} bytes"
                    raise Unanswered(Heading.CANDIDATE_TOO_LARGE, why)
                pieces.append(piece)
        finally:
            await response.aclose()
        seconds = time.perf_counter() - began
        return Answer(response.status_code, tuple(response.headers.raw), b"".join(pieces), seconds)


def _parts(option: str, url: str) -> tuple[httpx.URL, bytes]:
    """The origin, and the path that stands before every target."""
    remedy = "write http://HOST:PORT, perhaps with the path that stands before every other"
    try:
        parts = urlsplit(url)
        base = httpx.URL(f"{parts.scheme}://{parts.netloc}")
        _ = parts.port
    except (ValueError, httpx.InvalidURL) as error:
        raise BadInput(f"{option} {url}: {error}; {remedy}") from None
    if parts.scheme not in {"http", "https"} or not base.host or parts.username is not None:
        raise BadInput(f"{option} {url} is not the address of an application; {remedy}")
    if parts.query or parts.fragment or not url.isascii() or any(character <= " " for character in url):
        raise BadInput(f"{option} {url}: targets of requests are put behind it; {remedy}")
    return base, parts.path.rstrip("/").encode()
