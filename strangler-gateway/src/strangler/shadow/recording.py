"""Recorded exchanges as lines of JSON: what ``strangler record`` writes and ``strangler replay`` reads. No I/O.

The first line says what the others are; each of those is one exchange, redacted by whoever made it.
"""

import base64
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import msgspec

from strangler.model.errors import StranglerError
from strangler.model.shadow import Shadow
from strangler.shadow.answer import Answer, Fields, Question

VERSION = 1
LONGEST_LINE = 64 * 1024 * 1024
"""Bytes: no exchange that was recorded has as many."""


class RecordingUnreadable(StranglerError):
    """Says in which line, and what to do."""

    def __init__(self, line: int, why: str) -> None:
        super().__init__(f"line {line}: {why}")
        self.line = line


@dataclass(frozen=True, slots=True)
class Head:
    """The first line. ``recording`` is the version of the form."""

    route: str
    shadow: Shadow
    """How the route was shadowed then: by these rules its answers are compared, and were redacted."""
    began: float
    """Seconds since the epoch, as ``ended``."""
    ended: float
    exchanges: int
    redacted: Mapping[str, int] = field(default_factory=dict)
    """What was replaced, and in how many exchanges: ``request.header.authorization``, ``request.query.q``,
    ``request.body``, ``answer.body`` …"""
    recording: int = VERSION


@dataclass(frozen=True, slots=True)
class Recorded:
    """One exchange."""

    at: float
    """When it was answered: seconds since the epoch."""
    question: Question
    answer: Answer
    redacted: tuple[str, ...] = ()
    """As in ``Head.redacted``."""

    @property
    def is_whole(self) -> bool:
        """Whether it can be asked again as it was, but for headers that may be put back."""
        return not any(name.startswith(("request.query", "request.path", "request.body")) for name in self.redacted)

    @property
    def missing(self) -> frozenset[str]:
        """Lower-case names of the request's headers that were replaced."""
        prefix = "request.header."
        return frozenset(name.removeprefix(prefix) for name in self.redacted if name.startswith(prefix))


class _Answer(msgspec.Struct, kw_only=True, omit_defaults=True):
    status: int
    seconds: float = 0.0
    headers: list[tuple[str, str]] = []
    body: str = ""
    body_base64: str = ""


class _Line(msgspec.Struct, kw_only=True, omit_defaults=True):
    at: float
    method: str
    target: str
    headers: list[tuple[str, str]] = []
    body: str = ""
    body_base64: str = ""
    answer: _Answer
    redacted: list[str] = []


_heads = msgspec.json.Decoder(Head)
_lines = msgspec.json.Decoder(_Line)


def recorded_of(at: float, question: Question, answer: Answer, kept: Question, kept_answer: Answer) -> Recorded:
    """An exchange as it may be kept: ``kept`` and ``kept_answer`` are what redaction left of the other two."""
    return Recorded(at, kept, kept_answer, tuple(_replaced(question, answer, kept, kept_answer)))


def head_line(head: Head) -> bytes:
    """Without the end of the line."""
    return msgspec.json.encode({"recording": head.recording, **msgspec.to_builtins(head)})


def exchange_line(recorded: Recorded) -> bytes:
    """Without the end of the line."""
    question, answer = recorded.question, recorded.answer
    told = _Answer(
        status=answer.status, seconds=round(answer.seconds, 6), headers=_pairs(answer.fields), **_body(answer.body)
    )
    line = _Line(
        at=round(recorded.at, 3),
        method=question.method.decode("latin-1"),
        target=question.target.decode("latin-1"),
        headers=_pairs(question.fields),
        answer=told,
        redacted=list(recorded.redacted),
        **_body(question.body),
    )
    return msgspec.json.encode(line)


def read_head(line: bytes) -> Head:
    """Raises ``RecordingUnreadable``."""
    try:
        version = msgspec.json.decode(line).get("recording")
    except (msgspec.MsgspecError, UnicodeDecodeError, AttributeError):
        version = None
    if version is None:
        raise RecordingUnreadable(1, "this is no recording; `strangler record ROUTE --output FILE` makes one")
    if version != VERSION:
        remedy = "replay it by the version of strangler that made it, or record anew"
        raise RecordingUnreadable(1, f"its form is {version!r}, and this strangler reads {VERSION}; {remedy}")
    try:
        return _heads.decode(line)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise RecordingUnreadable(1, f"the head of the recording is damaged: {error}; record anew") from error


