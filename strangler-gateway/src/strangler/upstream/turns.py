"""Turns: an order made once, in which endpoints of different weights stand as often as they are to be asked.

So a request takes the next turn, or one by chance, at the same cost as where all endpoints are alike.
"""

from collections.abc import Sequence
from math import gcd
from typing import TypeVar

MOST = 1000
"""Turns in one order, about: shares are exact to a thousandth of all requests."""
LEAST = 100
"""Turns of all others together for one of an endpoint without a weight, which has «a very small chance» (RFC 2782)."""

T = TypeVar("T")


def in_turns(items: Sequence[T], weights: Sequence[int]) -> tuple[T, ...]:
    """Each item as often as its weight asks for, evenly spread; each once where all weigh the same."""
    if len(set(weights)) <= 1:
        return tuple(items)
    counts = _counts(weights)
    places = [((turn + 0.5) / count, number) for number, count in enumerate(counts) for turn in range(count)]
    return tuple(items[number] for _, number in sorted(places))


def _counts(weights: Sequence[int]) -> list[int]:
    """Small numbers of about the same ratio, none of them 0."""
    divisor = gcd(*weights)
    counts = [weight // divisor for weight in weights]
    if 0 in counts:
        scale = -(-LEAST // sum(counts))
        counts = [count * scale for count in counts]
    total = sum(counts)
    if total > MOST:
        counts = [(count * MOST + total // 2) // total for count in counts]
    return [max(count, 1) for count in counts]
