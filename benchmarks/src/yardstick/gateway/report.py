"""Puts what was measured into a table for the terminal, Markdown and JSON."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import asdict, dataclass

import orjson
from rich import box
from rich.table import Table

from strangler.bench.report import grid
from yardstick.gateway.facts import Machine
from yardstick.gateway.measure import Sample
from yardstick.gateway.rows import Judged, Row, cost, judge, rows
from yardstick.gateway.scenarios import Scenario


@dataclass(frozen=True, slots=True)
class Compared:
    """One scenario with its samples."""

    scenario: Scenario
    samples: Sequence[Sample]

    @property
    def rows(self) -> list[Row]:
        return rows(self.scenario, self.samples)

    @property
    def judged(self) -> list[Judged]:
        return judge(self.scenario, self.samples)


_HEADINGS = ("proxy", "µs/request", "ratio", "interval", "requests/s", "rounds")


def _cells(row: Row) -> tuple[str, ...]:
    ratio = row.ratio
    return (
        row.name,
        f"{row.microseconds:,.1f}",
        f"{ratio.median:.2f}" if ratio else "–",
        f"{ratio.low:.2f}–{ratio.high:.2f}" if ratio else "–",
        f"{row.rate:,.0f}",
        f"{row.rounds} of {row.rounds + row.refused}" if row.refused else str(row.rounds),
    )


def terminal(compared: Compared) -> Table:
    """Return the table for a person at a terminal."""
    table = Table(
        title=f"{compared.scenario.title}: CPU time per proxied request, beside {compared.scenario.baseline}",
        title_justify="left",
        box=box.SIMPLE,
        caption="\n".join((*remarks(compared.rows), *goals(compared))),
        caption_justify="left",
    )
    for heading in _HEADINGS:
        table.add_column(heading, justify="left" if heading == "proxy" else "right", no_wrap=True)
    for row in compared.rows:
        table.add_row(*_cells(row))
    return table


def remarks(table_rows: Sequence[Row]) -> list[str]:
    """Return what a reader must know of single rows."""
    return [f"{row.name}: {row.remark}" for row in table_rows if row.remark]


def goals(compared: Compared) -> list[str]:
    """Return what became of each goal, in words."""
    lines = []
    for one in compared.judged:
        measured = f"{one.ratio.median:.2f} ({one.ratio.low:.2f}–{one.ratio.high:.2f})" if one.ratio else "–"
        goal = one.goal
        lines.append(f"{goal.peer} at most {goal.at_most:g} × {goal.beside}: {one.verdict}, {measured}")
    return lines


def markdown(every: Sequence[Compared], machine: Machine, conditions: dict[str, object]) -> str:
    """Return the whole report: per scenario the table and every round's ratio; the machine, and how it was measured."""
    parts = ["# CPU time per proxied request"]
    for compared in every:
        parts += ["", f"## {compared.scenario.title}", "", f"Ratios to {compared.scenario.baseline}.", ""]
        parts += [*grid(_HEADINGS, [_cells(row) for row in compared.rows]), ""]
        parts += [f"- {line}" for line in (*remarks(compared.rows), *goals(compared))]
        parts += ["", "Round by round:", "", *_ratios(compared)]
        refused = [f"- round {one.round}, {one.peer}: {one.refused}" for one in compared.samples if one.refused]
        if refused:
            parts += ["", "Refused:", "", *refused]
    parts += ["", "## How it was measured", "", _METHOD, ""]
    parts += [f"- {name}: {value}" for name, value in conditions.items()]
    parts += ["", "## Machine", ""]
    parts += [f"- {name.replace('_', ' ')}: {value}" for name, value in asdict(machine).items() if name != "versions"]
    parts += [f"- {name}: {version}" for name, version in machine.versions.items()]
    return "\n".join(parts) + "\n"


_METHOD = """\
Every proxy does the same job, which is checked before anything is timed: an access log with
time, request id, client, method, path, status, endpoint, duration and bytes, written to a file; X-Request-ID made when
absent, and told to upstream and client; X-Forwarded-For, -Proto and -Host; connections to the upstream kept; five
routes; one worker or thread. Exceptions stand below the table. All processes of a proxy are pinned to one core; wrk and
the upstream, an nginx that answers 170 bytes of JSON, to another. wrk sends a browser's headers with the
cookies of 64 users, who repeat them as browsers do. A proxy may remember what it has parsed: how many of the requests
have a header section that none had before is set by --new-heads.

In each round every proxy in turn is loaded for a second and then measured: user and system time of its whole tree of
processes, divided by the requests that wrk counted. Each round begins with another proxy. A sample with an error, or
with fewer lines in the access log than requests, is refused. Ratios are taken within a round; the interval is a
bootstrap of their median. Absolute times belong to this machine and this run; compare ratios."""


def _ratios(compared: Compared) -> list[str]:
    by_round: dict[int, dict[str, Sample]] = defaultdict(dict)
    for sample in compared.samples:
        by_round[sample.round][sample.peer] = sample
    names = list(dict.fromkeys(sample.peer for sample in compared.samples))
    of = cost(compared.scenario)
    lines = []
    for number, found in sorted(by_round.items()):
        base = found.get(compared.scenario.baseline)
        cells = [str(number)]
        for name in names:
            one = found.get(name)
            counts = one is not None and base is not None and not one.refused and not base.refused
            cells.append(f"{of(one) / of(base):.2f}" if counts and one and base else "–")
        lines.append(cells)
    return grid(("round", *names), lines)


def as_json(every: Sequence[Compared], machine: Machine, conditions: dict[str, object]) -> bytes:
    """Return everything that was measured, and what was made of it."""
    document = {
        "machine": asdict(machine),
        "conditions": conditions,
        "scenarios": {compared.scenario.name: _document(compared) for compared in every},
    }
    return orjson.dumps(document, option=orjson.OPT_INDENT_2)


def _document(compared: Compared) -> dict[str, object]:
    return {
        "title": compared.scenario.title,
        "baseline": compared.scenario.baseline,
        "summary": [asdict(row) for row in compared.rows],
        "goals": [asdict(one) | {"verdict": one.verdict} for one in compared.judged],
        "samples": [
            asdict(one) | ({} if one.refused else {"microseconds": one.microseconds, "rate": one.rate})
            for one in compared.samples
        ],
    }
