"""The report as a document and as text."""

import json

import pytest

from strangler.model.shadow import Heading
from strangler.shadow.evidence import Evidence
from strangler.shadow.page import as_html
from strangler.shadow.report import as_json, as_text, duration
from strangler.shadow.verdict import Judgement
from strangler.shadow.wording import HEADINGS, claim

from .runs import evidence, latencies, record, report


def test_the_document_has_plain_values_and_these_keys() -> None:
    document = as_json(report(evidence(300, faults=12)))
    assert json.loads(json.dumps(document)) == document
    assert list(document) == [
        "report", "route", "run", "verdict", "ledger", "findings", "noise", "fields", "normalised", "ignored", "cut",
        "latency", "rules", "samples",
    ]  # fmt: skip


def test_a_verdict_says_how_many_questions_it_does_not_speak_of() -> None:
    seen = evidence(3000)
    headings = {Heading.EQUIVALENT: 3000, Heading.CANDIDATE_UNREACHABLE: 10, Heading.CANDIDATE_TIMEOUT: 5}
    silent = report(seen, headings=headings)
    assert silent.verdict.judgement is Judgement.EQUIVALENT
    words = "To 15 of 3,015 questions the candidate gave no answer that can be compared"
    assert words in str(as_json(silent)["verdict"])
    assert words in as_text(silent)
    assert words in as_html(silent, 0.0)
    assert "no answer that can be compared" not in as_text(report(seen))


def test_a_candidate_that_is_silent_more_often_than_it_may_differ_is_not_equivalent() -> None:
    silent = report(evidence(3000), headings={Heading.EQUIVALENT: 3000, Heading.CANDIDATE_TIMEOUT: 16})
    assert (silent.verdict.at_most, silent.verdict.judgement) == (0.005, Judgement.UNDECIDED)
    assert "16 of 3,016 questions that the candidate left without an answer" in claim(silent.verdict)
    assert "16 of 3,016 questions" in silent.because
    differing = report(
        evidence(3000, faults=60),
        headings={Heading.DIFFERENT: 60, Heading.EQUIVALENT: 2940, Heading.CANDIDATE_TIMEOUT: 99},
    )
    assert differing.verdict.judgement is Judgement.DIFFERENT
    assert "To 99 of 3,099 questions the candidate gave no answer" in differing.because


def test_the_document_says_what_was_found() -> None:
    document: dict = as_json(report(evidence(300, faults=12)))
    assert document["verdict"]["judgement"] == "different"
    assert (
        document["ledger"]["requests"] == sum(document["ledger"]["headings"].values()) + document["ledger"]["pending"]
    )
    (field,) = document["fields"]
    assert (field["field"], field["candidate_odd"], field["kinds"]) == ("body.price", 12, {"value": 12})
    assert field["differing"]["low"] < field["differing"]["share"] < field["differing"]["high"]
    assert document["ignored"] == [
        {"field": "header.server", "count": 41, "reason": "a header that is not compared"},
        {"field": "body.request_id", "count": 40, "reason": "every answer has its own, until 2027-01-31"},
    ]
    assert document["latency"]["candidate"] == {"answers": 3, "p50": 0.00538, "p90": 0.0064, "p99": 0.0064}
    assert document["run"]["began"] == "2026-09-21T14:13:20.000Z"
    assert document["samples"][0]["differences"][0]["at"] == "body.items[1].price"


def test_a_run_of_which_nothing_is_known_can_be_reported() -> None:
    nothing = report(
        Evidence(), headings={}, requests=0, pending=0, normalised={}, ignored={}, cut={}, samples=(), rules="",
        primary=latencies(), candidate=latencies(),
    )  # fmt: skip
    document: dict = as_json(nothing)
    assert document["verdict"]["claim"] == "nothing compared yet"
    assert document["latency"]["primary"] == {"answers": 0, "p50": None, "p90": None, "p99": None}
    assert "sum" in as_text(nothing)


def test_the_text_is_a_page_for_a_terminal() -> None:
    text = as_text(report(evidence(300, faults=12)))
    assert (
        text
        == """\
products-get: different
  1 to 9.5 % of requests differ, 95 %, after 312 compared
  It differs in body.price, more often than the primary differs from itself. Chance alone leads to this verdict in at \
most 0.1 % of all runs, however often they are looked at.
  run 2, from 2026-09-21T14:13:20.000Z: the service was deployed

requests
  equivalent     300  compared: nothing differs but what is ignored or noise
  different       12  compared: something differs
  unsafe_method    7  a write, and the route does not shadow writes
  pending          3  not settled yet
  sum            322

fields that differ
  body.price  3.8 % (1 to 9.5 %)  different; odd: candidate 12, primary 0, unclear 0 (value)

the primary was asked again 12 times

made equal
  date-notation  1,200

ignored
  header.server    41  a header that is not compared
  body.request_id  40  every answer has its own, until 2027-01-31

not looked at
  body of the primary after 2097152 bytes  2

latency
  primary    3  p50 13 ms, p90 344 ms, p99 344 ms
  candidate  3  p50 5.4 ms, p90 6.4 ms, p99 6.4 ms
"""
    )


def test_every_heading_has_words() -> None:
    assert HEADINGS.keys() == set(Heading)


def test_a_quantile_is_never_less_than_the_truth() -> None:
    its = record(Evidence(), primary=latencies(*(index / 1000 for index in range(1, 101)))).primary
    for share in (0.5, 0.9, 0.99):
        quantile = its.quantile(share)
        assert quantile is not None
        assert share / 10 <= quantile <= share / 10 * 1.2
    assert latencies(500.0).quantile(0.5) == float("inf")


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (None, "-"),
        (0.00012, "0.12 ms"),
        (0.0128, "13 ms"),
        (0.305, "305 ms"),
        (4.2, "4.2 s"),
        (float("inf"), "more than 88 s"),
    ],
)
def test_durations_have_two_digits_that_matter(seconds: float | None, words: str) -> None:
    assert duration(seconds) == words
