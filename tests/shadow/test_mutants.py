"""A service with a fault is found out, whatever the fault; one without is never called different."""

from collections.abc import Sequence
from dataclasses import replace
from random import Random

import pytest

from shadow.effect_mutants import EFFECTS
from shadow.exchanges import Exchange, exchanges
from shadow.mutants import ANSWERS, Mutant, body, header, product, with_body
from shadow.trial import Draw, Trial
from strangler.shadow.answer import Answer
from strangler.shadow.verdict import Judgement

RUNS = 100
COMPARED = 2_000
RARE = 0.01
"""The share of requests that a fault strikes which comes and goes."""
FOUND = 95
"""Of the runs."""
LONG_ENOUGH = 6_000
"""Compared requests within which a fault is found that shows on one path alone, or on writes alone."""


@pytest.fixture(scope="module")
def asked(tmp_path_factory: pytest.TempPathFactory) -> list[Exchange]:
    return exchanges(tmp_path_factory.mktemp("shop"))


@pytest.fixture(scope="module")
def reads(asked: list[Exchange]) -> list[Exchange]:
    return [exchange for exchange in asked if exchange.repeatable]


@pytest.fixture(scope="module")
def checkouts(asked: list[Exchange]) -> list[Exchange]:
    return [exchange for exchange in asked if exchange.answer.effects is not None]


def faulty(asked: Sequence[Exchange], mutant: Mutant) -> Trial:
    """Variant 0 is right, variant 1 is the mutant's."""
    return Trial(asked, [(each.answer, mutant.fault(each) or each.answer) for each in asked])


def always(chance: Random, exchange: Exchange) -> tuple[int, int, int]:
    return 0, 1, 0


def seldom(chance: Random, exchange: Exchange) -> tuple[int, int, int]:
    return 0, int(chance.random() < RARE), 0


@pytest.mark.parametrize("mutant", ANSWERS, ids=str)
def test_a_fault_in_answers_is_found(asked: list[Exchange], mutant: Mutant) -> None:
    found, _ = faulty(asked, mutant).run(1, always, LONG_ENOUGH)
    assert found.judgement is Judgement.DIFFERENT
    assert mutant.field in found.fields


@pytest.mark.parametrize("mutant", EFFECTS, ids=str)
def test_a_fault_in_effects_is_found_though_the_answer_is_right(asked: list[Exchange], mutant: Mutant) -> None:
    found, _ = faulty(asked, mutant).run(1, always, LONG_ENOUGH)
    assert found.judgement is Judgement.DIFFERENT
    assert any(name.startswith(mutant.field) for name in found.fields), found.fields


def _cut(exchange: Exchange) -> Answer:
    return with_body(exchange.answer, exchange.answer.body[:-1])


