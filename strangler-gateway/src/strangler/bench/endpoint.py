"""An endpoint to measure: the requests that are sent to it, as questions and as bytes."""

import itertools
import re
import secrets
from collections.abc import Iterator
from dataclasses import dataclass, replace

from strangler.shadow.answer import Question

UNIQUE = b"{unique}"
"""Stands for a text that no other request has had; anywhere in a target, a header or a body."""
_RANGE = re.compile(r"\{(\d{1,9})\.\.(\d{1,9})\}")
MOST_TARGETS = 10_000
_FRAMING = frozenset((b"connection", b"content-length", b"host", b"keep-alive", b"transfer-encoding"))


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One endpoint."""

    name: str
    questions: tuple[Question, ...]
    """Asked in turn."""
    right: frozenset[int] = frozenset((200,))
    """Statuses of right answers."""
    why: str = ""
    """What measuring it shows."""

    @property
    def is_unique(self) -> bool:
        """Whether no two of its requests are the same."""
        return any(UNIQUE in part for question in self.questions for part in _parts(question))

    def asked(self) -> Iterator[Question]:
        """Its questions, without end. Those of one call have no unique text in common with those of another."""
        if not self.is_unique:
            yield from itertools.cycle(self.questions)
        run = secrets.token_hex(4)
        for number, question in enumerate(itertools.cycle(self.questions)):
            yield _filled(question, b"%s-%d" % (run.encode(), number))

    def requests(self, authority: str, count: int) -> list[bytes]:
        """Requests for a server at ``host:port``, in turn: ``count`` of them where each is unique, else each once."""
        wanted = count if self.is_unique else len(self.questions)
        return [rendered(question, authority) for question in itertools.islice(self.asked(), wanted)]


def targets(text: str) -> list[str]:
    """``/products/{1..3}`` as the three targets that it stands for. Raises ``ValueError`` with the remedy."""
    found = _RANGE.search(text)
    if found is None:
        return [text]
    first, last = int(found[1]), int(found[2])
    if first > last:
        raise ValueError(f"{found[0]} counts down; write {{{last}..{first}}}")
    if last - first >= MOST_TARGETS:
        raise ValueError(f"{found[0]} is more than {MOST_TARGETS:,} targets; write a shorter one")
    if _RANGE.search(text, found.end()):
        raise ValueError("there are two ranges in it; only one can be counted through")
    return [text[: found.start()] + str(number) + text[found.end() :] for number in range(first, last + 1)]


def rendered(question: Question, authority: str) -> bytes:
    """The request as bytes of HTTP/1.1, over a connection that is kept."""
    lines = [b"%s %s HTTP/1.1" % (question.method, question.target), b"Host: " + authority.encode()]
    lines += [b"%s: %s" % field for field in question.fields if field[0].lower() not in _FRAMING]
    if question.body or question.method not in {b"GET", b"HEAD", b"OPTIONS", b"DELETE"}:
        lines.append(b"Content-Length: %d" % len(question.body))
    return b"\r\n".join((*lines, b"", question.body))


def _parts(question: Question) -> tuple[bytes, ...]:
    return (question.target, question.body, *(value for _, value in question.fields))


def _filled(question: Question, text: bytes) -> Question:
    return replace(
        question,
        target=question.target.replace(UNIQUE, text),
        fields=tuple((name, value.replace(UNIQUE, text)) for name, value in question.fields),
        body=question.body.replace(UNIQUE, text),
    )
