"""Writes docs/explanation/performance.md and its plots from the reports: ``python -m yardstick.gateway.page``."""

from pathlib import Path
from typing import Annotated, Any

import matplotlib as mpl
import orjson
import typer
from matplotlib.figure import Figure
from matplotlib.ticker import StrMethodFormatter

from strangler.bench.report import grid
from yardstick.gateway.scenarios import SCENARIOS

_OURS, _OTHERS = "#1f6f54", "#b8c4bf"
_TEXT = """\
# Performance

What a proxied request costs, measured by the project on one machine; made by `python -m yardstick.gateway.page` from
the reports of

```sh
{commands}
```

Figures move with the machine; ratios taken in one run hold better, and intervals say how well. CPU time is that of the
proxy's whole tree of processes on one core, for requests that nginx behind it answers at once. Every proxy does the
same job: access log, request ids, forwarded headers, kept connections, five routes. The gateway also evaluates a flag
for each request and counts it for its metrics.
"""


def main(
    reports: Annotated[Path, typer.Option(help="Where the reports are.")] = Path("reports"),
    docs: Annotated[Path, typer.Option(help="Where the page goes.")] = Path("docs/explanation"),
) -> None:
    """Write the page and its plots."""
    mpl.rcParams.update({"svg.hashsalt": "strangler", "font.size": 9, "svg.fonttype": "none"})
    gateway = orjson.loads((reports / "bench-gateway.json").read_bytes())
    parts = [_TEXT.format(commands="\n".join(_COMMANDS))]
    folder = docs / "performance"
    folder.mkdir(parents=True, exist_ok=True)
    longer = reports / "more" / "bench-gateway.json"
    more = orjson.loads(longer.read_bytes())["scenarios"] if longer.exists() else {}
    for scenario in SCENARIOS:
        found = gateway["scenarios"].get(scenario.name)
        if found is not None:
            plot(found).savefig(folder / f"{scenario.name}.svg", metadata={"Date": None})
            parts.append(_section(scenario.name, found, more.get(scenario.name)))
    parts += [_idle(orjson.loads(path.read_bytes())) for path in (reports / "bench-idle.json",) if path.exists()]
    parts += [_streams(orjson.loads(path.read_bytes())) for path in (reports / "bench-streams.json",) if path.exists()]
    parts += [_frozen(orjson.loads(path.read_bytes())) for path in (reports / "bench-frozen.json",) if path.exists()]
    parts += [_profile(orjson.loads(path.read_bytes())) for path in (reports / "bench-profile.json",) if path.exists()]
    counted = reports / "bench-instructions.json"
    parts += [_instructions(orjson.loads(path.read_bytes())) for path in (counted,) if path.exists()]
    parts.append(_machine(gateway))
    (docs / "performance.md").write_text("\n".join(parts))


_COMMANDS = (
    'make bench-gateway ARGS="--scenario all"',
    'make bench-gateway ARGS="--rounds 61 --only envoy --only strangler --reports reports/more"',
    "python -m yardstick.gateway idle",
    "python -m yardstick.gateway streams",
    "python -m yardstick.gateway frozen",
    "python -m yardstick.gateway profile",
    "python -m yardstick.gateway instructions",
)


def plot(found: dict[str, Any]) -> Figure:
    """Bars of the ratio to the baseline with their intervals; the gateway in another colour."""
    rows = [row for row in found["summary"] if row["ratio"] and not row["name"].endswith(", worker")]
    figure = Figure(figsize=(7, 0.6 + 0.36 * len(rows)), layout="constrained")
    axes = figure.subplots()
    for at, row in enumerate(reversed(rows)):
        ratio = row["ratio"]
        colour = _OURS if row["name"].startswith("strangler") else _OTHERS
        errors = [[ratio["median"] - ratio["low"]], [ratio["high"] - ratio["median"]]]
        axes.barh(at, ratio["median"], color=colour, xerr=errors, ecolor="#444444", capsize=2)
        beside = {"xytext": (5, 0), "textcoords": "offset points", "va": "center"}
        axes.annotate(f"{ratio['median']:.2f}", (ratio["high"], at), **beside)
    axes.set_yticks(range(len(rows)), [row["name"] for row in reversed(rows)])
    if max(row["ratio"]["median"] for row in rows) > 30:
        axes.set_xscale("log")
        axes.set_xlim(left=1)  # A bar of the baseline has no length: it is what the others are compared with.
        axes.xaxis.set_major_formatter(StrMethodFormatter("{x:g}"))
    axes.set_xlabel(f"CPU time per request, × {found['baseline']} (medians, 95 % intervals)")
    axes.spines[["top", "right"]].set_visible(False)
    axes.margins(x=0.12)
    return figure


