"""Runs for the tests of reports: as the ledger would give them, made by hand."""

import json
from typing import Any

import msgspec

from strangler.model.shadow import Comparing, Heading, Ignored, Shadow
from strangler.shadow.comparison import Difference, Kind
from strangler.shadow.evidence import Evidence, Observation
from strangler.shadow.record import BOUNDS, Latencies, RunRecord, Sample, Side
from strangler.shadow.report import Report, make_report

RULES = Comparing(
    ignore=(Ignored("body.request_id", "every answer has its own", "2027-01-31"),),
    tolerances=(("body.score", 0.5),),
    generated=("body.id",),
)


def evidence(same: int = 0, faults: int = 0, noise: int = 0, field: str = "body.price") -> Evidence:
    """So many exchanges of each kind, in this order; the noise is in ``body.server``."""
    value = frozenset(("value",))
    fault = Observation({field: value}, {}, {field: value})
    noisy = {"body.server": value}
    seen = Evidence()
    for count, observation in (
        (same, Observation({})),
        (faults, fault),
        (noise, Observation(noisy, noisy, {}, sampled=True)),
    ):
        for _ in range(count):
            seen, _ = seen.observe(observation, Shadow().at_most)
    return seen


def sample(at: float = 1000.0, **more: Any) -> Sample:
    """A price that differs."""
    headers = (("Content-Type", "application/json"),)
    document = {"items": [{"id": 1, "price": 1999}, {"id": 2, "price": 5}], "total": 2}
    primary = Side(200, headers, json.dumps(document), 0.01)
    document["items"][1]["price"] = 6  # type: ignore[index]  # of a document
    candidate = Side(200, headers, json.dumps(document), 0.02)
    difference = Difference("body.items[].price", "body.items[1].price", Kind.VALUE, "5", "6")
    made: dict[str, Any] = {
        "question": "GET /api/products?page=2\nAccept: */*",
        "primary": primary,
        "candidate": candidate,
        "differences": (difference,),
        "finding": "candidate_odd",
    }
    return Sample(at, **{**made, **more})


def latencies(*seconds: float) -> Latencies:
    counts = [0] * (len(BOUNDS) + 1)
    for each in seconds:
        counts[sum(bound < each for bound in BOUNDS)] += 1
    return Latencies(tuple(counts))


def record(seen: Evidence, **more: Any) -> RunRecord:
    headings = {Heading.EQUIVALENT: seen.compared - seen.real, Heading.DIFFERENT: seen.real, Heading.UNSAFE: 7}
    headings = {heading: count for heading, count in headings.items() if count}
    made: dict[str, Any] = {
        "route": "products-get",
        "number": 2,
        "fingerprint": "0123456789abcdef",
        "rules": msgspec.json.encode(RULES).decode(),
        "began": 1_790_000_000.0,
        "ended": None,
        "reason": "the service was deployed",
        "flushed": 1_790_000_100.0,
        "requests": sum(headings.values()) + 3,
        "headings": headings,
        "pending": 3,
        "evidence": seen,
        "normalised": {"date-notation": 1200},
        "ignored": {"body.request_id": 40, "header.server": 41},
        "cut": {"body of the primary after 2097152 bytes": 2},
        "primary": latencies(0.01, 0.011, 0.3),
        "candidate": latencies(0.004, 0.005, 0.006),
        "samples": (sample(),),
    }
    return RunRecord(**{**made, **more})


def report(seen: Evidence, **more: Any) -> Report:
    return make_report(record(seen, **more), Shadow(comparing=RULES))
