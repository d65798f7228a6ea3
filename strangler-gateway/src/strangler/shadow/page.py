"""The report as one HTML file that needs nothing else: no script, no font, no picture from anywhere."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined, Template
from markupsafe import Markup

from strangler.model.shadow import COMPARED, Heading
from strangler.shadow.page_charts import intervals, latencies, share_ticks
from strangler.shadow.page_pairs import pairs_of
from strangler.shadow.record import Latencies
from strangler.shadow.report import QUANTILES, Report, duration, instant, interval, ranked_headings
from strangler.shadow.verdict import CONFIDENCE
from strangler.shadow.wording import HEADINGS, JUDGEMENTS, claim, count, nearly

_MOST_FIELDS = 60
_MOST_NAMES = 60
"""Rows of a table of counts."""


@dataclass(frozen=True, slots=True)
class _Line:
    """One heading of the ledger."""

    name: str
    words: str
    number: int
    share: float
    colour: str


def as_html(report: Report, made: float) -> str:
    """The page, whole. ``made`` is the time of it: seconds since the epoch."""
    record, verdict, evidence = report.record, report.verdict, report.record.evidence
    fields = [
        {
            "name": name,
            "verdict": field,
            "seen": evidence.fields[name],
            "picture": intervals(field.differing, field.noise, verdict.at_most),
        }
        for name, field in list(verdict.fields.items())[:_MOST_FIELDS]
    ]
    return _template().render(
        report=report,
        record=record,
        verdict=verdict,
        evidence=evidence,
        claim=claim(verdict),
        because=report.because,
        made=_clock(made),
        began=_clock(record.began),
        ended=_clock(record.ended) if record.ended is not None else "",
        lines=_ledger(report),
        fields=fields,
        more_fields=max(0, len(verdict.fields) - _MOST_FIELDS),
        scale=share_ticks(),
        normalised=[(*pair, "") for pair in _counts(record.normalised)],
        ignored=[(*pair, report.reason_of(pair[0])) for pair in _counts(record.ignored)],
        cut=[(*pair, "") for pair in _counts(record.cut)],
        pairs=pairs_of(record.samples, tuple(verdict.fields)),
        latency_picture=latencies(record.primary, record.candidate),
        latencies=[_latency(name, its) for name, its in (("primary", record.primary), ("candidate", record.candidate))],
        quantiles=[f"p{share * 100:g}" for share in QUANTILES],
        rules=_rules(report),
        confidence=f"{CONFIDENCE * 100:g} %",
    )


@cache
def _template() -> Template:
    environment = Environment(
        loader=PackageLoader("strangler.shadow", "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(
        breakable=_breakable,
        clock=_clock,
        count=count,
        interval=interval,
        nearly=nearly,
        judgement=JUDGEMENTS.__getitem__,
    )
    return environment.get_template("page.html")


def _ledger(report: Report) -> list[_Line]:
    record = report.record
    lines = [
        _Line(heading.value, HEADINGS[heading], number, _part(number, record.requests), _colour(heading))
        for heading, number in ranked_headings(record.headings)
    ]
    if record.pending:
        words = "not settled yet: on its way to the comparator, or in it"
        lines.append(_Line("pending", words, record.pending, _part(record.pending, record.requests), "pending"))
    return lines


def _part(number: int, of: int) -> float:
    return number / of if of else 0.0


def _colour(heading: Heading) -> str:
    return heading.value if heading in COMPARED else "skipped"


def _counts(counts: Mapping[str, int]) -> list[tuple[str, int]]:
    return sorted(counts.items(), key=lambda pair: (-pair[1], pair[0]))[:_MOST_NAMES]


def _latency(name: str, its: Latencies) -> dict[str, Any]:
    return {"name": name, "total": its.total, "quantiles": [duration(its.quantile(share)) for share in QUANTILES]}


def _rules(report: Report) -> list[tuple[str, str]]:
    """Settings and rules, in words."""
    shadow, rules = report.shadow, report.rules
    found = [
        ("Equivalent means", f"at most {nearly(shadow.at_most)} of the requests differ, at {CONFIDENCE * 100:g} %"),
        ("Chance of «different» in error", f"{nearly(shadow.alpha)}, over all looks at a run"),
        ("Mirrored", f"{nearly(shadow.sample)} of the requests, {shadow.rate:g} questions a second at most"),
        ("Asked again", f"where answers differ, and {nearly(shadow.noise)} of the others"),
        ("Bodies", f"requests of {shadow.request_bytes:,} bytes at most, answers of {shadow.answer_bytes:,}"),
        ("Time", f"{shadow.max_age:g} s until the candidate is asked, {shadow.timeout:g} s for its answer"),
        ("Writes", "mirrored, and rolled back by the service" if shadow.writes else "not mirrored"),
        ("Differences made equal", ", ".join(rules.get("normalise", ())) or "none"),
        ("Headers compared", ", ".join(rules.get("headers", ())) or "none"),
    ]  # fmt: skip
    arrays = [
        f"{rule['field']} by {rule['by']}{' ' + rule['key'] if rule.get('key') else ''}"
        for rule in rules.get("arrays", ())
    ]
    tolerances = [f"{field} within {value:g}" for field, value in rules.get("tolerances", ())]
    ignored = [f"{rule['field']} ({report.reason_of(rule['field'])})" for rule in rules.get("ignore", ())]
    for name, those in (
        ("Arrays", arrays),
        ("Tolerances", tolerances),
        ("Identifiers of either side", rules.get("generated", ())),
        ("Ignored", ignored),
    ):
        if those:
            found.append((name, "; ".join(those)))
    return found


def _breakable(name: str, after: str = ".") -> Markup:
    """A name which may be broken after its dots, or another character."""
    return (Markup.escape(after) + Markup("<wbr>")).join(name.split(after))


def _clock(seconds: float) -> str:
    """For people: UTC, to the second."""
    return (instant(seconds) or "").replace("T", " ").partition(".")[0] + " UTC"
