"""Medians of ratios, and how sure they are."""

import random
import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar

_RESAMPLES = 2_000
Item = TypeVar("Item")


@dataclass(frozen=True, slots=True)
class Estimate:
    """A median with the bounds of its bootstrap 95 % interval."""

    median: float
    low: float
    high: float

    @property
    def reach(self) -> float:
        """Of a ratio that should be 1: how far its interval reaches from there, on the farther side."""
        return max(self.high - 1, 1 / self.low - 1)


def median_interval(values: Sequence[float]) -> Estimate:
    """Return the median with its percentile bootstrap interval (Efron 1979). Raises ``ValueError`` without values.

    The resampling is seeded: the same values give the same interval.
    """
    if not values:
        raise ValueError("a median needs at least one value")
    chance = random.Random(0)  # noqa: S311 - it is to be the same each time
    number = len(values)
    low, high = (number - 1) // 2, number // 2
    drawn = (sorted(chance.choices(values, k=number)) for _ in range(_RESAMPLES))
    medians = sorted((one[low] + one[high]) / 2 for one in drawn)
    return Estimate(
        median=statistics.median(values),
        low=medians[round(0.025 * (_RESAMPLES - 1))],
        high=medians[round(0.975 * (_RESAMPLES - 1))],
    )


def rotated(items: Sequence[Item], by: int) -> list[Item]:
    """Return the items in their order, beginning elsewhere, so that none is always first or always after the same."""
    if not items:
        return []
    by %= len(items)
    return [*items[by:], *items[:by]]
