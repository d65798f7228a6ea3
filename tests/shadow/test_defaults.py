"""Three applications of one API, each at its framework's own defaults: all that differs is known by the right name."""

import contextlib
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import date

import pytest

from shadow.books import FIELDS, FRAMEWORKS, PAIRS, REAL, ROWS, Row
from strangler.model.shadow import KNOWN_DIFFERENCES
from strangler.shadow.answer import Answer
from strangler.shadow.comparison import Comparison
from strangler.shadow.rules import Rules
from support.defaults.serving import ask, serving_books

Answers = Mapping[str, Mapping[str, Answer]]
"""By the row's name and the framework."""


@pytest.fixture(scope="module")
def answers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Answers]:
    folder = tmp_path_factory.mktemp("books")
    with contextlib.ExitStack() as stack:
        served = {name: stack.enter_context(serving_books(name, folder)) for name in FRAMEWORKS}
        rows = (*ROWS, *(row for row, _ in REAL))
        yield {row.name: {name: ask(served[name], row.question) for name in FRAMEWORKS} for row in rows}


def compared(
    answers: Answers, row: Row, pair: tuple[str, str], names: tuple[str, ...] = KNOWN_DIFFERENCES
) -> Comparison:
    comparing = replace(row.rules(pair), normalise=names)
    one, other = (answers[row.name][framework] for framework in pair)
    return Rules(comparing, date(2026, 1, 1)).compare(row.question, one, other)


@pytest.mark.parametrize("pair", PAIRS, ids="-".join)
@pytest.mark.parametrize("row", ROWS, ids=str)
def test_what_differs_is_counted_by_its_name_and_nothing_is_left(
    answers: Answers, row: Row, pair: tuple[str, str]
) -> None:
    found = compared(answers, row, pair)
    assert found.differences == ()
    assert set(found.normalised) - set(row.perhaps.split()) == row.labels(pair)


@pytest.mark.parametrize("name", KNOWN_DIFFERENCES)
def test_a_name_that_is_switched_off_makes_its_differences_appear_and_no_others(answers: Answers, name: str) -> None:
    others = tuple(each for each in KNOWN_DIFFERENCES if each != name)
    appeared = 0
    for row in ROWS:
        for pair in PAIRS:
            found = compared(answers, row, pair, others)
            assert bool(found.differences) == (name in row.labels(pair)), (row.name, pair, found.differences)
            assert name not in found.normalised
            strange = {field for field in found.fields if not belongs(field, name)}
            assert not strange, (row.name, pair, strange)
            appeared += len(found.differences)
    assert appeared


def belongs(field: str, name: str) -> bool:
    """Whether a difference in this field may appear when that name is switched off."""
    below = name in {"error-envelope", "server-headers"}
    return any(field == known or (below and field.startswith(f"{known}.")) for known in FIELDS[name])


def test_nothing_is_known_where_no_normaliser_is_used(answers: Answers) -> None:
    for row in ROWS:
        for pair in PAIRS:
            found = compared(answers, row, pair, names=())
            assert found.differences, (row.name, pair)
            assert set(found.normalised) <= {"generated", "tolerance"}


@pytest.mark.parametrize(("row", "fields"), REAL, ids=str)
def test_no_normaliser_hides_what_a_client_would_meet(answers: Answers, row: Row, fields: set[str]) -> None:
    for other in ("flask", "django"):
        for pair in ((other, "fastapi"), ("fastapi", other)):
            assert compared(answers, row, pair).fields == fields


def test_every_name_is_met_by_one_of_the_requests() -> None:
    assert set().union(*(row.labels(pair) for row in ROWS for pair in PAIRS)) >= set(KNOWN_DIFFERENCES)