def _section(name: str, found: dict[str, Any], more: dict[str, Any] | None = None) -> str:
    """``more``: the same with more rounds, whose goals are told as well where they were decided."""
    headings = ("proxy", "µs/request", f"× {found['baseline']}", "interval", "rounds")
    lines = []
    for row in found["summary"]:
        ratio = row["ratio"]
        interval = f"{ratio['low']:.2f}–{ratio['high']:.2f}" if ratio else "–"
        median = f"{ratio['median']:.2f}" if ratio else "–"
        lines.append((row["name"], f"{row['microseconds']:,.1f}", median, interval, str(row["rounds"])))
    goals = [_goal(one) for one in found["goals"]]
    for one in more["goals"] if more is not None else ():
        if one["ratio"]:
            rounds = next(row["rounds"] for row in more["summary"] if row["name"] == one["goal"]["peer"])
            goals.append(f"{_goal(one)}, in {rounds} rounds")
    picture = f"![CPU time per request beside {found['baseline']}](performance/{name}.svg)"
    return "\n".join(
        (f"## {found['title']}", "", picture, "", *grid(headings, lines), *(["", *goals] if goals else []), "")
    )


def _goal(one: dict[str, Any]) -> str:
    goal, ratio = one["goal"], one["ratio"]
    measured = f"{ratio['median']:.2f} ({ratio['low']:.2f}–{ratio['high']:.2f})" if ratio else "–"
    return f"- {goal['peer']} at most {goal['at_most']:g} × {goal['beside']}: **{one['verdict']}**, {measured}"


def _idle(found: dict[str, Any]) -> str:
    lines = [(one["peer"], f"{one['connections']:,}", f"{one['bytes_each']:,.0f}") for one in found["held"]]
    ratio = found["p99 ratio"]
    measured = f"{ratio['median']:.2f} × ({ratio['low']:.2f}–{ratio['high']:.2f})"
    return "\n".join(
        (
            "## Idle connections\n",
            *grid(("proxy", "idle connections", "bytes each"), lines),
            "",
            f"p99 of {found['rate']:,} requests per second beside them, against the same without: {measured}.",
            "",
        )
    )


def _streams(found: dict[str, Any]) -> str:
    lines = [(one["what"], f"{one['connections']:,}", f"{one['bytes_each'] / 1024:,.0f}") for one in found["held"]]
    return "\n".join(("## Streams that stand still\n", *grid(("what", "streams", "KiB each"), lines), ""))


def _frozen(found: dict[str, Any]) -> str:
    ratio = found["p99 ratio"]
    measured = f"{ratio['median']:.2f} × ({ratio['low']:.2f}–{ratio['high']:.2f})"
    return "\n".join(
        (
            "## A comparator that stands still\n",
            f"p99 of {found['rate']:,} requests per second of a shadowed route, beside a comparator that is frozen and",
            f"for which as much waits as may, against the same beside one that reads: {measured}.",
            "",
        )
    )


def _profile(found: dict[str, Any]) -> str:
    lines = [(one["function"], f"{one['calls']:.1f}", f"{one['microseconds']:.2f}") for one in found["functions"]]
    return "\n".join(
        (
            "## What is left\n",
            f"Without its sockets, and not compiled, a request costs {found['microseconds']:.1f} µs of Python. These",
            "functions have most of it, each in itself; the profiler makes calls look dearer than they are.\n",
            *grid(("function", "calls", "µs"), lines),
            "",
        )
    )


def _instructions(found: dict[str, Any]) -> str:
    ways = [way for way in ("sources", "compiled") if way in found["parts"][0]]
    lines = [(one["what"].rstrip("."), *(f"{one[way]:,}" for way in ways)) for one in found["parts"]]
    return "\n".join(
        (
            "## Instructions\n",
            "Counted by valgrind, which a busy machine does not disturb: what one call takes, with the data plane run",
            "from its sources and compiled. Redaction and comparison are never compiled.\n",
            *grid(("what", *ways), lines),
            "",
        )
    )


def _machine(found: dict[str, Any]) -> str:
    machine = found["machine"]
    facts = [
        f"- {name.replace('_', ' ')}: {value}" for name, value in machine.items() if name not in {"versions", "at"}
    ]
    versions = [f"- {name}: {version}" for name, version in machine["versions"].items()]
    return "\n".join((f"## Machine, {machine['at'][:10]}\n", *facts, *versions, ""))


if __name__ == "__main__":
    typer.run(main)
