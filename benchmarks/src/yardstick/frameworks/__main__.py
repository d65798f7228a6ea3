"""``make bench`` and ``make bench-quick``: the same endpoints in Flask, Django, FastAPI and the extracted service."""

import json
import os
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from strangler.bench.agreement import Agreement
from strangler.bench.conditions import is_busy, look
from strangler.bench.page import as_html
from strangler.bench.report import PRICE, Report, as_csv, as_json, markdown
from strangler.bench.rounds import Plan, Sample, Target, calibrate, measure
from strangler.bench.saturation import find_wrk
from strangler.model.errors import StranglerError
from yardstick.frameworks import contract
from yardstick.frameworks.agreeing import agree
from yardstick.frameworks.asking import WrongAnswerError
from yardstick.frameworks.blocks import fresh, kept
from yardstick.frameworks.endpoints import ENDPOINTS, PASSWORDS, Endpoint
from yardstick.frameworks.running import Place, slow_server
from yardstick.frameworks.sections import sections
from yardstick.frameworks.servers import Combination
from yardstick.frameworks.visitors import Issuer
from yardstick.gateway.cores import choose_cores
from yardstick.gateway.running import NotRunningError

QUICK = ("read", "list", "create")
_SLOW = 20.0
"""Milliseconds that the slow server takes: one more service somewhere in the house."""
_PRODUCTS = 2_000
console = Console(stderr=True, highlight=False, markup=False, emoji=False, soft_wrap=True)
app = typer.Typer(add_completion=False)


@app.command()
def main(
    *,
    quick: Annotated[bool, typer.Option("--quick", help="Three endpoints in three minutes.")] = False,
    database: Annotated[str, typer.Option(help="sqlite or postgresql.")] = "sqlite",
    server: Annotated[
        str, typer.Option(help="granian for all three, or usual: gunicorn for Flask and Django, uvicorn for FastAPI.")
    ] = "usual",
    rounds: Annotated[int, typer.Option(min=1, help="Fewer than 5 say nothing.")] = 9,
    endpoint: Annotated[list[str] | None, typer.Option(help="Only this one; repeatable.")] = None,
    price: Annotated[float, typer.Option(min=0, help="Of a core for an hour.")] = PRICE,
    reports: Annotated[Path, typer.Option(file_okay=False, help="Folder of bench.html, .json, .csv, .md.")] = Path(
        "reports"
    ),
) -> None:
    """Compare the same endpoints in three frameworks, and in the service that was extracted."""
    find_wrk()
    began = time.monotonic()
    endpoints = _endpoints(endpoint or (list(QUICK) if quick else None))
    combinations = _combinations(server, database, quick=quick)
    conditions = look(_versions(combinations))
    if is_busy(conditions):
        console.print(
            f"the machine is busy (load {conditions.load_average:.1f}): expect wide intervals", style="yellow"
        )
    passes = _passes(combinations, reports)
    plan = _plan(rounds, quick=quick)
    with _place(database) as place:
        samples, agreements = _measured(combinations, endpoints, place, plan, quick=quick)
    report = Report(
        title="The same endpoints in Flask, Django, FastAPI and a service",
        conditions=conditions,
        plan=plan,
        agreements=agreements,
        samples=samples,
        price=price,
        quick=quick,
        sections=sections(combinations, passes, endpoints),
    )
    _write(report, reports)
    for line in (*report.conclusions, *report.remarks):
        print(line)
    print(f"Written in {time.monotonic() - began:.0f} s: {reports / 'bench.html'}, .json, .csv, .md")


def _endpoints(names: list[str] | None) -> tuple[Endpoint, ...]:
    known = {each.name: each for each in ENDPOINTS}
    unknown = [name for name in names or () if name not in known]
    if unknown:
        raise typer.BadParameter(f"{', '.join(unknown)}: there is only {', '.join(known)}", param_hint="--endpoint")
    return tuple(each for each in ENDPOINTS if not names or each.name in names)


