"""Whatever is wrong in a configuration is refused, and the error names the line and the place."""

from itertools import zip_longest
from pathlib import Path
from typing import Any

import pytest
import yaml

from strangler.config import load_text
from strangler.model.errors import ConfigError

FOLDER = Path(__file__).parent
GOOD = (FOLDER / "good.yaml").read_text()
MUTATIONS: list[dict[str, Any]] = yaml.safe_load((FOLDER / "mutations.yaml").read_text())


def first_difference(one: str, other: str) -> int:
    pairs = zip_longest(one.splitlines(), other.splitlines())
    return next(number for number, (mine, theirs) in enumerate(pairs, 1) if mine != theirs)


def test_the_good_configuration_is_adopted() -> None:
    assert [route.name for route in load_text(GOOD).topology.routes] == [
        "products-list", "products-get", "legacy", "reshaped", "catch-all",
    ]  # fmt: skip


def test_there_are_at_least_a_hundred_mutations_and_each_is_another() -> None:
    assert len(MUTATIONS) >= 100
    assert len({GOOD.replace(mutation["old"], mutation["new"], 1) for mutation in MUTATIONS} - {GOOD}) == len(MUTATIONS)


@pytest.mark.parametrize("mutation", MUTATIONS, ids=lambda mutation: mutation["name"].replace(" ", "-"))
def test_a_mutation_is_refused_with_its_line_and_place(mutation: dict[str, Any]) -> None:
    assert mutation["old"] in GOOD
    mutated = GOOD.replace(mutation["old"], mutation["new"], 1)
    with pytest.raises(ConfigError) as refused:
        load_text(mutated)
    found = [problem for problem in refused.value.problems if problem.place == mutation["place"]]
    assert found, refused.value
    assert any(mutation["says"] in problem.message for problem in found), found
    line = mutation.get("line", first_difference(GOOD, mutated))
    if line == "any":
        assert 1 <= found[0].line <= mutated.count("\n") + 1
    else:
        assert line in {problem.line for problem in found}
