"""The command ``python -m yardstick.gateway``: checks, measures, reports."""

import contextlib
import shutil
import tempfile
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from yardstick.gateway import report
from yardstick.gateway.cores import choose_cores
from yardstick.gateway.facts import look
from yardstick.gateway.load import Load
from yardstick.gateway.measure import Sample, measure, rounds
from yardstick.gateway.peers import NGINX, PEERS, UPSTREAM, Peer
from yardstick.gateway.running import NotRunningError, run
from yardstick.gateway.same_job import NotTheSameJobError, check

BUSY = 0.5
"""Load average per core from which figures are not to be trusted."""
console = Console(highlight=False)
app = typer.Typer(add_completion=False)


@app.command()
def main(
    rounds_: Annotated[int, typer.Option("--rounds", min=1, help="Rounds; fewer than 7 say little.")] = 9,
    seconds: Annotated[int, typer.Option(min=1, help="Seconds of load per proxy and round.")] = 4,
    only: Annotated[list[str] | None, typer.Option(help="Measure only this proxy beside nginx; repeatable.")] = None,
    connections: Annotated[int, typer.Option(min=1, help="Keep-alive connections.")] = 32,
    new_heads: Annotated[
        int, typer.Option(min=0, max=100, help="Percent of requests whose header section no earlier one had.")
    ] = 0,
    reports: Annotated[Path, typer.Option(help="The folder for bench-gateway.json and bench-gateway.md.")] = Path(
        "reports"
    ),
) -> None:
    """Measure CPU time per request of the gateway beside nginx, HAProxy, Envoy, Traefik and Caddy."""
    chosen = _chosen(only)
    cores = choose_cores()
    load = Load(connections, new_heads, cores.load)
    if not cores.apart:
        console.print("There is only one core: proxies and load share it, and the figures mean little.")
    machine = look(chosen)
    if machine.load_average > BUSY * machine.cores:
        console.print(
            f"The machine is busy (load average {machine.load_average:.1f} on {machine.cores} cores): "
            "ratios then spread, and are worse for what needs more of the caches.",
            soft_wrap=True,
        )
    conditions: dict[str, object] = {
        "rounds": rounds_,
        "seconds per proxy and round": seconds,
        "connections": connections,
        "requests with a header section that no earlier one had": f"{new_heads} %",
        "cores": f"proxy {cores.proxy}, load {cores.load}, upstream {cores.upstream}",
    }
    with tempfile.TemporaryDirectory(prefix="bench-gateway-") as folder, contextlib.ExitStack() as stack:
        try:
            upstream = stack.enter_context(run(UPSTREAM, Path(folder), 0, cores.upstream))
            running = [
                stack.enter_context(run(peer, Path(folder), upstream.place.port, cores.proxy)) for peer in chosen
            ]
            for one in running:
                console.print(f"{one.peer.name:10} same job: {len(check(one))} checks passed")
        except (NotRunningError, NotTheSameJobError) as error:
            console.print(str(error), markup=False, soft_wrap=True)
            raise typer.Exit(1) from None
        for one in running:
            _show(measure(one, load, number=-1, seconds=1), rounds_)
        samples = []
        for sample in rounds(running, load, count=rounds_, seconds=seconds):
            _show(sample, rounds_)
            samples.append(sample)
    reports.mkdir(parents=True, exist_ok=True)
    (reports / "bench-gateway.json").write_bytes(report.as_json(samples, machine, conditions))
    (reports / "bench-gateway.md").write_text(report.markdown(samples, machine, conditions))
    console.print(report.terminal(report.rows(samples)))
    console.print(f"Written to {reports / 'bench-gateway.json'} and {reports / 'bench-gateway.md'}.")
    if any(sample.refused for sample in samples):
        raise typer.Exit(1)


def _chosen(only: list[str] | None) -> list[Peer]:
    """Return the proxies to measure, nginx always among them; say which are missing, and how to get them."""
    unknown = set(only or ()) - {peer.name for peer in PEERS}
    if unknown:
        names = ", ".join(peer.name for peer in PEERS)
        raise typer.BadParameter(f"{', '.join(sorted(unknown))}: there is only {names}", param_hint="--only")
    if shutil.which("wrk") is None:
        console.print("wrk is missing, which makes the load: apt-get install wrk")
        raise typer.Exit(1)
    wanted = [peer for peer in PEERS if not only or peer.name in only or peer is NGINX]
    for peer in wanted:
        if peer.find() is None:
            console.print(f"{peer.name} is missing and left out: {peer.source}")
    if NGINX.find() is None:
        raise typer.Exit(1)
    return [peer for peer in wanted if peer.find() is not None]


def _show(sample: Sample, of: int) -> None:
    which = f"round {sample.round}/{of}" if sample.round else "warm-up"
    if sample.refused:
        console.print(f"{which:12} {sample.peer:10} refused: {sample.refused}")
    else:
        console.print(f"{which:12} {sample.peer:10} {sample.microseconds:7.1f} µs  {sample.rate:9,.0f} requests/s")


if __name__ == "__main__":
    app()