def _combinations(server: str, database: str, *, quick: bool) -> tuple[Combination, ...]:
    if server not in {"usual", "granian"}:
        raise typer.BadParameter("write usual or granian", param_hint="--server")
    usual = {"flask": "gunicorn", "django": "gunicorn", "fastapi": "uvicorn"}
    if not quick:
        usual["django-orm"] = "gunicorn"
    try:
        return (
            *(Combination(name, its if server == "usual" else server, database) for name, its in usual.items()),
            Combination("catalog-service", "uvicorn", database),
        )
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint="--database") from None


def _plan(rounds: int, *, quick: bool) -> Plan:
    """Many short blocks rather than few long ones: a machine changes its speed within seconds."""
    core = choose_cores()
    os.sched_setaffinity(0, {core.load})  # The arrivals are this process's own; servers run on another core.
    if quick:
        return Plan(rounds=rounds, seconds=0.4, arrival_seconds=0.3, most_warm_ups=-1, core=core.load)
    return Plan(rounds=rounds, seconds=0.4, arrival_seconds=0.5, most_warm_ups=0, core=core.load)


@contextmanager
def _place(database: str) -> Iterator[Place]:
    core = choose_cores().proxy
    with tempfile.TemporaryDirectory(prefix="strangler-bench-") as name:
        folder = Path(name)
        with slow_server(folder, _SLOW) as downstream, _databases(database) as new_database:
            yield Place(folder, Issuer(), downstream, _PRODUCTS, new_database, core=core, environment=PASSWORDS)


def _passes(combinations: Sequence[Combination], reports: Path) -> list[contract.Pass]:
    """Raises ``typer.Exit`` where one does not honour the contract: its speed is of no interest."""
    console.print(f"contract: {', '.join(map(str, combinations))}")
    with ThreadPoolExecutor(len(os.sched_getaffinity(0))) as threads:
        passes = list(threads.map(lambda one: contract.judge(one, reports), combinations))
    for one in passes:
        if one.failed:
            console.print(
                f"{one.combination} does not honour the contract: {one.failed} failed\n{one.said}", style="red"
            )
    if any(one.failed for one in passes):
        raise typer.Exit(1)
    return passes


def _measured(
    combinations: Sequence[Combination], endpoints: Sequence[Endpoint], place: Place, plan: Plan, *, quick: bool
) -> tuple[tuple[Sample, ...], tuple[Agreement, ...]]:
    if quick:
        with kept(combinations, place, endpoints) as targets:
            return _rounds(targets, plan)
    return _rounds([fresh(one, place, endpoints) for one in combinations], plan)


def _rounds(targets: list[Target], plan: Plan) -> tuple[tuple[Sample, ...], tuple[Agreement, ...]]:
    def told(text: str) -> None:
        console.print(f"{time.strftime('%H:%M:%S')} {text}")

    agreements = agree(targets, told)
    paces = calibrate(targets, plan, told)
    return tuple(measure(targets, paces, plan, told)), agreements


@contextmanager
def _databases(database: str) -> "Iterator[Callable[[str], str] | None]":
    """Makes databases of a PostgreSQL server of its own, where one is asked for."""
    if database != "postgresql":
        yield None
        return
    from yardstick.frameworks.postgresql import server  # noqa: PLC0415 - its wheel is no part of every installation

    with server() as new_database:
        yield new_database


def _versions(combinations: Sequence[Combination]) -> dict[str, str]:
    names = {"flask", "django", "fastapi", "sqlalchemy", "pydantic", *(one.server for one in combinations)}
    return {name: version(name) for name in sorted(names)}


def _write(report: Report, folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "bench.html").write_text(as_html(report, "bench.json"))
    (folder / "bench.json").write_text(json.dumps(as_json(report), indent=1) + "\n")
    (folder / "bench.csv").write_text(as_csv(report))
    (folder / "bench.md").write_text(markdown(report))


if __name__ == "__main__":
    try:
        app()
    except (StranglerError, NotRunningError, WrongAnswerError) as error:
        console.print(str(error), style="red")
        sys.exit(1)
