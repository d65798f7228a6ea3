"""Standings and samples as documents, for programs."""

import dataclasses
from datetime import UTC, datetime
from typing import Any

from strangler.control.shadow_reports import Standing
from strangler.shadow.record import RunRecord, Sample, Side


def standing_document(standing: Standing) -> dict[str, Any]:
    """One route in short."""
    return {
        "route": standing.route,
        "stage": standing.stage.value,
        "run": standing.run,
        "began": _instant(standing.began) if standing.run else None,
        "requests": standing.requests,
        "pending": standing.pending,
        "headings": {heading.value: count for heading, count in standing.headings.items()},
        "compared": standing.compared,
        "different": standing.different,
        "verdict": standing.judgement,
        "upper": standing.upper,
        "claim": standing.claim,
    }


def sample_documents(record: RunRecord, limit: int, field: str | None = None) -> list[dict[str, Any]]:
    """The newest first; only those that differ in ``field`` if one is given."""
    wanted = [
        sample
        for sample in record.samples
        if field is None or any(difference.field == field for difference in sample.differences)
    ]
    return [_document(sample) for sample in wanted[:limit]]


def _document(sample: Sample) -> dict[str, Any]:
    return {
        "at": _instant(sample.at),
        "finding": sample.finding,
        "question": sample.question,
        "differences": [dataclasses.asdict(difference) for difference in sample.differences],
        "primary": _side(sample.primary),
        "candidate": _side(sample.candidate),
    }


def _side(side: Side) -> dict[str, Any]:
    document = dataclasses.asdict(side)
    document["headers"] = [list(pair) for pair in side.headers]
    document["seconds"] = round(side.seconds, 6)
    return document


def _instant(seconds: float) -> str:
    """RFC 3339."""
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
