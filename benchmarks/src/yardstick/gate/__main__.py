"""``ci/bench_gate``: fails if the working tree is slower than a commit, beyond noise and threshold."""

import json
import sys
from collections import defaultdict
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from yardstick.gate.blocks import GateError, Side, checked_out, side_by_side
from yardstick.gate.judging import LEAST_GROUPS, THRESHOLD, Group, Verdict, judge, markdown

SUITE = "benchmarks/in_process"
console = Console(stderr=True, highlight=False, markup=False, emoji=False, soft_wrap=True)
app = typer.Typer(add_completion=False)
Pair = Callable[[Side, Side], tuple[dict[str, float], dict[str, float]]]


@app.command()
def main(
    base: Annotated[
        str, typer.Option(metavar="COMMIT", help="What the working tree is compared with.")
    ] = "origin/main",
    groups: Annotated[
        int, typer.Option(min=1, help=f"Of four blocks each; fewer than {LEAST_GROUPS} say nothing.")
    ] = 7,
    threshold: Annotated[float, typer.Option(min=0, max=1, help="How much slower is no matter.")] = THRESHOLD,
    select: Annotated[str, typer.Option("-k", metavar="EXPRESSION", help="Only these, as pytest selects.")] = "",
    reports: Annotated[Path, typer.Option(file_okay=False, help="For bench-gate.md and bench-gate.json.")] = Path(
        "reports"
    ),
) -> None:
    """Compare commits by the benchmarks in the process. Exit status: 1 slower, 2 nothing can be judged."""
    root = Path.cwd()
    suite = [SUITE, *(("-k", select) if select else ())]
    try:
        with checked_out(root, base) as before:
            candidate = Side("the working tree", root)
            found = compared(
                before, candidate, groups, lambda one, other: side_by_side(one, other, root, suite), told=console.print
            )
    except GateError as error:
        console.print(str(error), style="red")
        raise typer.Exit(2) from None
    judged = [judge(name, its, threshold) for name, its in found.items()]
    text = markdown(judged, base, candidate.name, threshold)
    reports.mkdir(parents=True, exist_ok=True)
    (reports / "bench-gate.md").write_text(text)
    (reports / "bench-gate.json").write_text(json.dumps([asdict(one) for one in judged], indent=1) + "\n")
    print(text)
    if any(one.verdict is Verdict.SLOWER for one in judged):
        raise typer.Exit(1)


def compared(
    base: Side, candidate: Side, groups: int, pair: Pair, told: Callable[[str], None] = lambda _: None
) -> dict[str, list[Group]]:
    """Run the groups; ``pair`` gives what both sides take, side by side, of which the first begins.

    Gives them by the benchmark's name. Raises ``GateError`` where not all have the same.
    """
    found: dict[str, list[Group]] = defaultdict(list)
    for number in range(groups):
        told(f"group {number + 1} of {groups}")
        a1, b1 = pair(base, candidate)
        b2, a2 = pair(candidate, base)
        every = (a1.keys(), b1.keys(), b2.keys(), a2.keys())
        if odd := set().union(*every) - set(a1).intersection(*every):
            raise GateError(f"base and candidate must have the same benchmarks; not all have {', '.join(sorted(odd))}")
        for name in a1:
            found[name].append(Group(a1[name], b1[name], b2[name], a2[name]))
    if not found:
        raise GateError("there is no benchmark")
    return dict(sorted(found.items()))


if __name__ == "__main__":
    sys.exit(app())
