"""All that is known of one run of one route, for programs and for a terminal."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from strangler.model.route import Route
from strangler.model.shadow import COMPARED, Heading, Shadow
from strangler.shadow.evidence import Evidence
from strangler.shadow.record import Latencies, RunRecord, Sample, Side
from strangler.shadow.verdict import CONFIDENCE, FieldVerdict, Judgement, Rate, Verdict, judge
from strangler.shadow.wording import HEADINGS, JUDGEMENTS, at_least, at_most, because, claim, count, nearly

VERSION = 1
"""Of the document that ``as_json`` makes."""
QUANTILES = (0.5, 0.9, 0.99)
_MOST_FIELDS = 40
"""Of a text; the document has all."""


@dataclass(frozen=True, slots=True)
class Report:
    """One run of one route, judged."""

    record: RunRecord
    shadow: Shadow
    verdict: Verdict
    route: Route | None = None
    """None for a replay, and for a route that is not configured any more."""
    again: str = "primary"
    """Who was asked a second time; the candidate, where recorded answers were replayed."""

    @property
    def rules(self) -> dict[str, Any]:
        """By which it was compared: ``Comparing`` as a document."""
        rules: dict[str, Any] = json.loads(self.record.rules) if self.record.rules else {}
        return rules

    @property
    def because(self) -> str:
        """What the verdict rests on, and what it says nothing of."""
        told, silent = because(self.verdict), self.record.unanswered
        if not silent or (self.verdict.is_silent and self.verdict.judgement is Judgement.UNDECIDED):
            return told
        compared = sum(self.record.headings.get(each, 0) for each in COMPARED)
        asked = f"{count(silent)} of {count(silent + compared)} questions"
        return f"{told} To {asked} the candidate gave no answer that can be compared: nothing is said of those."

    def reason_of(self, field: str) -> str:
        """Why differences in a field are ignored; what no rule names is a header that is not compared."""
        for rule in self.rules.get("ignore", ()):
            if rule["field"] == field:
                until = f", until {rule['until']}" if rule.get("until") else ""
                return f"{rule['reason']}{until}"
        return "a header that is not compared" if field.startswith("header.") else ""


def make_report(record: RunRecord, shadow: Shadow, route: Route | None = None, again: str = "primary") -> Report:
    """Judge the run."""
    return Report(record, shadow, judge(record.evidence, shadow, record.unanswered), route, again)


def as_json(report: Report) -> dict[str, object]:
    """Of plain values only. The keys are stable: docs/reference/shadow-report.md."""
    record, verdict, evidence = report.record, report.verdict, report.record.evidence
    return {
        "report": VERSION,
        "route": record.route,
        "run": {
            "number": record.number,
            "began": instant(record.began),
            "ended": instant(record.ended),
            "reason": record.reason,
            "rules": record.fingerprint,
            "written": instant(record.flushed),
        },
        "verdict": {
            "judgement": verdict.judgement.value,
            "claim": claim(verdict),
            "because": report.because,
            "compared": verdict.compared,
            "different": _rate(verdict.real),
            "upper": _share(verdict.upper),
            "at_most": verdict.at_most,
            "confidence": CONFIDENCE,
            "alpha": verdict.alpha,
            "needed": verdict.needed,
            "apart_from": list(verdict.apart_from),
            "doubtful": list(verdict.doubtful),
        },
        "ledger": {
            "requests": record.requests,
            "pending": record.pending,
            "headings": {heading.value: number for heading, number in record.headings.items()},
        },
        "findings": {str(finding): number for finding, number in sorted(evidence.findings.items())},
        "noise": {"asked": evidence.seconds, "sampled": evidence.sampled, "differed": evidence.noisy},
        "fields": [_field(report, name, field) for name, field in verdict.fields.items()],
        "normalised": dict(record.normalised),
        "ignored": [
            {"field": name, "count": number, "reason": report.reason_of(name)}
            for name, number in _ranked(record.ignored)
        ],
        "cut": dict(record.cut),
        "latency": {"primary": _latency(record.primary), "candidate": _latency(record.candidate)},
        "rules": report.rules,
        "samples": [sample_document(sample) for sample in record.samples],
    }


def sample_document(sample: Sample) -> dict[str, object]:
    """One pair of answers."""
    return {
        "at": instant(sample.at),
        "finding": sample.finding,
        "question": sample.question,
        "differences": [
            {
                "field": difference.field,
                "at": difference.at,
                "kind": difference.kind.value,
                "primary": difference.primary,
                "candidate": difference.candidate,
            }
            for difference in sample.differences
        ],
        "primary": _side(sample.primary),
        "candidate": _side(sample.candidate),
    }


def _side(side: Side) -> dict[str, object]:
    return {
        "status": side.status,
        "headers": [list(pair) for pair in side.headers],
        "body": side.body,
        "effects": side.effects,
        "seconds": round(side.seconds, 6),
    }


def _field(report: Report, name: str, verdict: FieldVerdict) -> dict[str, object]:
    seen = report.record.evidence.fields[name]
    return {
        "field": name,
        "judgement": verdict.judgement.value,
        "kinds": dict(seen.kinds),
        "first": seen.first,
        "differing": _rate(verdict.differing),
        "noise": _rate(verdict.noise),
        "candidate_odd": seen.candidate_odd,
        "primary_odd": seen.primary_odd,
        "unclear": seen.unclear,
        "left_out": verdict.loud,
    }


def _rate(rate: Rate) -> dict[str, object]:
    return {
        "seen": rate.seen,
        "of": rate.of,
        "share": _share(rate.share),
        "low": _share(rate.low),
        "high": _share(rate.high),
    }


def _share(share: float) -> float:
    return float(f"{share:.4g}")


def _latency(latencies: Latencies) -> dict[str, object]:
    """Seconds; null without answers."""
    quantiles = {f"p{share * 100:g}": latencies.quantile(share) for share in QUANTILES}
    return {
        "answers": latencies.total,
        **{name: None if seconds is None else float(f"{seconds:.3g}") for name, seconds in quantiles.items()},
    }


def instant(seconds: float | None) -> str | None:
    """RFC 3339, UTC."""
    if seconds is None:
        return None
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _ranked(counts: Mapping[str, int]) -> list[tuple[str, int]]:
    return sorted(counts.items(), key=lambda pair: (-pair[1], pair[0]))


def ranked_headings(headings: Mapping[Heading, int]) -> list[tuple[Heading, int]]:
    """Those that have any, in the order in which ``Heading`` names them: compared first."""
    return [(heading, headings[heading]) for heading in Heading if headings.get(heading)]


def as_text(report: Report) -> str:
    """For a terminal: the claim, the ledger, the fields, what was ignored."""
    return "\n".join(_lines(report)) + "\n"


def _lines(report: Report) -> Iterator[str]:
    record, verdict = report.record, report.verdict
    ended = f" to {instant(record.ended)}" if record.ended is not None else ""
    yield f"{record.route}: {JUDGEMENTS[verdict.judgement]}"
    yield f"  {claim(verdict)}"
    yield f"  {report.because}"
    yield f"  run {record.number}, from {instant(record.began)}{ended}: {record.reason}"
    yield from _section(
        "requests",
        [(heading.value, count(number), HEADINGS[heading]) for heading, number in ranked_headings(record.headings)]
        + ([("pending", count(record.pending), "not settled yet")] if record.pending else [])
        + [("sum", count(record.requests), "")],
    )
    fields = list(verdict.fields.items())
    yield from _section("fields that differ", [_field_cells(report, *field) for field in fields[:_MOST_FIELDS]])
    if len(fields) > _MOST_FIELDS:
        yield f"  … {len(fields) - _MOST_FIELDS} more"
    evidence = record.evidence
    if evidence.seconds:
        yield ""
        yield f"the {report.again} was asked again {count(evidence.seconds)} times{_by_chance(evidence)}"
    yield from _section("made equal", [(name, count(number), "") for name, number in _ranked(record.normalised)])
    yield from _section(
        "ignored", [(name, count(number), report.reason_of(name)) for name, number in _ranked(record.ignored)]
    )
    yield from _section("not looked at", [(name, count(number), "") for name, number in _ranked(record.cut)])
    yield from _section(
        "latency",
        [
            (
                name,
                count(its.total),
                ", ".join(f"p{share * 100:g} {duration(its.quantile(share))}" for share in QUANTILES),
            )
            for name, its in (("primary", record.primary), ("candidate", record.candidate))
            if its.total
        ],
    )


def _by_chance(evidence: Evidence) -> str:
    if not evidence.sampled:
        return ""
    return f"; where it was by chance, {count(evidence.noisy)} of {count(evidence.sampled)} differed"


def _field_cells(report: Report, name: str, verdict: FieldVerdict) -> tuple[str, str, str]:
    seen = report.record.evidence.fields[name]
    odd = (
        f"odd: candidate {count(seen.candidate_odd)}, primary {count(seen.primary_odd)}, unclear {count(seen.unclear)}"
    )
    noise = f"; from itself {nearly(verdict.noise.share)}" if verdict.noise.seen else ""
    kinds = ", ".join(sorted(seen.kinds, key=lambda kind: -seen.kinds[kind]))
    said = "left out: it differs from itself" if verdict.loud else JUDGEMENTS[verdict.judgement]
    return (
        name,
        f"{nearly(verdict.differing.share)} ({interval(verdict.differing)})",
        f"{said}; {odd}{noise}{f' ({kinds})' if kinds else ''}",
    )


def interval(rate: Rate) -> str:
    """«0.69 to 1.7 %»."""
    return f"{at_least(rate.low).removesuffix(' %')} to {at_most(rate.high)}"


def duration(seconds: float | None) -> str:
    """With two digits that matter."""
    if seconds is None:
        return "-"
    if seconds == float("inf"):
        return "more than 88 s"
    return (
        f"{seconds * 1000:.2g} ms"
        if seconds < 0.0995
        else f"{seconds * 1000:.0f} ms"
        if seconds < 1
        else f"{seconds:.2g} s"
    )


def _section(title: str, rows: Sequence[tuple[str, str, str]]) -> Iterator[str]:
    if not rows:
        return
    widths = [max(len(row[index]) for row in rows) for index in (0, 1)]
    yield ""
    yield title
    for name, number, words in rows:
        yield f"  {name:{widths[0]}}  {number:>{widths[1]}}  {words}".rstrip()
