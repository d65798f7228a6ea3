"""Turns samples into rows, and rows into a table for the terminal, Markdown and JSON."""

import statistics
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import asdict, dataclass

import orjson
from rich import box
from rich.table import Table

from yardstick.gateway.facts import Machine
from yardstick.gateway.measure import Sample
from yardstick.gateway.peers import NGINX, PEERS
from yardstick.gateway.statistics import Estimate, median_interval

_REMARKS = {peer.name: peer.remark for peer in PEERS}
_SPLIT = {peer.name for peer in PEERS if peer.data_plane}


@dataclass(frozen=True, slots=True)
class Row:
    """One proxy over all rounds that count."""

    name: str
    microseconds: float
    """The median of CPU time per request."""
    ratio: Estimate | None
    """To nginx in the same round; none without nginx."""
    rate: float
    """The median of requests per second, with the proxy on one core."""
    rounds: int
    refused: int
    remark: str = ""


def rows(samples: Sequence[Sample]) -> list[Row]:
    """Sum up each proxy; one whose processes do not all carry requests has a second row for those that do."""
    names = list(dict.fromkeys(sample.peer for sample in samples))
    result = []
    for name in names:
        result.append(_row(samples, name))
        if name in _SPLIT:
            result.append(_row(samples, name, data_plane=True))
    return result


def _row(samples: Sequence[Sample], name: str, *, data_plane: bool = False) -> Row:
    def cost(sample: Sample) -> float:
        return sample.data_plane_microseconds if data_plane else sample.microseconds

    mine = [sample for sample in samples if sample.peer == name and not sample.refused]
    nginx = {sample.round: sample for sample in samples if sample.peer == NGINX.name and not sample.refused}
    ratios = [cost(sample) / nginx[sample.round].microseconds for sample in mine if sample.round in nginx]
    return Row(
        name=f"{name}, worker" if data_plane else name,
        microseconds=statistics.median(map(cost, mine)) if mine else float("nan"),
        ratio=median_interval(ratios) if ratios else None,
        rate=statistics.median(sample.rate for sample in mine) if mine else float("nan"),
        rounds=len(mine),
        refused=sum(sample.peer == name and bool(sample.refused) for sample in samples),
        remark="without supervisor and control plane" if data_plane else _REMARKS.get(name, ""),
    )


_HEADINGS = ("proxy", "µs/request", "× nginx", "interval", "requests/s", "rounds")


def _cells(row: Row) -> tuple[str, ...]:
    ratio = row.ratio
    return (
        row.name,
        f"{row.microseconds:.1f}",
        f"{ratio.median:.2f}" if ratio else "–",
        f"{ratio.low:.2f}–{ratio.high:.2f}" if ratio else "–",
        f"{row.rate:,.0f}",
        f"{row.rounds} of {row.rounds + row.refused}" if row.refused else str(row.rounds),
    )


def terminal(table_rows: Sequence[Row]) -> Table:
    """Return the table for a person at a terminal."""
    table = Table(
        title="CPU time per proxied request, medians over rounds with 95 % intervals",
        title_justify="left",
        box=box.SIMPLE,
        caption="\n".join(remarks(table_rows)),
        caption_justify="left",
    )
    for heading in _HEADINGS:
        table.add_column(heading, justify="left" if heading == "proxy" else "right", no_wrap=True)
    for row in table_rows:
        table.add_row(*_cells(row))
    return table


def remarks(table_rows: Sequence[Row]) -> list[str]:
    """Return what a reader must know of single rows."""
    return [f"{row.name}: {row.remark}" for row in table_rows if row.remark]


def markdown(samples: Sequence[Sample], machine: Machine, conditions: dict[str, object]) -> str:
    """Return the whole report: the table, every round's ratio, the machine, and how it was measured."""
    summed = rows(samples)
    parts = ["# CPU time per proxied request", "", *_grid(_HEADINGS, [_cells(row) for row in summed]), ""]
    parts += [*(f"- {remark}" for remark in remarks(summed)), ""]
    parts += ["## Ratios to nginx, round by round", "", *_ratios(samples), ""]
    refused = [f"- round {one.round}, {one.peer}: {one.refused}" for one in samples if one.refused]
    if refused:
        parts += ["## Refused", "", *refused, ""]
    parts += ["## How it was measured", "", _METHOD, ""]
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


def _ratios(samples: Sequence[Sample]) -> list[str]:
    by_round: dict[int, dict[str, Sample]] = defaultdict(dict)
    for sample in samples:
        by_round[sample.round][sample.peer] = sample
    names = list(dict.fromkeys(sample.peer for sample in samples))
    lines = []
    for number, found in sorted(by_round.items()):
        nginx = found.get(NGINX.name)
        cells = [str(number)]
        for name in names:
            one = found.get(name)
            counts = one is not None and nginx is not None and not one.refused and not nginx.refused
            cells.append(f"{one.microseconds / nginx.microseconds:.2f}" if counts and one and nginx else "–")
        lines.append(cells)
    return _grid(("round", *names), lines)


def _grid(headings: Sequence[str], lines: Sequence[Sequence[str]]) -> list[str]:
    return [f"| {' | '.join(cells)} |" for cells in (headings, ["---"] * len(headings), *lines)]


def as_json(samples: Sequence[Sample], machine: Machine, conditions: dict[str, object]) -> bytes:
    """Return everything that was measured, and what was made of it."""
    document = {
        "machine": asdict(machine),
        "conditions": conditions,
        "summary": [asdict(row) for row in rows(samples)],
        "samples": [
            asdict(one) | ({} if one.refused else {"microseconds": one.microseconds, "rate": one.rate})
            for one in samples
        ],
    }
    return orjson.dumps(document, option=orjson.OPT_INDENT_2)
