"""The report in its four forms: the same figures in each, nothing from elsewhere, no mark-up out of names."""

import csv
import io
import json
import re

from strangler.bench.agreement import Agreement
from strangler.bench.conditions import look
from strangler.bench.page import as_html
from strangler.bench.report import Report, Section, as_csv, as_json, markdown
from strangler.bench.rounds import Plan
from strangler.shadow.comparison import Difference, Kind

from .samples import ENDPOINT, rounds, sample

EVIL = "<script>alert(1)</script>"


def report(**more: object) -> Report:
    samples = rounds({"monolith": 100, "service": 200})
    values: dict[str, object] = {
        "title": "monolith and service", "conditions": look({"python": "3"}), "plan": Plan(rounds=7),
        "agreements": (Agreement(ENDPOINT, "service", 25, (), (), {"charset": 25}),), "samples": tuple(samples),
    }  # fmt: skip
    return Report(**values | more)  # type: ignore[arg-type]


def test_every_form_says_the_same() -> None:
    made = report()
    (first, *_) = made.conclusions
    assert first.startswith("Requests per second of service: 1.9")
    page, text, document = as_html(made, "bench.json"), markdown(made), as_json(made)
    for form in (page, text):
        assert first in form
        assert "charset 25" in form
    assert document["conclusions"][0] == first
    assert json.loads(json.dumps(document))["samples"][0]["target"] == "monolith"
    rows = list(csv.DictReader(io.StringIO(as_csv(made))))
    assert (len(rows), rows[0]["target"], float(rows[0]["p99"]) > 0) == (21, "monolith", True)
    assert 'href="bench.json"' in page


def test_the_page_needs_nothing_from_elsewhere() -> None:
    page = as_html(report())
    assert not re.search(r"""(?:src|href)=["']?(?!#)|url\(|@import|<script""", page)


def test_names_are_no_mark_up() -> None:
    samples = [
        one
        for number in range(1, 8)
        for one in (sample("a", number), sample(EVIL, number), sample("a (again)", number))
    ]
    section = Section(EVIL, EVIL, (EVIL,), ((EVIL,),))
    page = as_html(report(samples=tuple(samples), title=EVIL, sections=(section,), notes=(EVIL,)))
    assert EVIL not in page
    assert "&lt;script&gt;" in page


def test_what_lessens_the_figures_is_told() -> None:
    samples = [*rounds({"monolith": 100, "service": 200}), sample("service", 8, errors="2 failed under saturation")]
    samples[0] = sample("monolith", 1, lateness=0.5)
    differs = Difference("body.price", "body.price", Kind.VALUE, "1", "2")
    unlike = Agreement(ENDPOINT, "service", 25, (), (differs,))
    made = report(samples=tuple(samples), agreements=(unlike,), quick=True, notes=("a note",))
    remarks = " ".join(made.remarks)
    for words in (
        "a note",
        "quick version",
        "500 ms late",
        "1 of 22 blocks had errors",
        "Not alike",
        "service for «read»",
    ):
        assert words in remarks, words
    assert "2 failed under saturation" in as_html(made)
    assert "body.price (value)" in markdown(made)


def test_a_million_requests_cost_what_their_cpu_time_does() -> None:
    made = report(samples=tuple(rounds({"a": 100, "b": 100}, noise=0.0)), price=3.6)
    cost = made.cost("a", ENDPOINT)
    cpu = made.judgement.every[-1].value.median
    assert cost is not None
    assert abs(cost - cpu) < 1e-9, "1,000 times a second of CPU at 3.6 an hour is 1"
