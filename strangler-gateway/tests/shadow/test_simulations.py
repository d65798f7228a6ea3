"""What the statistics promise, seen in simulated applications: how often they are wrong, and how soon they find."""

import random
from collections.abc import Sequence
from dataclasses import dataclass

import pytest

from strangler.model.shadow import Shadow
from strangler.shadow.evidence import Asking, Evidence, Observation
from strangler.shadow.verdict import Judgement, is_different, judge

SHADOW = Shadow()
RUNS = 100
EXCHANGES = 2000
VALUE = frozenset(("value",))


@dataclass(frozen=True)
class Place:
    """One field of the answers. A value is 0 but for what these say."""

    name: str
    noise: float = 0.0
    """In so many of all answers it is something else."""
    alternatives: int = 1
    """So many other values, so that two deviations can agree."""
    drift: float = 0.0
    """In so many of the times between two questions the data behind it changes, for all who ask later."""
    fault: float = 0.0
    """In so many of the candidate's answers it is wrong."""


NOISES = (
    Place("body.id", noise=1.0, alternatives=10**9),
    Place("body.server", noise=0.3),
    Place("body.cached", noise=0.01),
    Place("body.rare", noise=0.001, alternatives=1000),
)
CLEAN = Place("body.title")


class Simulated:
    """A run of one route, as the comparator would conduct it."""

    def __init__(self, seed: int, places: Sequence[Place]) -> None:
        self._random = random.Random(seed)
        self._places = places
        self.evidence = Evidence()

    def go_on(self, exchanges: int) -> Judgement:
        """So many more exchanges; ends when the verdict is «different»."""
        for _ in range(exchanges):
            self._exchange()
            if is_different(self.evidence, SHADOW.alpha):
                break
        return judge(self.evidence, SHADOW).judgement

    def _exchange(self) -> None:
        draw = self._random.random
        differing: set[str] = set()
        second: set[str] = set()
        against: set[str] = set()
        for place in self._places:
            first = self._value(place)
            candidate = self._value(place)
            again = self._value(place)
            if place.drift:
                changed = draw() < place.drift, draw() < place.drift
                candidate += 0.5 * changed[0]
                again += 0.5 * changed[0] + 0.25 * changed[1]
            if place.fault and draw() < place.fault:
                candidate += 0.125
            if first != candidate:
                differing.add(place.name)
            if first != again:
                second.add(place.name)
            if candidate != again:
                against.add(place.name)
        asking = self.evidence.asking(frozenset(differing), draw(), SHADOW.noise)
        observation = Observation(
            dict.fromkeys(differing, VALUE),
            dict.fromkeys(second, VALUE) if asking is not Asking.NO else None,
            dict.fromkeys(against, VALUE) if asking is not Asking.NO else None,
            sampled=asking is Asking.SAMPLED,
        )
        self.evidence, _ = self.evidence.observe(observation, SHADOW.at_most)

    def _value(self, place: Place) -> float:
        if place.noise and self._random.random() < place.noise:
            return 1 + self._random.randrange(place.alternatives)
        return 0


def run_all(seeds: range, places: Sequence[Place]) -> list[int]:
    """The seeds of the runs that are called different."""
    return [seed for seed in seeds if Simulated(seed, places).go_on(EXCHANGES) is Judgement.DIFFERENT]


def test_the_same_application_on_both_sides_is_not_called_different_in_any_run() -> None:
    assert run_all(range(RUNS), NOISES) == []


def test_data_that_changes_while_both_sides_are_asked_is_not_called_a_difference() -> None:
    places = (Place("body.stock", drift=0.02), Place("body.price", drift=0.002), Place("body.seen", drift=0.3))
    assert run_all(range(RUNS), places) == []


def test_a_fault_in_one_percent_of_the_requests_is_found_within_2000() -> None:
    assert len(run_all(range(RUNS), (Place("body.total", fault=0.01),))) >= 95


def test_a_fault_in_one_percent_is_found_beside_noisy_neighbours_as_well() -> None:
    assert len(run_all(range(RUNS), (*NOISES, Place("body.total", fault=0.01)))) >= 95


def test_an_equivalent_service_is_called_so_beside_noise_and_what_was_left_out_is_named() -> None:
    simulated = Simulated(1, NOISES)
    assert simulated.go_on(3 * EXCHANGES) is Judgement.EQUIVALENT
    verdict = judge(simulated.evidence, SHADOW)
    assert {"body.id", "body.server", "body.cached"} <= set(verdict.apart_from)
    assert 0.2 < verdict.fields["body.server"].noise.low < 0.42 < verdict.fields["body.server"].noise.high < 0.7


@pytest.mark.soak
@pytest.mark.timeout(3600)
def test_errors_are_as_rare_as_promised_over_many_runs() -> None:
    seeds = range(10_000, 11_500)
    assert len(run_all(seeds, NOISES)) <= 0.001 * len(seeds) + 3
    assert len(run_all(seeds, (*NOISES, Place("body.total", fault=0.01)))) >= 0.95 * len(seeds)
