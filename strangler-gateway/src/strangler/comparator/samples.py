"""Pairs of answers that are kept for people to look at: redacted, cut, and no more often than somebody could look."""

from strangler.comparator.exchange import Exchange
from strangler.shadow.answer import Answer, Fields, Question
from strangler.shadow.comparison import Comparison
from strangler.shadow.evidence import Finding
from strangler.shadow.record import Sample, Side

LONGEST_BODY = 16 * 1024
"""Characters of a body that are kept."""
LONGEST_QUESTION = 8 * 1024


def sample_of(
    exchange: Exchange,
    question: Question,
    primary: Answer,
    candidate: Answer,
    comparison: Comparison,
    finding: Finding,
    now: float,
) -> Sample | None:
    """The pair, or None if there are enough; ``comparison`` is redacted already, ``now`` a time in seconds.

    The first of each field are kept, then a few a second: redacting costs more than comparing.
    """
    shadowed, made, fields = exchange.shadowed, exchange.run.sampled, comparison.fields
    assert shadowed is not None
    if all(made[field] >= shadowed.settings.samples for field in fields) and not shadowed.samples.spend(now):
        return None
    made.update(fields)
    redactor = shadowed.redactor
    return Sample(
        exchange.mirrored.at,
        _question(redactor.question(question)),
        _side(redactor.answer(primary)),
        _side(redactor.answer(candidate)),
        comparison.differences,
        finding.value,
    )


def _question(question: Question) -> str:
    lines = [f"{_text(question.method)} {_text(question.target)}", *map(": ".join, _headers(question.fields))]
    body = _text(question.body)
    return _cut("\n".join(lines) + (f"\n\n{body}" if body else ""), LONGEST_QUESTION)


def _side(answer: Answer) -> Side:
    return Side(answer.status, _headers(answer.fields), _cut(_text(answer.body), LONGEST_BODY), answer.seconds)


def _headers(fields: Fields) -> tuple[tuple[str, str], ...]:
    return tuple((_text(name), _text(value)) for name, value in fields)


def _text(data: bytes) -> str:
    return data.decode("utf-8", "replace")


def _cut(text: str, most: int) -> str:
    return text if len(text) <= most else f"{text[:most]}… ({len(text) - most} more characters)"
