"""``python -m yardstick.gate.proof``: the gate on this machine, beside itself and beside a slowdown that is put in.

Each run is a whole run of the gate. It finds the slowdown in at least 19 of 20 runs, and calls itself slower in none;
else it is of no use on this machine.
"""

import json
from dataclasses import asdict
from pathlib import Path
from statistics import median
from typing import Annotated, Any

import typer
from rich.console import Console

from yardstick.gate.__main__ import SUITE, compared
from yardstick.gate.blocks import Side, side_by_side
from yardstick.gate.injection import SHARE
from yardstick.gate.judging import THRESHOLD, Judged, Verdict, judge

console = Console(highlight=False)


def main(
    runs: Annotated[int, typer.Option(min=1, help="Of each kind.")] = 20,
    groups: Annotated[int, typer.Option(min=5, help="Of four blocks each.")] = 7,
    injected: Annotated[float, typer.Option(min=0.01, max=10, help="The slowdown: 0.1 is a tenth.")] = 0.10,
    select: Annotated[str, typer.Option("-k", help="Only these benchmarks.")] = "flask and (read or list)",
    reports: Annotated[Path, typer.Option(file_okay=False)] = Path("reports"),
) -> None:
    """Run the gate again and again. Exit status 1 if it misses too many, or claims what is not."""
    root = Path.cwd()
    suite = [SUITE, "-k", select]
    kinds = {"injected": str(injected), "itself": "0"}
    found: dict[str, list[list[Judged]]] = {kind: [] for kind in kinds}
    for number in range(runs):
        for kind, share in kinds.items():
            base, candidate = Side("base", root), Side(kind, root, {SHARE: share})
            groups_of = compared(base, candidate, groups, lambda one, other: side_by_side(one, other, root, suite))
            judged = [judge(name, its, THRESHOLD) for name, its in groups_of.items()]
            found[kind].append(judged)
            told = ", ".join(f"{one.ratio.median:.3f} (floor {one.floor:.1%}) {one.verdict.value}" for one in judged)
            console.print(f"run {number + 1} of {runs}, {kind}: {told}", soft_wrap=True)
    stopped = {kind: sum(any(_is_slower(one) for one in judged) for judged in its) for kind, its in found.items()}
    console.print(
        f"a slowdown of {injected:.0%} at a threshold of {THRESHOLD:.0%}: found in {stopped['injected']} of {runs}"
    )
    console.print(f"nothing: called slower in {stopped['itself']} of {runs}")
    floors = sorted(one.floor for its in found.values() for judged in its for one in judged)
    console.print(f"noise floors: {floors[0]:.1%} to {floors[-1]:.1%}, half of them up to {median(floors):.1%}")
    asked = {"runs": runs, "groups": groups, "injected": injected, "select": select}
    _write(reports / "bench-gate-proof.json", {**asked, "stopped": stopped}, found)
    if stopped["itself"] or stopped["injected"] < 0.95 * runs:
        raise typer.Exit(1)


def _write(file: Path, about: dict[str, Any], found: dict[str, list[list[Judged]]]) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    judged = {kind: [[asdict(one) for one in each] for each in its] for kind, its in found.items()}
    file.write_text(json.dumps({**about, "judged": judged}, indent=1) + "\n")


def _is_slower(one: Judged) -> bool:
    return one.verdict is Verdict.SLOWER


if __name__ == "__main__":
    typer.run(main)
