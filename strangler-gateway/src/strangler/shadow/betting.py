"""Bets against «the candidate is one more draw of the primary», and bounds on rates: arithmetic on counts, valid at
every look. docs/explanation/shadow-statistics.md has the arguments, and where they come from."""

import math
from collections.abc import Callable, Iterable
from functools import lru_cache

_ODD_SHARES = ((1.0, 0.85), (0.99, 0.025), (0.95, 0.025), (0.9, 0.025), (0.8, 0.025), (0.7, 0.025), (0.6, 0.025))
"""Shares of the cases in which the candidate is the odd one, and how much of the wealth is put on each. Most is on
«always»: a fault without noise beside it."""

_RATIOS = ((0.0, 0.4), (0.2, 0.2), (0.4, 0.15), (0.6, 0.15), (0.8, 0.1))
"""Bets on the rate being so much of what is to be ruled out. Most is on «never»: 0 of n rules out about 3.6 / n."""

CHANGED_MEANWHILE = 0.001
"""Of the writes, of which there is no second answer, so many may differ because data changed between the questions."""
_WRITE_RATES = ((CHANGED_MEANWHILE, 0.5), (0.003, 0.1), (0.01, 0.1), (0.05, 0.1), (0.3, 0.1), (0.999, 0.1))
"""Bets on larger rates. The first is no bet at all: a route's reads lose at most half by its writes."""

_PRIOR = ((1, 1, 0.5), (1, 500, 0.4), (500, 1, 0.1))
"""A mixture of Beta distributions, with weights: any rate, rates about 0.2 %, rates about 99.8 %."""

_HALVINGS = 40
"""Of an interval of shares: to a millionth of a millionth."""
_REMEMBERED = 4096
"""Results: many fields have the same counts, and a report asks for each more than once."""


@lru_cache(_REMEMBERED)
def log_odd(ones: int, zeros: int) -> float:
    """The natural logarithm of the e-value against «candidate and primary are odd equally often».

    ``ones``: times that the candidate was the odd one of three answers, ``zeros``: that the primary was.
    """
    return _log_sum(
        math.log(weight) + _times(ones, 2 * share) + _times(zeros, 2 * (1 - share)) for share, weight in _ODD_SHARES
    )


def log_staked(wins: int, stake: float, *, lost: bool) -> float:
    """The logarithm of what 1 has become of which ``stake`` was put on a field: doubled with each win, or gone."""
    if lost:
        return math.log(1 - stake)
    return _log_sum((math.log(1 - stake), math.log(stake) + wins * math.log(2)))


def stake_after(losses: int) -> float:
    """The share of the wealth to put on one more field, of those that are not known to be noisy. Half; less when
    many turned out to be, so that n of them cost not 2^n but about n^3 / 1.5."""
    return min(0.5, 2 / (losses + 1))


def log_changed(differing: int, of: int) -> float:
    """The logarithm of the e-value against «at most ``CHANGED_MEANWHILE`` of the writes differ»."""
    return _log_sum(
        math.log(weight)
        + _times(differing, rate / CHANGED_MEANWHILE)
        + _times(of - differing, (1 - rate) / (1 - CHANGED_MEANWHILE))
        for rate, weight in _WRITE_RATES
    )


@lru_cache(_REMEMBERED)
def upper_bound(seen: int, of: int, confidence: float) -> float:
    """The least rate that ``seen`` of ``of`` rules out, at all looks together; 1 if none is.

    The bet on ``ratio`` times the rate r is a supermartingale whenever the rate is r or more, also if it changes.
    """
    if seen == of:
        return 1.0
    needed = -math.log(1 - confidence)

    def ruled_out(rate: float) -> bool:
        gain = _log_sum(
            math.log(weight) + _times(seen, ratio) + (of - seen) * (math.log1p(-ratio * rate) - math.log1p(-rate))
            for ratio, weight in _RATIOS
        )
        return gain >= needed

    return _border(seen / of, 1.0, ruled_out)


@lru_cache(_REMEMBERED)
def interval(seen: int, of: int, confidence: float) -> tuple[float, float]:
    """Between which rates the truth is, if it is one rate, at all looks together; (0, 1) of nothing.

    A prior-posterior-ratio confidence sequence (Waudby-Smith and Ramdas 2020): ruled out is where the likelihood of
    what was seen is less than 1 - ``confidence`` of its average under the prior.
    """
    if of == 0:
        return 0.0, 1.0
    average = _log_sum(
        math.log(weight) + _log_beta(a + seen, b + of - seen) - _log_beta(a, b) for a, b, weight in _PRIOR
    )
    needed = -math.log(1 - confidence)

    def ruled_out(rate: float) -> bool:
        return average - _times(seen, rate) - _times(of - seen, 1 - rate) >= needed

    middle = seen / of
    return (_border(middle, 0.0, ruled_out) if seen else 0.0), (_border(middle, 1.0, ruled_out) if seen < of else 1.0)


def _log_beta(a: int, b: int) -> float:
    return math.lgamma(a) + math.lgamma(b) - math.lgamma(a + b)


def _border(inside: float, outside: float, ruled_out: Callable[[float], bool]) -> float:
    """Where ``ruled_out`` begins on the way from ``inside`` to ``outside``; on the safe side of it."""
    for _ in range(_HALVINGS):
        middle = (inside + outside) / 2
        if ruled_out(middle):
            outside = middle
        else:
            inside = middle
    return outside


def _times(count: int, factor: float) -> float:
    """The logarithm of ``factor ** count``, where 0 ** 0 is 1."""
    if count == 0:
        return 0.0
    return count * math.log(factor) if factor > 0 else -math.inf


def _log_sum(logarithms: Iterable[float]) -> float:
    """The logarithm of the sum of what these are the logarithms of."""
    values = tuple(logarithms)
    largest = max(values)
    if largest == -math.inf:
        return largest
    return largest + math.log(sum(math.exp(value - largest) for value in values))
