"""A report on what was measured: JSON with everything, CSV of the samples, Markdown for a pull request."""

import csv
import io
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from strangler.bench.agreement import Agreement
from strangler.bench.conditions import Conditions
from strangler.bench.judging import Judged, Judgement, Metric, judge, median_of
from strangler.bench.rounds import SHARES, Plan, Sample
from strangler.bench.wording import NAMES, conclusions, duration, ratio, size, three, value, verdict

FORM = 1
"""The version of the JSON document."""
PRICE = 0.04
"""Per core and hour, in whatever currency, where nobody says what theirs costs."""
SHOWN = (0.5, 0.9, 0.99, 0.999)


@dataclass(frozen=True, slots=True)
class Section:
    """A table that whoever made the report adds to it."""

    title: str
    words: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


@dataclass(frozen=True, slots=True)
class Report:
    """All that there is to tell."""

    title: str
    conditions: Conditions
    plan: Plan
    agreements: tuple[Agreement, ...]
    samples: tuple[Sample, ...]
    price: float = PRICE
    quick: bool = False
    """Whether it was made in a hurry, which it says."""
    sections: tuple[Section, ...] = ()
    notes: tuple[str, ...] = ()
    judgement: Judgement = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "judgement", judge(self.samples))

    @property
    def conclusions(self) -> list[str]:
        """In words."""
        return conclusions(self.judgement)

    @property
    def remarks(self) -> list[str]:
        """What makes the figures less than they seem."""
        found = list(self.notes)
        if self.quick:
            found.append("This is the quick version: fewer endpoints, short blocks, one process per server throughout.")
        late = max((sample.lateness for sample in self.samples), default=0.0)
        slowest = min((sample.quantile(0.5) for sample in self.samples if sample.quantiles), default=0.0)
        if late > max(0.001, 0.2 * slowest):
            words = (
                f"The load generator itself was up to {duration(late)} late: shorter latencies cannot be told apart."
            )
            found.append(words)
        if self.judgement.refused:
            number, of = len(self.judgement.refused), len(self.samples)
            found.append(f"{number} of {of} blocks had errors and count for nothing; they are listed below.")
        if unequal := [one for one in self.agreements if not one.is_equal]:
            names = ", ".join(sorted({f"{one.target} for «{one.endpoint}»" for one in unequal}))
            found.append(f"Not alike, so that speed compares unlike things: {names}.")
        return found

    def cost(self, target: str, endpoint: str) -> float | None:
        """Of a million requests."""
        cpu = self.judgement.of(target, endpoint, Metric.CPU)
        return None if cpu is None else cpu.value.median * 1000 / 3600 * self.price


COLUMNS = (
    "server",
    "requests/s",
    "× baseline",
    "p50",
    "p99",
    "× baseline",
    "CPU s/1,000",
    "× baseline",
    "cost/million",
)


def lines(report: Report, endpoint: str) -> list[tuple[str, ...]]:
    """One line per server for ``COLUMNS``."""
    found = []
    for target in report.judgement.targets:
        cells = [target]
        for metric, with_ratio in ((Metric.RATE, True), (Metric.P50, False), (Metric.P99, True), (Metric.CPU, True)):
            judged = report.judgement.of(target, endpoint, metric)
            cells.append(value(judged) if judged else "–")
            if with_ratio:
                cells.append(_beside(judged) if judged else "–")
        cost = report.cost(target, endpoint)
        found.append((*cells, three(cost) if cost is not None else "–"))
    return found


def _beside(judged: Judged) -> str:
    return f"{ratio(judged)} {verdict(judged)}" if judged.ratio else "1"


PROCESSES = ("server", "memory", "ready after")


def processes(report: Report) -> list[tuple[str, ...]]:
    """One line per server for ``PROCESSES``; none where nothing is known of any."""
    found: list[tuple[str, ...]] = []
    for target in report.judgement.targets:
        memory = median_of(report.samples, target, lambda sample: sample.memory)
        ready = median_of(report.samples, target, lambda sample: sample.ready_after)
        if memory is not None or ready is not None:
            found.append(
                (target, size(memory) if memory is not None else "–", duration(ready) if ready is not None else "–")
            )
    return found


def floors(report: Report) -> list[str]:
    """How far the baseline differs from itself, per endpoint."""
    judgement = report.judgement
    found = []
    for endpoint in judgement.endpoints:
        parts = [
            f"{NAMES[metric]} {one.floor:.0%}"
            for metric in (Metric.RATE, Metric.P99, Metric.CPU)
            if (one := judgement.of(judgement.baseline, endpoint, metric)) is not None
        ]
        found.append(f"{endpoint}: {', '.join(parts)}")
    return found


