"""The report as a page: whole, by itself, and with nothing in it that was not escaped."""

import dataclasses
import json
import re
from html.parser import HTMLParser

import pytest

from strangler.model.shadow import Heading
from strangler.shadow.comparison import Difference, Kind
from strangler.shadow.evidence import Evidence, Observation
from strangler.shadow.page import as_html
from strangler.shadow.page_pairs import pairs_of
from strangler.shadow.record import Sample, Side

from .runs import evidence, latencies, report, sample

EVIL = """<script>alert('x')</script>"><img src=x onerror=alert(1)> {{ 7 * 7 }} &amp; \x00 ]]>"""
VOID = frozenset(("meta", "link", "wbr", "br", "img", "input", "hr"))


class Reader(HTMLParser):
    """Reads a page as a browser would, and notes what stands in it."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: set[str] = set()
        self.attributes: set[str] = set()
        self.rows: list[list[str]] = []
        self.text = ""
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes.update(name for name, _ in attrs)
        if tag == "tr":
            self.rows.append([])
        if tag in {"td", "th"} and self.rows:
            self.rows[-1].append("")
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if {"style", "title"} & set(self.open):
            return
        self.text += data
        if "tr" in self.open and self.rows[-1]:
            self.rows[-1][-1] += data.strip()


def page(seen: Evidence, **more: object) -> Reader:
    return Reader(as_html(report(seen, **more), 1_790_000_200.0))


def test_every_element_is_closed_and_nothing_is_fetched_or_run() -> None:
    text = as_html(report(evidence(300, faults=12, noise=3)), 1_790_000_200.0)
    read = Reader(text)
    assert read.open == []
    assert not read.tags & {"script", "link", "img", "iframe", "object", "form", "base", "embed"}
    assert not {name for name in read.attributes if name.startswith("on")} | read.attributes & {"src", "href"}
    assert not re.search(r"url\(|@import|https?://", text)


def test_the_verdict_stands_on_top_in_words() -> None:
    read = page(evidence(300, faults=12))
    assert "1 to 9.5 % of requests differ, 95 %, after 312 compared." in read.text
    assert "It differs in body.price" in read.text


def test_the_ledger_adds_up_to_the_requests_before_the_readers_eyes() -> None:
    rows = page(evidence(3000, faults=12)).rows
    first = next(index for index, row in enumerate(rows) if row[:1] == ["Heading"])
    last = next(index for index, row in enumerate(rows) if row[:1] == ["Sum"])
    numbers = [int(row[2].replace(",", "")) for row in rows[first + 1 : last + 1]]
    assert [row[0] for row in rows[first + 1 : last]] == ["equivalent", "different", "unsafe_method", "pending"]
    assert sum(numbers[:-1]) == numbers[-1] == 3022


def test_fields_are_shown_with_rates_intervals_and_who_was_odd() -> None:
    (row,) = [row for row in page(evidence(300, faults=12)).rows if row[:1] == ["body.pricevalue"]]
    assert row[1] == "3.8 %1 to 9.5 %12 of 312"
    assert row[4:] == ["12", "0", "0", "different"]


def test_what_does_not_count_is_shown_with_its_number_and_reason() -> None:
    rows = page(evidence(300)).rows
    assert ["date-notation", "1,200"] in rows
    assert ["body.request_idevery answer has its own, until 2027-01-31", "40"] in rows
    assert ["body of the primary after 2097152 bytes", "2"] in rows


def test_the_rules_are_shown() -> None:
    rows = dict(row for row in page(evidence(300)).rows if len(row) == 2)
    assert rows["Tolerances"] == "body.score within 0.5"
    assert rows["Identifiers of either side"] == "body.id"
    assert rows["Ignored"] == "body.request_id (every answer has its own, until 2027-01-31)"


def test_latencies_of_both_arms_are_drawn_and_listed() -> None:
    text = as_html(report(evidence(300)), 0.0)
    assert text.count('class="area ') == 2
    assert ["candidate", "3", "5.4 ms", "6.4 ms", "6.4 ms"] in Reader(text).rows


def test_a_run_of_which_nothing_is_known_has_a_page() -> None:
    read = page(
        Evidence(), headings={}, requests=0, pending=0, normalised={}, ignored={}, cut={}, samples=(), rules="",
        primary=latencies(), candidate=latencies(), ended=1_790_000_050.0,
    )  # fmt: skip
    assert "Nothing compared yet" in read.text or "nothing compared yet" in read.text
    assert "How long both took" not in read.text


@pytest.mark.parametrize("body", [EVIL, f'{{"{EVIL[:8]}": "{EVIL[:28]}"}}'])
def test_nothing_that_others_wrote_gets_out_of_its_place(body: str) -> None:
    side = Side(200, ((EVIL, EVIL),), body, 0.0, body)
    evil = Sample(0.0, f"{EVIL}\n{EVIL}", side, side, (Difference(EVIL, EVIL, Kind.VALUE, EVIL, EVIL + "x"),), EVIL)
    seen = evidence(30, faults=12, field=EVIL)
    made = report(
        seen,
        route=EVIL,
        reason=EVIL,
        fingerprint=EVIL,
        normalised={EVIL: 1},
        ignored={EVIL: 1},
        cut={EVIL: 1},
        samples=(evil,),
    )
    rules = {"normalise": [EVIL], "headers": [EVIL], "generated": [EVIL], "tolerances": [[EVIL, 1]]}
    rules["ignore"] = [{"field": EVIL, "reason": EVIL, "until": EVIL}]  # type: ignore[list-item]  # a document
    rules["arrays"] = [{"field": EVIL, "by": EVIL, "key": EVIL}]  # type: ignore[list-item]  # a document
    made = dataclasses.replace(made, record=dataclasses.replace(made.record, rules=json.dumps(rules)))
    text = as_html(made, 0.0)
    read = Reader(text)
    assert read.open == []
    assert not read.tags & {"script", "img"}
    assert not {name for name in read.attributes if name.startswith("on")}
    assert "{{ 7 * 7 }}" in read.text
    assert "<script" not in text


def test_the_differing_place_is_marked_in_both_answers_and_what_is_alike_left_out() -> None:
    text = as_html(report(evidence(300, faults=12, field="body.items[].price")), 0.0)
    assert '<tr class="odd"><td>body.items[1].price<small>value</small></td>' in text
    assert "<mark>5</mark>" in text
    assert "<mark>6</mark>" in text


def differing(primary: Side, candidate: Side, *differences: Difference) -> list[tuple[str, str, str]]:
    made = sample(primary=primary, candidate=candidate, differences=differences)
    (pair,) = pairs_of((made,), (differences[0].field,))
    text = [[f"{cell.before}[{cell.odd}]{cell.after}" for cell in (row.primary, row.candidate)] for row in pair.rows]
    return [(row.place, *cells) for row, cells in zip(pair.rows, text, strict=True) if row.kind]


def test_a_missing_member_and_a_whole_array_are_shown_by_what_was_compared() -> None:
    primary = Side(200, (), '{"items": [1, 2], "name": "a"}')
    candidate = Side(200, (), '{"items": [2, 1]}')
    assert differing(
        primary,
        candidate,
        Difference("body.name", "body.name", Kind.MISSING, '"a"', ""),
        Difference("body.items", "body.items", Kind.ORDER, "[1, 2]", "[2, 1]"),
    ) == [("body.items", "[[1, 2]]", "[[2, 1]]"), ("body.name", '["a"]', "[]")]


def test_texts_are_shown_line_by_line_and_headers_and_status_by_name() -> None:
    primary = Side(200, (("ETag", "a"),), "one\ntwo")
    candidate = Side(404, (("ETag", "b"),), "one\n2")
    assert differing(
        primary,
        candidate,
        Difference("body.lines[]", "body.lines[1]", Kind.VALUE, '"two"', '"2"'),
        Difference("status", "status", Kind.VALUE, "200", "404"),
        Difference("header.etag", "header.etag", Kind.VALUE, '"a"', '"b"'),
    ) == [
        ("status", "[200]", "[404]"),
        ("header.etag", '"[a]"', '"[b]"'),
        ("body.lines[1]", '"[two]"', '"[2]"'),
    ]


def test_a_difference_that_redaction_has_hidden_is_shown_by_what_was_compared() -> None:
    side = Side(200, (), '{"token": "(token:20)"}')
    difference = Difference("body.token", "body.token", Kind.VALUE, '"(token:20)"', '"(token:21)"')
    assert differing(side, side, difference) == [("body.token", '"(token:2[0])"', '"(token:2[1])"')]


def test_a_few_pairs_of_each_field_are_shown_the_most_telling_field_first() -> None:
    def about(at: float, field: str) -> Sample:
        return sample(at, differences=(Difference(field, field, Kind.VALUE, "1", "2"),))

    samples = (*(about(at, "often") for at in range(20, 0, -1)), about(0, "rare"))
    pairs = pairs_of(samples, ("rare", "often"))
    assert [pair.fields for pair in pairs] == [("rare",), *[("often",)] * 3]


def test_headings_and_fields_of_a_large_run_stay_bounded() -> None:
    seen = Evidence()
    value = frozenset(("value",))
    for start in range(0, 300, 60):
        seen, _ = seen.observe(
            Observation(dict.fromkeys((f"f{index}" for index in range(start, start + 60)), value)), 0.01
        )
    text = as_html(report(seen, headings=dict.fromkeys(Heading, 1), requests=len(Heading) + 3), 0.0)
    assert "… and 141 more." in text
    assert len(text) < 200_000


def test_a_long_heading_may_be_broken_between_its_words_only() -> None:
    page = as_html(report(evidence(3), headings={Heading.CANDIDATE_UNREACHABLE: 2, Heading.EQUIVALENT: 1}), 0.0)
    assert "<code>candidate_<wbr>unreachable</code>" in page
