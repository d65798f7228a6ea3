"""Verdicts in words."""

import math
from collections.abc import Callable

from strangler.model.shadow import Heading
from strangler.shadow.verdict import CONFIDENCE, Judgement, Rate, Verdict

_DIGITS = 2
"""Of a share in percent that matter."""

JUDGEMENTS = {
    Judgement.EQUIVALENT: "equivalent",
    Judgement.DIFFERENT: "different",
    Judgement.UNDECIDED: "not enough seen",
}
HEADINGS = {
    Heading.EQUIVALENT: "compared: nothing differs but what is ignored or noise",
    Heading.DIFFERENT: "compared: something differs",
    Heading.NOT_SAMPLED: "left out by the route's sample",
    Heading.KILLED: "the route was killed",
    Heading.UNSAFE: "a write, and the route does not shadow writes",
    Heading.BY_SERVICE: "a canary that the service has answered",
    Heading.REFUSED: "a limit, a policy or a hold answered: no arm was asked",
    Heading.UPGRADE: "an upgrade, such as a WebSocket",
    Heading.STREAMING: "an answer without an end in sight",
    Heading.REQUEST_TOO_LARGE: "the request was longer than may be mirrored",
    Heading.ANSWER_TOO_LARGE: "the monolith's answer was longer than may be mirrored",
    Heading.PRIMARY_FAILED: "the monolith gave no whole answer, or the client left",
    Heading.QUEUE_FULL: "the comparator did not keep up",
    Heading.NO_COMPARATOR: "there was no comparator",
    Heading.TOO_OLD: "it had waited too long: the data may have changed",
    Heading.RATE_CAPPED: "the service was asked as often as it may be",
    Heading.CANDIDATE_TIMEOUT: "the service did not answer in time",
    Heading.CANDIDATE_UNREACHABLE: "the service could not be reached, or broke off",
    Heading.CANDIDATE_TOO_LARGE: "the service's answer was longer than may be compared",
    Heading.NOT_ISOLATED: "a write that the service did not confirm to roll back",
    Heading.NO_EFFECTS: "a write whose effects the monolith did not report wholly",
    Heading.LOCKED: "a write that would have had to wait for a lock",
    Heading.OURS: "a fault of the comparator",
    Heading.LOST: "it was on its way when the comparator, or its worker, died",
    Heading.UNKNOWN: "another version of the gateway knows what became of it",
}
"""What became of a request, in words."""


def claim(verdict: Verdict) -> str:
    """One sentence: «at most 0.16 % of requests differ, 95 %, after 2,314 compared»."""
    if not verdict.compared:
        return "nothing compared yet"
    sure = f"{CONFIDENCE:.0%}".replace("%", " %")
    after = f"after {count(verdict.compared)} compared"
    if verdict.judgement is Judgement.DIFFERENT:
        return f"{_between(verdict.real)} of requests differ, {sure}, {after}{_apart_from(verdict)}"
    silent = f"; {_unanswered(verdict)}" if verdict.is_silent else ""
    return f"at most {at_most(verdict.upper)} of requests differ, {sure}, {after}{_apart_from(verdict)}{silent}"


def because(verdict: Verdict) -> str:
    """What the judgement rests on, or what is missing: a sentence after ``claim``."""
    if verdict.judgement is Judgement.DIFFERENT:
        names = [name for name, field in verdict.fields.items() if field.judgement is Judgement.DIFFERENT]
        where = _listed(names) if names else "changing fields, none of which stands out yet"
        return (
            f"It differs in {where}, more often than the primary differs from itself. Chance alone leads to this"
            f" verdict in at most {nearly(verdict.alpha)} of all runs, however often they are looked at."
        )
    if verdict.judgement is Judgement.EQUIVALENT:
        return f"More than {nearly(verdict.at_most)} is ruled out."
    if verdict.is_silent:
        return (
            f"Nothing can be said of {_unanswered(verdict)}, and more than {nearly(verdict.at_most)}"
            " is to be ruled out. Begin anew once it answers."
        )
    if verdict.doubtful:
        return f"{_listed(list(verdict.doubtful))} differs more between the arms than from itself, but not yet surely."
    to_rule_out = f"More than {nearly(verdict.at_most)} is to be ruled out"
    if verdict.needed is None:
        return f"{to_rule_out}, and {count(verdict.real.seen)} of {count(verdict.compared)} differ for no known reason."
    return f"{to_rule_out}; that takes another {count(verdict.needed)} without a difference."


def at_most(share: float) -> str:
    """A share in percent, rounded up."""
    return _percent(share, math.ceil)


def at_least(share: float) -> str:
    """A share in percent, rounded down."""
    return _percent(share, math.floor)


def nearly(share: float) -> str:
    """A share in percent, rounded to the nearest."""
    return _percent(share, round)


def count(number: int) -> str:
    """With commas: 2,314."""
    return f"{number:,}"


def _unanswered(verdict: Verdict) -> str:
    asked = count(verdict.unanswered + verdict.compared)
    return f"{count(verdict.unanswered)} of {asked} questions that the candidate left without an answer"


def _between(rate: Rate) -> str:
    low, high = at_least(rate.low), at_most(rate.high)
    return low if low == high else f"{low.removesuffix(' %')} to {high}"


def _percent(share: float, rounded: Callable[[float], float]) -> str:
    if share <= 0 or share >= 1:
        return "0 %" if share <= 0 else "100 %"
    percent = share * 100
    digits = max(0, _DIGITS - 1 - math.floor(math.log10(percent)))
    # Rounded twice, so that 29.000000000000004 does not become 30.
    shown = rounded(round(percent * 10**digits, 6)) / 10**digits
    return f"{shown:.{digits}f}".rstrip("0").rstrip(".") + " %" if digits else f"{shown:.0f} %"


def _apart_from(verdict: Verdict) -> str:
    if not verdict.apart_from:
        return ""
    if len(verdict.apart_from) > 1:
        return f", apart from {len(verdict.apart_from)} fields that differ from themselves"
    return f", apart from {verdict.apart_from[0]}, which differs from itself"


def _listed(names: list[str]) -> str:
    shown, more = names[:3], len(names) - 3
    if more > 0:
        return f"{', '.join(shown)} and {more} more"
    return " and ".join((", ".join(shown[:-1]), shown[-1])) if len(shown) > 1 else shown[0]
