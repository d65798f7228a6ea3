"""An endpoint of the comparison as the engine asks it: requests as bytes, of one server's visitors."""

import contextlib
import http.client
from collections.abc import Iterable
from urllib.parse import urlsplit

from strangler.bench.endpoint import rendered
from strangler.shadow.answer import Answer, Question
from yardstick.frameworks.endpoints import Ask, Endpoint
from yardstick.frameworks.visitors import Visitors

_DIFFERENT = 512
"""Requests of an endpoint that reads: enough that no server answers out of a small cache."""
_HOST = "shop.example"
"""Of single questions, so that answers which name it are the same for all."""
_READY = 200
"""Requests that have something asked before them, made ready at a time, or a sixteenth of those that were wished for:
500 a second, where each is the checkout of a cart."""


class WrongAnswerError(RuntimeError):
    """A server does not answer an endpoint as it should; nothing of it may be timed."""


class Asking:
    """One endpoint of one server. Satisfies ``strangler.bench.rounds.Asked``."""

    def __init__(self, endpoint: Endpoint, visitors: Visitors) -> None:
        self.endpoint = endpoint
        self.name = endpoint.name
        self.right: frozenset[int] = frozenset()
        """Statuses of right answers: those of the answers that ``try_out`` found right."""
        self._visitors = visitors
        self._next = 0

    def try_out(self, url: str) -> None:
        """Ask once and look at the answer, which a load generator does not. Raises ``WrongAnswerError``."""
        self.answers(url, 1)

    def answers(self, url: str, count: int) -> list[tuple[Question, Answer]]:
        """Ask so often, and look at each answer. Raises ``WrongAnswerError``."""
        found = []
        statuses = set()
        numbers = range(first := self._take(count), first + count)
        self._make_ready(urlsplit(url).netloc, numbers)
        for number in numbers:
            ask = self.endpoint.ask(self._visitors, number)
            answer = send(url, ask)
            wrong = self.endpoint.wrong(self._visitors, number, answer.status, answer.body)
            if wrong:
                raise WrongAnswerError(f"{self.name} at {url}: {wrong}")
            statuses.add(answer.status)
            found.append((_question(ask), answer))
        self.right = frozenset(statuses)
        return found

    def requests(self, authority: str, count: int) -> list[bytes]:
        """``count`` that nobody has sent before where each makes something, else some hundred to be repeated.

        Asks what must have been asked before them. Raises ``WrongAnswerError``.
        """
        if not self.endpoint.makes:
            return [_rendered(self.endpoint.ask(self._visitors, number), authority) for number in range(_DIFFERENT)]
        if self.endpoint.before is not None:
            count = min(count, max(_READY, count // 16))
        numbers = range(first := self._take(count), first + count)
        self._make_ready(authority, numbers)
        return [_rendered(self.endpoint.ask(self._visitors, number), authority) for number in numbers]

    def _make_ready(self, authority: str, numbers: Iterable[int]) -> None:
        if (before := self.endpoint.before) is None:
            return
        with contextlib.closing(http.client.HTTPConnection(authority, timeout=30)) as connection:
            for number in numbers:
                answer = _sent(connection, before(self._visitors, number))
                if answer.status >= 400:
                    raise WrongAnswerError(
                        f"{self.name} at {authority}: before it, {answer.status} {answer.body[:300]!r}"
                    )

    def _take(self, count: int) -> int:
        """Numbers that are this caller's own; the first of them."""
        first = self._next
        self._next += count
        return first


def send(url: str, ask: Ask) -> Answer:
    """Send one request. Raises ``OSError`` and ``http.client.HTTPException``."""
    parts = urlsplit(url)
    with contextlib.closing(http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=30)) as connection:
        return _sent(connection, ask)


def _sent(connection: http.client.HTTPConnection, ask: Ask) -> Answer:
    connection.request(ask.method, ask.target, body=ask.body or None, headers={"Host": _HOST, **ask.headers})
    response = connection.getresponse()
    body = response.read()
    fields = tuple((name.encode("latin-1"), value.encode("latin-1")) for name, value in response.getheaders())
    return Answer(response.status, fields, body)


def _question(ask: Ask) -> Question:
    fields = tuple((name.encode(), value.encode()) for name, value in ask.headers.items())
    return Question(ask.method.encode(), ask.target.encode(), fields, ask.body)


def _rendered(ask: Ask, authority: str) -> bytes:
    return rendered(_question(ask), authority)