def read_exchange(line: bytes, number: int) -> Recorded:
    """``number``: of the line, counted from 1. Raises ``RecordingUnreadable``."""
    try:
        said = _lines.decode(line)
        question = Question(
            said.method.encode("ascii"), said.target.encode("latin-1"), _fields(said.headers), _bytes(said)
        )
        answer = Answer(said.answer.status, _fields(said.answer.headers), _bytes(said.answer), said.answer.seconds)
    except (msgspec.MsgspecError, UnicodeError, ValueError) as error:
        remedy = "the file was cut or changed by hand: record anew, or remove the line"
        raise RecordingUnreadable(number, f"not an exchange: {error}; {remedy}") from error
    if not question.method.isalpha() or not question.target.startswith((b"/", b"*")) or set(question.target) & _UNSAFE:
        raise RecordingUnreadable(number, "not a request: it needs a method, and a target that begins with a slash")
    for name, value in (*question.fields, *answer.fields):
        if not _NAME.fullmatch(name) or _BREAKS.search(value):
            raise RecordingUnreadable(number, f"not a header: {name!r}; the file was changed by hand: record anew")
    return Recorded(said.at, question, answer, tuple(said.redacted))


def read(lines: Iterable[bytes]) -> tuple[Head, Iterator[Recorded]]:
    """A whole recording, line by line. Raises ``RecordingUnreadable``, also while its exchanges are gone through."""
    numbered = iter(enumerate(lines, 1))
    _, first = next(numbered, (1, b""))
    return read_head(first), (read_exchange(line, number) for number, line in numbered if line.strip())


_UNSAFE = frozenset(range(0x21)) | {0x7F}
_NAME = re.compile(rb"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_BREAKS = re.compile(rb"[\r\n\0]")
_MARK = re.compile(rb"\([a-z][a-z-]*:[0-9]+\)")
"""What stands in place of something that was redacted (``strangler.shadow.redaction``)."""


def _pairs(fields: Fields) -> list[tuple[str, str]]:
    return [(name.decode("latin-1"), value.decode("latin-1")) for name, value in fields]


def _fields(pairs: list[tuple[str, str]]) -> Fields:
    return tuple((name.encode("latin-1"), value.encode("latin-1")) for name, value in pairs)


def _body(body: bytes) -> dict[str, Any]:
    try:
        return {"body": body.decode()}
    except UnicodeDecodeError:
        return {"body_base64": base64.b64encode(body).decode()}


def _bytes(side: _Line | _Answer) -> bytes:
    return base64.b64decode(side.body_base64, validate=True) if side.body_base64 else side.body.encode()


def _replaced(question: Question, answer: Answer, kept: Question, kept_answer: Answer) -> Iterator[str]:
    """By what is kept, so that a name which was itself replaced is not told here."""
    if question.target != kept.target:
        yield from _replaced_in_target(question.target, kept.target)
    yield from _replaced_fields("request", question.fields, kept.fields)
    if _has_more_marks(kept.body, question.body):
        yield "request.body"
    yield from _replaced_fields("answer", answer.fields, kept_answer.fields)
    if _has_more_marks(kept_answer.body, answer.body):
        yield "answer.body"


def _replaced_in_target(target: bytes, kept: bytes) -> Iterator[str]:
    (path, _, query), (kept_path, _, kept_query) = target.partition(b"?"), kept.partition(b"?")
    if path != kept_path:
        yield "request.path"
    parameters = zip(query.split(b"&"), kept_query.split(b"&"), strict=False)
    names = (left.partition(b"=")[0].decode("latin-1") for found, left in parameters if found != left)
    yield from dict.fromkeys(f"request.query.{name}" for name in names)


def _replaced_fields(side: str, fields: Fields, kept: Fields) -> Iterator[str]:
    found = frozenset(fields)
    names = (name.decode("latin-1").lower() for name, value in kept if (name, value) not in found)
    yield from dict.fromkeys(f"{side}.header.{name}" for name in names)


def _has_more_marks(kept: bytes, found: bytes) -> bool:
    """Whether something was replaced; that a body was decoded, or its JSON written anew, does not count."""
    if kept == found:
        return False
    marks = Counter(_MARK.findall(kept))
    marks.subtract(_MARK.findall(found))
    return any(count > 0 for count in marks.values())
