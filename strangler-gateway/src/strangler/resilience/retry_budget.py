"""How many requests of an upstream may be sent again: a share of its recent requests, so that retries cannot storm."""

from collections import deque

WINDOW = 10.0
"""Seconds that count as recent."""


class RetryBudget:
    """Grants at most ``percent`` of the requests of the last ``WINDOW`` seconds, or ``minimum`` if that is more.

    Requests are counted by their sender as one growing total, of which this is told now and then (``sample``): a
    request that is not sent again costs the budget nothing.
    """

    def __init__(self, percent: int, minimum: int) -> None:
        self._percent = percent
        self._minimum = minimum
        self._totals: deque[tuple[float, int]] = deque(((float("-inf"), 0),))
        """Moments with the requests counted until then; the oldest is the last from before the window."""
        self._spent: deque[float] = deque()

    def sample(self, now: float, requests: int) -> None:
        """Note how many requests there have been until now."""
        totals = self._totals
        totals.append((now, requests))
        while totals[1][0] <= now - WINDOW:
            totals.popleft()

    def left(self, now: float, requests: int) -> bool:
        """Whether another one may be sent again, after ``requests`` in all."""
        while self._spent and self._spent[0] <= now - WINDOW:
            self._spent.popleft()
        while len(self._totals) > 1 and self._totals[1][0] <= now - WINDOW:
            self._totals.popleft()
        recent = requests - self._totals[0][1]
        return len(self._spent) < max(self._minimum, recent * self._percent // 100)

    def spend(self, now: float) -> None:
        """One was sent again."""
        self._spent.append(now)
