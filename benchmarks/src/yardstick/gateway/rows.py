"""Sums up samples: a row per proxy with its ratio to the baseline, and what became of each goal."""

import statistics
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from strangler.bench.statistics import Estimate, median_interval
from yardstick.gateway.measure import Sample
from yardstick.gateway.peers import STRANGLER
from yardstick.gateway.scenarios import Goal, Scenario

Cost = Callable[[Sample], float]


@dataclass(frozen=True, slots=True)
class Row:
    """One proxy over all rounds that count."""

    name: str
    microseconds: float
    """The median of CPU time per request."""
    ratio: Estimate | None
    """To the baseline in the same round; none without it."""
    rate: float
    """The median of requests per second, with the proxy on one core."""
    rounds: int
    refused: int
    remark: str = ""


@dataclass(frozen=True, slots=True)
class Judged:
    """A goal and what was measured."""

    goal: Goal
    ratio: Estimate | None

    @property
    def verdict(self) -> str:
        """Met only if the whole interval is below the bound, missed only if all of it is above."""
        if self.ratio is None:
            return "not measured"
        if self.ratio.high <= self.goal.at_most:
            return "met"
        return "missed" if self.ratio.low > self.goal.at_most else "undecided"


def rows(scenario: Scenario, samples: Sequence[Sample]) -> list[Row]:
    """Sum up each proxy; the gateway has a second row for the processes that carry requests."""
    result = []
    for peer in scenario.peers:
        if any(sample.peer == peer.name for sample in samples):
            result.append(_row(scenario, samples, peer.name, peer.name, peer.remark, cost(scenario)))
            if peer is STRANGLER and not scenario.data_plane:
                remark = "without supervisor and control plane"
                result.append(_row(scenario, samples, peer.name, f"{peer.name}, worker", remark, _data_plane))
    return result


def judge(scenario: Scenario, samples: Sequence[Sample]) -> list[Judged]:
    """What became of each goal."""
    return [Judged(goal, _ratio(scenario, samples, goal.peer, goal.beside, cost(scenario))) for goal in scenario.goals]


def cost(scenario: Scenario) -> Cost:
    """What is compared."""
    return _data_plane if scenario.data_plane else _whole


def _whole(sample: Sample) -> float:
    return sample.microseconds


def _data_plane(sample: Sample) -> float:
    return sample.data_plane_microseconds


def _row(scenario: Scenario, samples: Sequence[Sample], peer: str, name: str, remark: str, own: Cost) -> Row:
    mine = _counting(samples, peer)
    return Row(
        name=name,
        microseconds=statistics.median(map(own, mine)) if mine else float("nan"),
        ratio=_ratio(scenario, samples, peer, scenario.baseline, own),
        rate=statistics.median(sample.rate for sample in mine) if mine else float("nan"),
        rounds=len(mine),
        refused=sum(sample.peer == peer and bool(sample.refused) for sample in samples),
        remark=remark,
    )


def _ratio(scenario: Scenario, samples: Sequence[Sample], peer: str, beside: str, own: Cost) -> Estimate | None:
    """Of costs within a round."""
    other = {sample.round: cost(scenario)(sample) for sample in _counting(samples, beside)}
    ratios = [own(sample) / other[sample.round] for sample in _counting(samples, peer) if sample.round in other]
    return median_interval(ratios) if ratios else None


def _counting(samples: Sequence[Sample], peer: str) -> list[Sample]:
    return [sample for sample in samples if sample.peer == peer and not sample.refused]
