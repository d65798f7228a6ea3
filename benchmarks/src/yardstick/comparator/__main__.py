"""The command ``python -m yardstick.comparator``: how many comparisons one comparator makes in a second, on one core.

Mirrored exchanges go in at the socket where workers connect; the candidate is asked over HTTP, the answers are
compared, the ledger is written: the whole way. The figure is what the ledger says, not what was sent.
"""

import contextlib
import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import psutil
import typer
from rich.console import Console

from strangler.ledger import FILE
from strangler.ledger.reader import LedgerReader
from strangler.link.codec import encode_snapshot
from strangler.model.flag import Flag, Stage
from strangler.model.route import Route, RouteMatch
from strangler.model.shadow import Heading, Shadow
from strangler.model.snapshot import Gateway, Snapshot
from strangler.model.upstream import Endpoint, Upstream
from strangler.shadow.record import RunRecord
from strangler.supervisor import compiled
from yardstick.comparator.documents import documents
from yardstick.comparator.feed import ROUTE, Feed
from yardstick.gateway.cores import Cores, choose_cores, cpu_time
from yardstick.gateway.running import free_ports, stop

PAGES = 500
console = Console(highlight=False)
app = typer.Typer(add_completion=False)


@app.command()
def main(
    seconds: Annotated[float, typer.Option(min=1, help="Seconds of load.")] = 10.0,
    size: Annotated[int, typer.Option(min=10, help="Bytes of each answer, about.")] = 2048,
    different: Annotated[float, typer.Option(min=0, max=100, help="Percent of the pages that differ.")] = 0.0,
) -> None:
    """Measure comparisons per second of one comparator on one core."""
    cores = choose_cores()
    if not cores.apart:
        console.print("[yellow]One core only: load and applications take a part of what is measured.[/]")
    pages = documents(PAGES, size)
    with tempfile.TemporaryDirectory(prefix="comparing-") as folder, contextlib.ExitStack() as running:
        state = Path(folder)
        shop, catalog = (running.enter_context(_application(cores, size, percent)) for percent in (0.0, different))
        (state / "snapshot.json").write_bytes(encode_snapshot(_snapshot(shop, catalog)))
        comparator = running.enter_context(_comparator(cores, state))
        os.sched_setaffinity(0, {cores.load})
        feed = Feed(state / "comparator.sock", pages)
        feed.run(1.0)  # To be warm.
        before, cpu = _settled(state), cpu_time(comparator.pid)
        began = time.monotonic()
        feed.run(seconds)
        after, used = _settled(state), cpu_time(comparator.pid).since(cpu)
        took = time.monotonic() - began
        memory = psutil.Process(comparator.pid).memory_info().rss
    _print(before, after, took, used.tree, memory, sum(map(len, pages)) // len(pages))


def _print(before: RunRecord, after: RunRecord, took: float, cpu: float, memory: int, size: int) -> None:
    compared = after.evidence.compared - before.evidence.compared
    console.print(f"{compared / cpu:,.0f} comparisons of {size:,}-byte answers per second of one core's time")
    console.print(
        f"{cpu / compared * 1e6:,.0f} µs each · {compared / took:,.0f} in a second by the clock, for which it had "
        f"{cpu / took:.0%} of a core · {memory >> 20} MiB"
    )
    for heading in Heading:
        count = after.headings.get(heading, 0) - before.headings.get(heading, 0)
        if count:
            console.print(f"  {heading.value:<24} {count:>9,}")
    if after.requests != sum(after.headings.values()) + after.pending:
        console.print("[red]the ledger does not add up[/]")
        raise typer.Exit(1)


def _settled(state: Path) -> RunRecord:
    """What the ledger says once it has all that was sent."""
    reader = LedgerReader(state / FILE)
    while True:
        record = reader.run(ROUTE, samples=0)
        if record is not None and not record.pending and record.evidence.compared:
            return record
        time.sleep(0.02)


def _snapshot(shop: int, catalog: int) -> Snapshot:
    """One route at stage ``shadow``, whose bounds are no obstacle."""
    unbounded = Shadow(rate=1e9, max_age=60.0, noise=0.0)
    route = Route(
        ROUTE, RouteMatch("/products/{id}"), "catalog", "catalog", "shop", service="catalog", shadow=unbounded
    )
    upstreams = tuple(
        Upstream(name, (Endpoint("127.0.0.1", port),)) for name, port in (("shop", shop), ("catalog", catalog))
    )
    return Snapshot(1, "0" * 64, Gateway(), upstreams, (route,), (Flag(ROUTE, Stage.SHADOW),))


@contextlib.contextmanager
def _application(cores: Cores, size: int, different: float) -> Iterator[int]:
    """One side; gives its port."""
    (port,) = free_ports(1)
    arguments = (str(port), str(PAGES), str(size), str(different))
    with _process(cores.upstream, "yardstick.comparator.application", *arguments) as process:
        while process.poll() is None:
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
                break
            time.sleep(0.05)
        yield port


@contextlib.contextmanager
def _comparator(cores: Cores, state: Path) -> "Iterator[subprocess.Popen[bytes]]":
    arguments = ("--state", str(state), "--control-wait", "0")
    with _process(cores.proxy, "strangler.comparator", *arguments, env=compiled.environment()) as process:
        while not (state / "comparator.sock").exists():
            if process.poll() is not None:
                raise typer.Exit(1)
            time.sleep(0.02)
        yield process


@contextlib.contextmanager
def _process(
    core: int, module: str, *arguments: str, env: dict[str, str] | None = None
) -> "Iterator[subprocess.Popen[bytes]]":
    command = ["taskset", "--cpu-list", str(core), sys.executable, "-m", module, *arguments]
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL, env=env)
    try:
        yield process
    finally:
        stop(process)


if __name__ == "__main__":
    app()
