"""What clients notice of a comparator that stands still: p99 beside one, against p99 beside one that reads."""

import asyncio
import contextlib
import os
import signal
import tempfile
import time
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import orjson
import psutil
import typer
import uvloop
from rich.console import Console

from strangler.bench.statistics import median_interval
from yardstick.gateway.cores import choose_cores
from yardstick.gateway.facts import look
from yardstick.gateway.latency import latencies, percentile
from yardstick.gateway.peers import UPSTREAM
from yardstick.gateway.peers.mirroring import COMPARATOR
from yardstick.gateway.peers.variants import at_stage
from yardstick.gateway.running import Running, run

console = Console(highlight=False)
app = typer.Typer(add_completion=False)
_WAITING = 2048
"""Exchanges that wait in a worker at most; beyond it they are counted and let go."""


@app.command()
def frozen(
    groups: Annotated[int, typer.Option(min=1, help="Groups of four blocks: reading, frozen, frozen, reading.")] = 9,
    seconds: Annotated[float, typer.Option(min=0.5, help="Seconds of a block.")] = 4,
    rate: Annotated[int, typer.Option(min=1, help="Requests per second in a block, all of them mirrored.")] = 2000,
    reports: Annotated[Path, typer.Option(help="The folder for the report.")] = Path("reports"),
) -> None:
    """Freeze the comparator of a shadowed route: p99 of its clients against the same while it reads."""
    cores = choose_cores()
    peer = at_stage("shadow")
    ratios, grown = [], []
    with tempfile.TemporaryDirectory(prefix="bench-frozen-") as folder, contextlib.ExitStack() as stack:
        upstream = stack.enter_context(run(UPSTREAM, Path(folder), 0, cores.upstream))
        running = stack.enter_context(run(peer, Path(folder), upstream.place.port, cores.proxy))
        os.sched_setaffinity(0, {cores.load})
        _p99(running, rate, seconds)  # warm-up
        for number in range(groups):
            first = _p99(running, rate, seconds)
            with _frozen(running, rate):
                before = _memory(running)
                beside = [_p99(running, rate, seconds) for _ in range(2)]
                grown.append(_memory(running) - before)
            ratios.append(sum(beside) / (first + _p99(running, rate, seconds)))
            told = (
                f"group {number + 1}/{groups}: p99 beside a frozen comparator {ratios[-1]:.2f} × beside one that reads"
            )
            console.print(f"{told}, memory {grown[-1] / 1024:+,.0f} KiB")
    estimate = median_interval(ratios)
    console.print(f"p99 beside a frozen comparator: {estimate.median:.2f} × ({estimate.low:.2f}–{estimate.high:.2f})")
    document = {
        "machine": asdict(look([peer])),
        "p99 ratio": asdict(estimate),
        "ratios": ratios,
        "bytes grown": grown,
        "rate": rate,
    }
    reports.mkdir(parents=True, exist_ok=True)
    (reports / "bench-frozen.json").write_bytes(orjson.dumps(document, option=orjson.OPT_INDENT_2))


@contextlib.contextmanager
def _frozen(running: Running, rate: int) -> Iterator[None]:
    """Stop the comparator, and ask until as much waits for it as may."""
    comparator = _process(running, COMPARATOR)
    comparator.send_signal(signal.SIGSTOP)
    try:
        _p99(running, rate, 2 * _WAITING / rate)
        yield
    finally:
        comparator.send_signal(signal.SIGCONT)
        time.sleep(0.5)  # What waited is read.


def _memory(running: Running) -> int:
    """Bytes that the worker has resident."""
    return int(_process(running, running.peer.data_plane).memory_info().rss)


def _process(running: Running, marker: str) -> psutil.Process:
    family = psutil.Process(running.pid).children(recursive=True)
    return next(process for process in family if marker in process.cmdline())


def _p99(running: Running, rate: int, seconds: float) -> float:
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return percentile(runner.run(latencies(running.place.port, rate=rate, seconds=seconds)), 0.99)
