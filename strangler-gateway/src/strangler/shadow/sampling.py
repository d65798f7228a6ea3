"""Pairs of answers as they are kept for people to look at: from what redaction has left of them, and cut."""

from collections.abc import Sequence

import msgspec

from strangler.shadow.answer import Answer, Fields, Question
from strangler.shadow.comparison import Difference
from strangler.shadow.record import Sample, Side

LONGEST_BODY = 16 * 1024
"""Characters of a body, or of effects, that are kept."""
LONGEST_QUESTION = 8 * 1024


def pair_of(
    at: float,
    question: Question,
    primary: Answer,
    candidate: Answer,
    differences: Sequence[Difference],
    finding: str,
) -> Sample:
    """One pair; everything that is given is redacted already. ``at``: seconds since the epoch."""
    return Sample(at, _shown(question), _side(primary), _side(candidate), tuple(differences), finding)


def _shown(question: Question) -> str:
    lines = [f"{_text(question.method)} {_text(question.target)}", *map(": ".join, _headers(question.fields))]
    body = _text(question.body)
    return _cut("\n".join(lines) + (f"\n\n{body}" if body else ""), LONGEST_QUESTION)


def _side(answer: Answer) -> Side:
    effects = "" if answer.effects is None else msgspec.json.encode(answer.effects).decode()
    body = _cut(_text(answer.body), LONGEST_BODY)
    return Side(answer.status, _headers(answer.fields), body, answer.seconds, _cut(effects, LONGEST_BODY))


def _headers(fields: Fields) -> tuple[tuple[str, str], ...]:
    return tuple((_text(name), _text(value)) for name, value in fields)


def _text(data: bytes) -> str:
    return data.decode("utf-8", "replace")


def _cut(text: str, most: int) -> str:
    return text if len(text) <= most else f"{text[:most]}… ({len(text) - most} more characters)"
