"""Pairs of answers that are kept for people to look at: no more often than somebody could look."""

from strangler.comparator.exchange import Exchange
from strangler.shadow.answer import Answer, Question
from strangler.shadow.comparison import Comparison
from strangler.shadow.evidence import Finding
from strangler.shadow.record import Sample
from strangler.shadow.sampling import pair_of


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
    return pair_of(
        exchange.mirrored.at,
        redactor.question(question),
        redactor.answer(primary),
        redactor.answer(candidate),
        comparison.differences,
        finding.value,
    )
