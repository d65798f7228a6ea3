"""Which arm may have served a request, given when it was under way and when the flips were. Pure: times go in.

The promise: a request that begins after a flip has returned is served by the new arm. A flip is atomic for each
worker, at some moment between its call and its return; so a request, which is decided at some moment between its
first byte at the client and its arrival at an arm, may be served by an arm that some worker may have held then.
"""

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Flip:
    """From ``called`` on the arm may be in force; from ``returned`` on it is, until another flip is called."""

    arm: str
    called: float
    returned: float


class Timeline:
    """All flips of a test, one after the other."""

    def __init__(self, first: str, flips: Sequence[Flip]) -> None:
        self._flips = (Flip(first, float("-inf"), float("-inf")), *flips)
        self._returns = [flip.returned for flip in self._flips]

    def arms(self, began: float, ended: float) -> frozenset[str]:
        """The arms that may have been in force at some moment from ``began`` to ``ended``; mostly one."""
        newest = bisect_right(self._returns, began) - 1
        later = (flip.arm for flip in self._flips[newest + 1 :] if flip.called <= ended)
        return frozenset((self._flips[newest].arm, *later))


@dataclass(frozen=True, slots=True)
class Served:
    """One request: when the client sent its first byte, which arm it reached, and when."""

    request_id: str
    began: float
    arm: str
    arrived: float


@dataclass(frozen=True, slots=True)
class Verdict:
    """``decided``: for how many requests only one arm was right. ``wrong``: those that another arm served."""

    total: int
    decided: int
    wrong: tuple[Served, ...]
    stragglers: int
    """Requests that began before a flip returned and reached the old arm after it: what makes a flip exact is when a
    request begins, not when an application hears of it."""


def judge(timeline: Timeline, requests: Sequence[Served]) -> Verdict:
    """Hold every request against the flips."""
    decided, stragglers, wrong = 0, 0, []
    for request in requests:
        arms = timeline.arms(request.began, request.arrived)
        decided += len(arms) == 1
        stragglers += request.arm not in timeline.arms(request.arrived, request.arrived)
        if request.arm not in arms:
            wrong.append(request)
    return Verdict(len(requests), decided, tuple(wrong), stragglers)
