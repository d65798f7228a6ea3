"""What connections cost that do nothing, or that stand still: bytes of memory each, and what they do to active ones."""

import asyncio
import contextlib
import os
import resource
import socket
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
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
from yardstick.gateway.peers import NGINX, STRANGLER, UPSTREAM
from yardstick.gateway.running import Running, run
from yardstick.gateway.stalling import stalling_upstream

console = Console(highlight=False)
app = typer.Typer(add_completion=False)
_REQUEST = b"GET /api/products/7 HTTP/1.1\r\nHost: bench\r\nCookie: session=visitor-1\r\n\r\n"
_SETTLE = 2.0
"""Seconds for a proxy to do what it does after a change."""
Reports = Annotated[Path, typer.Option(help="The folder for the report.")]


@dataclass(frozen=True, slots=True)
class Held:
    """What a number of connections took."""

    peer: str
    what: str
    connections: int
    bytes_each: float


@app.command()
def idle(
    connections: Annotated[int, typer.Option(min=1, help="Idle connections.")] = 10_000,
    groups: Annotated[int, typer.Option(min=1, help="Groups of four blocks: without, with, with, without.")] = 5,
    seconds: Annotated[float, typer.Option(min=0.5, help="Seconds of a block.")] = 4,
    rate: Annotated[int, typer.Option(min=1, help="Requests per second in a block.")] = 1000,
    reports: Reports = Path("reports"),
) -> None:
    """Hold idle connections: memory of each, and p99 of active traffic beside them against the same without them."""
    _raise_limit(connections)
    cores = choose_cores()
    held, ratios = [], []
    with tempfile.TemporaryDirectory(prefix="bench-idle-") as folder, contextlib.ExitStack() as stack:
        upstream = stack.enter_context(run(UPSTREAM, Path(folder), 0, cores.upstream))
        for peer in (NGINX, STRANGLER):
            with run(peer, Path(folder), upstream.place.port, cores.proxy) as running:
                held.append(_held(running, "idle", connections, lambda: _idle(running.place.port, connections)))
                console.print(f"{peer.name:10} {held[-1].bytes_each:8,.0f} bytes for each of {connections:,} idle")
        os.sched_setaffinity(0, {cores.load})
        with run(STRANGLER, Path(folder), upstream.place.port, cores.proxy) as running:
            _p99(running, rate, seconds)  # warm-up
            for number in range(groups):
                ratios.append(_abba(running, connections, rate, seconds))
                console.print(f"group {number + 1}/{groups}: p99 beside idle connections {ratios[-1]:.2f} × without")
    estimate = median_interval(ratios)
    console.print(f"p99 beside {connections:,} idle: {estimate.median:.2f} × ({estimate.low:.2f}–{estimate.high:.2f})")
    _write(reports / "bench-idle.json", held, {"p99 ratio": asdict(estimate), "ratios": ratios, "rate": rate})


@app.command()
def streams(
    count: Annotated[int, typer.Option(min=1, help="Streams that stand still.")] = 200,
    reports: Reports = Path("reports"),
) -> None:
    """Hold streams whose reader has stopped: memory of each, downloads and uploads."""
    cores = choose_cores()
    held = []
    with tempfile.TemporaryDirectory(prefix="bench-streams-") as folder, stalling_upstream() as upstream:
        for what, begin in (("stalled downloads", _download), ("stalled uploads", _upload)):
            with run(STRANGLER, Path(folder), upstream, cores.proxy) as running:
                port = running.place.port
                held.append(
                    _held(running, what, count, lambda begin=begin, port=port: [begin(port) for _ in range(count)])
                )
                console.print(f"{what}: {held[-1].bytes_each / 1024:,.0f} KiB for each of {count}")
    _write(reports / "bench-streams.json", held, {})


def _held(running: Running, what: str, count: int, opened: Callable[[], list[socket.socket]]) -> Held:
    before = _memory(running)
    sockets = opened()
    time.sleep(_SETTLE)
    grown = _memory(running) - before
    for one in sockets:
        one.close()
    return Held(running.peer.name, what, count, grown / count)


def _memory(running: Running) -> int:
    """The proportional set size, in bytes, of the processes that carry requests."""
    root = psutil.Process(running.pid)
    family = [root, *root.children(recursive=True)]
    carrying = [process for process in family if running.peer.data_plane in " ".join(process.cmdline())]
    return sum(process.memory_full_info().pss for process in carrying)


def _idle(port: int, count: int) -> list[socket.socket]:
    """Connections each of which has had an answer."""
    opened = []
    for _ in range(count):
        one = socket.create_connection(("127.0.0.1", port), 10)
        one.sendall(_REQUEST)
        opened.append(one)
        assert one.recv(4096).startswith(b"HTTP/1.1 200")
    return opened


def _small(port: int) -> socket.socket:
    one = socket.socket()
    one.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    one.connect(("127.0.0.1", port))
    return one


def _download(port: int) -> socket.socket:
    one = _small(port)
    one.sendall(b"GET /stream HTTP/1.1\r\nHost: bench\r\n\r\n")
    return one


def _upload(port: int) -> socket.socket:
    one = _small(port)
    one.sendall(b"POST /stream HTTP/1.1\r\nHost: bench\r\nContent-Length: 1000000000\r\n\r\n")
    one.setblocking(False)
    with contextlib.suppress(BlockingIOError):
        while True:
            one.send(b"x" * 65536)
    return one


def _abba(running: Running, connections: int, rate: int, seconds: float) -> float:
    first = _p99(running, rate, seconds)
    with _idle_beside(running, connections):
        beside = [_p99(running, rate, seconds) for _ in range(2)]
    return sum(beside) / (first + _p99(running, rate, seconds))


@contextlib.contextmanager
def _idle_beside(running: Running, connections: int) -> Iterator[None]:
    opened = _idle(running.place.port, connections)
    time.sleep(_SETTLE)
    try:
        yield
    finally:
        for one in opened:
            one.close()
        time.sleep(_SETTLE)


def _p99(running: Running, rate: int, seconds: float) -> float:
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return percentile(runner.run(latencies(running.place.port, rate=rate, seconds=seconds)), 0.99)


def _raise_limit(connections: int) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = connections + 256
    if hard != resource.RLIM_INFINITY and hard < wanted:
        console.print(f"only {hard} files may be open (ulimit -Hn), too few for {connections} connections")
        raise typer.Exit(1)
    if soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def _write(path: Path, held: list[Held], further: dict[str, object]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    document = {"machine": asdict(look([STRANGLER])), "held": [asdict(one) for one in held], **further}
    path.write_bytes(orjson.dumps(document, option=orjson.OPT_INDENT_2))
    console.print(f"Written to {path}.")
