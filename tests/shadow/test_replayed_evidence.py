"""What a replay says of recorded answers: of the same service never «different», of a fault soon, however it comes."""

from collections.abc import Callable
from random import Random

import pytest

from shadow.exchanges import Exchange, exchanges
from shadow.mutants import Mutant, product, status
from shadow.test_mutants import RARE, RUNS, as_often, faulty, noisy
from shadow.trial import Draw, Trial
from strangler.cli.replay_evidence import Again, SeenRecorded
from strangler.shadow.evidence import Asking
from strangler.shadow.verdict import Judgement, judge

COMPARED = 3_000
FOUND = 90
"""Of the runs. Both are weaker than live: there are two ways to be different, each of which may be called so by half of
the chance only, and a candidate that fails now and then may fail twice in a row."""


@pytest.fixture(scope="module")
def reads(tmp_path_factory: pytest.TempPathFactory) -> list[Exchange]:
    return [exchange for exchange in exchanges(tmp_path_factory.mktemp("shop")) if exchange.repeatable]


def replayed(trial: Trial, seed: int, draw: Draw) -> Judgement:
    """``draw`` gives the variants of the recording, of the candidate, and of the candidate when it is asked again."""
    chance = Random(seed)
    seen = SeenRecorded(trial.shadow, writes=False)
    for count in range(1, COMPARED + 1):
        number = chance.randrange(len(trial.exchanges))
        recorded, candidate, second = draw(chance, trial.exchanges[number])
        differing = trial.kinds(number, recorded, candidate)
        again = None
        if seen.asking(differing, chance.random()) is not Asking.NO:
            unlike = (trial.kinds(number, one, second) for one in (candidate, recorded))
            again = Again(*unlike, sampled=False)
        seen.observe(differing, again, repeatable=True)
        if count % 100 == 0 and judge(*seen.reported()).judgement is Judgement.DIFFERENT:
            return Judgement.DIFFERENT
    return judge(*seen.reported()).judgement


def different_in(trial: Trial, draw: Draw) -> int:
    return sum(replayed(trial, seed, draw) is Judgement.DIFFERENT for seed in range(RUNS))


FAULTS = (
    Mutant("an error", "status", status(200, 500)),
    Mutant("a version too old", "body.version", product(lambda it: it.update(version=it["version"] - 1))),
)


def now_and_then(chance: Random, exchange: Exchange) -> tuple[int, int, int]:
    """Each answer of the candidate has the fault by chance, and the next answer to the same question has not."""
    return 0, int(chance.random() < RARE), int(chance.random() < RARE)


def always_for_some(chance: Random, exchange: Exchange) -> tuple[int, int, int]:
    """Some questions have it each time that they are asked."""
    wrong = int(chance.random() < RARE)
    return 0, wrong, wrong


@pytest.mark.parametrize("draw", [now_and_then, always_for_some], ids=["now and then", "always for some"])
@pytest.mark.parametrize("mutant", FAULTS, ids=str)
def test_a_fault_in_one_percent_of_requests_is_found_within_3000(
    reads: list[Exchange], mutant: Mutant, draw: Callable[[Random, Exchange], tuple[int, int, int]]
) -> None:
    struck = [exchange for exchange in reads if mutant.fault(exchange)]
    assert different_in(faulty(struck, mutant), draw) >= FOUND


@pytest.mark.parametrize("rate", [0.01])
def test_the_service_that_was_recorded_is_called_different_in_no_run_of_100(reads: list[Exchange], rate: float) -> None:
    assert different_in(noisy(reads), as_often(rate)) == 0


def test_what_differs_from_itself_is_not_ruled_out_and_so_not_called_equivalent(reads: list[Exchange]) -> None:
    assert replayed(noisy(reads), 1, as_often(0.3)) is Judgement.UNDECIDED


def test_the_service_that_was_recorded_is_called_equivalent(reads: list[Exchange]) -> None:
    trial = Trial(reads, [(each.answer,) for each in reads])
    assert replayed(trial, 1, lambda chance, exchange: (0, 0, 0)) is Judgement.EQUIVALENT