def agreement_lines(agreements: Sequence[Agreement]) -> list[tuple[str, ...]]:
    """Endpoint, server, answers compared, what came of it, which known differences were made equal."""
    found: list[tuple[str, ...]] = []
    for one in agreements:
        if one.is_equal:
            words = "alike" if one.normalised or one.compared else "nothing compared"
        else:
            fields = [f"{each.field} ({each.kind.value})" for each in one.differences]
            words = "; ".join((*one.wrong, *fields))
        known = ", ".join(f"{name} {count}" for name, count in sorted(one.normalised.items()))
        found.append((one.endpoint, one.target, str(one.compared), words, known or "–"))
    return found


AGREEMENT = ("endpoint", "server", "answers", "beside the baseline", "known differences")


def markdown(report: Report) -> str:
    """For a pull request: conclusions first, then tables."""
    judgement = report.judgement
    parts = [f"# {report.title}", "", *(f"- {line}" for line in report.conclusions), ""]
    parts += [f"> {line}" for line in report.remarks]
    for endpoint in judgement.endpoints:
        rate = next(sample.arrival_rate for sample in report.samples if sample.endpoint == endpoint)
        parts += ["", f"## {endpoint}", "", f"Latencies at {three(rate)} requests per second.", ""]
        parts += grid(COLUMNS, lines(report, endpoint))
    if found := processes(report):
        parts += ["", "## Processes", "", *grid(PROCESSES, found)]
    parts += ["", "## Whether they answer alike", "", *grid(AGREEMENT, agreement_lines(report.agreements))]
    for section in report.sections:
        parts += ["", f"## {section.title}", "", section.words, "", *grid(section.columns, section.rows)]
    parts += ["", "## How sure", "", f"{judgement.baseline} differs from itself by at most:", ""]
    parts += [f"- {line}" for line in floors(report)]
    if judgement.refused:
        parts += ["", "Refused:", ""]
        parts += [f"- round {one.round}, {one.target}, {one.endpoint}: {one.errors}" for one in judgement.refused]
    parts += ["", "## Machine and method", "", *(f"- {name}: {words}" for name, words in described(report))]
    return "\n".join(parts) + "\n"


def described(report: Report) -> list[tuple[str, str]]:
    """Machine and method, by name."""
    conditions, plan = report.conditions, report.plan
    found = [
        ("at", conditions.at),
        ("commit", conditions.commit or "–"),
        ("processor", f"{conditions.processor}, {conditions.cores} cores for this process"),
        ("control group", conditions.quota or "no quota"),
        ("kernel", conditions.kernel),
        ("Python", conditions.python),
        ("load before", f"{conditions.load_average:.2f}"),
        ("rounds", f"{plan.rounds}, each beginning with another server, the baseline twice in each"),
        (
            "saturation",
            f"{plan.seconds:g} s, longer for slow endpoints, {plan.connections} connections, wrk (closed loop)",
        ),
        (
            "latency",
            f"{plan.arrival_seconds:g} s, longer for slow endpoints; {plan.share:.0%} of the slowest's most, open loop",
        ),
        ("latency counts", "from when a request was due"),
        ("intervals", "95 %, bootstrap of the median of ratios within a round"),
        ("price", f"{report.price:g} per core and hour"),
    ]
    return found + [(name, version) for name, version in conditions.versions.items()]


def grid(headings: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    """The lines of a Markdown table."""
    escaped = [[cell.replace("|", "\\|") for cell in row] for row in rows]
    return [f"| {' | '.join(cells)} |" for cells in (headings, ["---"] * len(headings), *escaped)]


def as_csv(report: Report) -> str:
    """The samples, one a line."""
    out = io.StringIO()
    names = ("target", "endpoint", "round", "requests", "rate", "cpu_seconds", "arrival_rate", "lateness", "memory")
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow((*names, *(f"p{share * 100:g}" for share in SHOWN), "ready_after", "errors"))
    for sample in report.samples:
        shown = [sample.quantile(share) if sample.quantiles else "" for share in SHOWN]
        writer.writerow((*(getattr(sample, name) for name in names), *shown, sample.ready_after, sample.errors))
    return out.getvalue()


def as_json(report: Report) -> dict[str, Any]:
    """Everything."""
    return {
        "form": FORM,
        "title": report.title,
        "quick": report.quick,
        "conclusions": report.conclusions,
        "remarks": report.remarks,
        "conditions": asdict(report.conditions),
        "plan": asdict(report.plan),
        "price": report.price,
        "agreements": [asdict(one) | {"is_equal": one.is_equal} for one in report.agreements],
        "judged": [asdict(one) for one in report.judgement.every],
        "shares": SHARES,
        "samples": [asdict(sample) for sample in report.samples],
        "sections": [asdict(section) for section in report.sections],
    }