RARE_FAULTS = (
    Mutant("an error", "status", lambda exchange: replace(exchange.answer, status=500)),
    Mutant("a body that lacks its last byte", "body", _cut),
    Mutant("no Content-Type", "header.content-type", header("content-type", None)),
    Mutant("an answer to another", "body", lambda exchange: with_body(exchange.answer, b'{"detail":"busy"}')),
)
RARE_ON_PRODUCTS = (
    Mutant("a price of yesterday", "body.price.amount", product(lambda it: it["price"].update(amount="1.00"))),
    Mutant("a version too old", "body.version", product(lambda it: it.update(version=it["version"] - 1))),
    Mutant("half a body", "body", body(lambda raw: raw[: len(raw) // 2])),
)


def found_in_time(trial: Trial, draw: Draw) -> int:
    """The number of runs in which the candidate is called different."""
    runs = (trial.run(seed, draw, COMPARED)[0] for seed in range(RUNS))
    return sum(found.judgement is Judgement.DIFFERENT for found in runs)


@pytest.mark.parametrize("mutant", RARE_FAULTS, ids=str)
def test_a_fault_in_one_percent_of_requests_is_found_within_2000(reads: list[Exchange], mutant: Mutant) -> None:
    assert found_in_time(faulty(reads, mutant), seldom) >= FOUND


@pytest.mark.parametrize("mutant", RARE_ON_PRODUCTS, ids=str)
def test_a_fault_in_one_percent_of_a_routes_answers_is_found_within_2000(reads: list[Exchange], mutant: Mutant) -> None:
    products = [each for each in reads if each.path.startswith("/api/products") and mutant.fault(each)]
    assert found_in_time(faulty(products, mutant), seldom) >= FOUND


@pytest.mark.parametrize("mutant", EFFECTS[-10:], ids=str)
def test_a_fault_in_the_effects_of_one_percent_of_writes_is_found_within_2000(
    checkouts: list[Exchange], mutant: Mutant
) -> None:
    assert found_in_time(faulty(checkouts, mutant), seldom) >= FOUND


def test_a_service_without_a_fault_is_called_equivalent(asked: list[Exchange]) -> None:
    found, _ = Trial(asked, [(each.answer,) for each in asked]).run(1, lambda chance, exchange: (0, 0, 0), COMPARED)
    assert found.judgement is Judgement.EQUIVALENT
    assert found.upper < 0.005


def noisy(asked: Sequence[Exchange]) -> Trial:
    """Four variants of each read: they differ in a member of some answers and in a header of others."""

    def variant(number: int, exchange: Exchange) -> Answer:
        if not exchange.repeatable:
            return exchange.answer
        if exchange.number % 3 == 0:
            served = product(lambda it: it.update(served_by=f"replica-{number}"))
            return served(exchange) or exchange.answer
        if exchange.number % 3 == 1:
            return header("etag", f'"{number}"')(exchange) or exchange.answer
        return exchange.answer

    return Trial(asked, [[variant(number, each) for number in range(4)] for each in asked])


def as_often(rate: float, drifting: float = 0.0) -> Draw:
    """Both sides draw from the same: another variant than the first at a rate. ``drifting``: how often data changes
    between the primary's answer and the next two, or just before the last of them."""

    def draw(chance: Random, exchange: Exchange) -> tuple[int, int, int]:
        one, two, three = (chance.randrange(4) if chance.random() < rate else 0 for _ in range(3))
        if chance.random() < drifting:
            return (one, 3, 3) if chance.random() < 0.5 else (one, one, 3)
        return one, two, three

    return draw


@pytest.mark.parametrize("rate", [0.002, 0.5])
def test_the_same_service_on_both_sides_is_called_different_in_no_run_of_100(
    asked: list[Exchange], rate: float
) -> None:
    assert found_in_time(noisy(asked), as_often(rate)) == 0


def test_data_that_changes_between_two_questions_is_no_difference(asked: list[Exchange]) -> None:
    assert found_in_time(noisy(asked), as_often(0.01, drifting=0.02)) == 0


def test_a_fault_is_found_beside_noise(reads: list[Exchange]) -> None:
    """In a member of which the noise has nothing."""
    trial = noisy(reads)
    dear = product(lambda it: it.update(name="?"))
    wrong = [
        [*variants, *(dear(replace(each, answer=variant)) or variant for variant in variants)]
        for each, variants in zip(reads, trial.variants, strict=True)
    ]

    def draw(chance: Random, exchange: Exchange) -> tuple[int, int, int]:
        one, two, three = as_often(0.5)(chance, exchange)
        return one, two + 4 * (chance.random() < 0.03), three

    found, _ = Trial(reads, wrong).run(1, draw, LONG_ENOUGH)
    assert found.judgement is Judgement.DIFFERENT
    assert {name for name, field in found.fields.items() if field.judgement is Judgement.DIFFERENT} <= {
        "body.name",
        "body.items[].name",
    }


def test_there_are_enough_kinds_of_faults() -> None:
    names = [mutant.name for mutant in (*ANSWERS, *EFFECTS)]
    assert len(set(names)) == len(names) >= 40
