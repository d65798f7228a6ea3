"""The list of metrics: names as Prometheus wants them, each once, each with what a reader needs."""

import re

import pytest

from strangler.telemetry.families import BY_NAME, FAMILIES
from strangler.telemetry.family import Family

UNITS = ("_seconds", "_bytes", "_total", "_percent", "_info", "_ratio")


def test_no_name_is_declared_twice() -> None:
    assert len(BY_NAME) == len(FAMILIES)


@pytest.mark.parametrize("family", FAMILIES, ids=lambda family: family.name)
def test_a_family_is_well_formed(family: Family) -> None:
    assert re.fullmatch(r"strangler(_[a-z]+)+", family.name)
    assert all(re.fullmatch(r"[a-z]+(_[a-z]+)*", label) for label in family.labels)
    assert family.name.endswith("_total") is (family.kind == "counter")
    assert bool(family.bounds) is (family.kind == "histogram")
    assert list(family.bounds) == sorted(set(family.bounds))
    assert family.help.endswith(".")
    assert "|" not in family.help
    assert "slot" not in family.labels[1:]
