"""All that is known of one run of one route, for people and for programs."""

from dataclasses import dataclass

from strangler.model.route import Route
from strangler.model.shadow import Shadow
from strangler.shadow.record import RunRecord
from strangler.shadow.verdict import Verdict


@dataclass(frozen=True, slots=True)
class Report:
    """One run of one route, judged."""

    record: RunRecord
    shadow: Shadow
    verdict: Verdict
    route: Route | None = None
    """None for a replay, and for a route that is not configured any more."""


def make_report(record: RunRecord, shadow: Shadow, route: Route | None = None) -> Report:
    """Judge the run."""
    raise NotImplementedError


def as_json(report: Report) -> dict[str, object]:
    """Of plain values only. The keys are stable: docs/reference/shadow-report.md."""
    raise NotImplementedError


def as_text(report: Report) -> str:
    """For a terminal: the claim, the ledger, the fields, what was ignored."""
    raise NotImplementedError
