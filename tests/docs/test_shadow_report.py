"""The page on the report of a shadowed route names every key of it, and the how-to every heading."""

from typing import Any

import pytest

from docs.reader import ROOT
from strangler.model.shadow import Heading, Shadow
from strangler.shadow.evidence import Evidence, Finding, Observation
from strangler.shadow.record import RunRecord
from strangler.shadow.report import as_json, make_report

REFERENCE = (ROOT / "docs/reference/shadow-report.md").read_text()
HOW_TO = (ROOT / "docs/how-to/compare-answers.md").read_text()


def document() -> dict[str, Any]:
    evidence, _ = Evidence().observe(Observation({"status": frozenset(("value",))}), 0.005)
    return as_json(make_report(RunRecord("r", 1, "", "", 0.0, None, "", 0.0, 1, {}, 0, evidence), Shadow()))


def keys(title: str) -> list[str]:
    """The first column of the first table under a heading."""
    table = REFERENCE.partition(f"{title}\n")[2].partition("|---|---|\n")[2].partition("\n\n")[0]
    return [key.strip().strip("`") for line in table.splitlines() for key in line.split("|")[1].split(",")]


@pytest.mark.parametrize(
    ("title", "told"),
    [
        ("# The report of a shadowed route", document()),
        ("## Verdict", document()["verdict"]),
        ("## Fields", document()["fields"][0]),
    ],
)
def test_each_key_has_its_line(title: str, told: dict[str, Any]) -> None:
    assert keys(title) == list(told)


def test_each_finding_is_named() -> None:
    assert [finding for finding in Finding if f"`{finding}`" not in REFERENCE] == []


def test_each_heading_is_explained() -> None:
    assert [heading for heading in Heading if f"`{heading}`" not in HOW_TO] == []
