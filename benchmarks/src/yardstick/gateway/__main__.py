"""The command ``python -m yardstick.gateway``: checks, measures, reports."""

import contextlib
import shutil
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from yardstick.gateway import report
from yardstick.gateway.connections import app as connections_app
from yardstick.gateway.cores import Cores, choose_cores
from yardstick.gateway.facts import look
from yardstick.gateway.instructions import app as instructions_app
from yardstick.gateway.load import USERS, Load
from yardstick.gateway.measure import Sample, measure, rounds
from yardstick.gateway.mirroring import app as mirroring_app
from yardstick.gateway.peers import UPSTREAM, Peer
from yardstick.gateway.peers.variants import token
from yardstick.gateway.profiling import app as profiling_app
from yardstick.gateway.report import Compared
from yardstick.gateway.running import NotRunningError, run
from yardstick.gateway.same_job import NotTheSameJobError, check
from yardstick.gateway.scenarios import BY_NAME, Scenario

BUSY = 0.5
"""Load average per core from which figures are not to be trusted."""
console = Console(highlight=False)
app = typer.Typer(add_completion=False)
app.add_typer(connections_app)
app.add_typer(profiling_app)
app.add_typer(mirroring_app)
app.add_typer(instructions_app)


@app.callback(invoke_without_command=True)
def main(
    context: typer.Context,
    scenario: Annotated[
        list[str] | None, typer.Option(help="What to compare; repeatable, `all` for every one.")
    ] = None,
    rounds_: Annotated[int, typer.Option("--rounds", min=1, help="Rounds; fewer than 15 say little.")] = 25,
    seconds: Annotated[int, typer.Option(min=1, help="Seconds of load per proxy and round.")] = 1,
    only: Annotated[
        list[str] | None, typer.Option(help="Measure only this proxy beside the baseline; repeatable.")
    ] = None,
    new_heads: Annotated[
        int, typer.Option(min=0, max=100, help="Percent of requests whose header section no earlier one had.")
    ] = 0,
    reports: Annotated[Path, typer.Option(help="The folder for bench-gateway.json and bench-gateway.md.")] = Path(
        "reports"
    ),
) -> None:
    """Measure CPU time per request of the gateway beside nginx, HAProxy, Envoy, Traefik and Caddy."""
    if context.invoked_subcommand is not None:
        return
    chosen = [(one, _chosen(one, only)) for one in _scenarios(scenario)]
    cores = choose_cores()
    machine = look({peer.name: peer for _, peers in chosen for peer in peers}.values())
    _warn(cores, machine.load_average, machine.cores)
    conditions: dict[str, object] = {
        "rounds": rounds_,
        "seconds per proxy and round": seconds,
        "requests with a header section that no earlier one had": f"{new_heads} %",
        "cores": f"proxy {cores.proxy}, load {cores.load}, upstream {cores.upstream}",
    }
    every = []
    reports.mkdir(parents=True, exist_ok=True)
    for one, peers in chosen:
        compared = Compared(one, _measure(one, peers, cores, rounds_, seconds, new_heads))
        every.append(compared)
        console.print(report.terminal(compared))
        # After each, since all of them take most of an hour.
        (reports / "bench-gateway.json").write_bytes(report.as_json(every, machine, conditions))
        (reports / "bench-gateway.md").write_text(report.markdown(every, machine, conditions))
    console.print(f"Written to {reports / 'bench-gateway.json'} and {reports / 'bench-gateway.md'}.")
    if any(sample.refused for compared in every for sample in compared.samples):
        raise typer.Exit(1)


def _measure(
    scenario: Scenario, peers: Sequence[Peer], cores: Cores, count: int, seconds: int, new_heads: int
) -> list[Sample]:
    with tempfile.TemporaryDirectory(prefix="bench-gateway-") as folder, contextlib.ExitStack() as stack:
        secret = token(0) if scenario.asked.tokens else ""
        tokens = Path(folder) / "tokens" if scenario.asked.tokens else None
        if tokens is not None:
            tokens.write_text("".join(f"{token(user)}\n" for user in range(USERS)))
        load = Load(scenario.connections, scenario.asked, new_heads, cores.load, tokens)
        try:
            upstream = stack.enter_context(run(UPSTREAM, Path(folder), 0, cores.upstream))
            running = [stack.enter_context(run(peer, Path(folder), upstream.place.port, cores.proxy)) for peer in peers]
            for one in running:
                console.print(f"{one.peer.name:24} same job: {len(check(one, secret))} checks passed")
        except (NotRunningError, NotTheSameJobError) as error:
            console.print(str(error), markup=False, soft_wrap=True)
            raise typer.Exit(1) from None
        for one in running:
            _show(measure(one, load, number=-1, seconds=1), count)
        samples = []
        for sample in rounds(running, load, count=count, seconds=seconds):
            _show(sample, count)
            samples.append(sample)
        return samples


def _scenarios(names: list[str] | None) -> list[Scenario]:
    if names and "all" in names:
        return list(BY_NAME.values())
    unknown = set(names or ()) - set(BY_NAME)
    if unknown:
        raise typer.BadParameter(
            f"{', '.join(sorted(unknown))}: there is only {', '.join(BY_NAME)} and all", param_hint="--scenario"
        )
    return [BY_NAME[name] for name in names or ("small",)]


def _chosen(scenario: Scenario, only: list[str] | None) -> list[Peer]:
    """Return the proxies to measure, the baseline always among them; say which are missing, and how to get them."""
    unknown = set(only or ()) - {peer.name for peer in scenario.peers}
    if unknown:
        names = ", ".join(peer.name for peer in scenario.peers)
        raise typer.BadParameter(f"{', '.join(sorted(unknown))}: there is only {names}", param_hint="--only")
    if shutil.which("wrk") is None:
        console.print("wrk is missing, which makes the load: apt-get install wrk")
        raise typer.Exit(1)
    wanted = [peer for peer in scenario.peers if not only or peer.name in {*only, scenario.baseline}]
    for peer in wanted:
        if peer.find() is None:
            console.print(f"{peer.name} is missing and left out: {peer.source}")
    found = [peer for peer in wanted if peer.find() is not None]
    if scenario.baseline not in {peer.name for peer in found} or UPSTREAM.find() is None:
        raise typer.Exit(1)
    return found


def _warn(cores: Cores, load_average: float, count: int) -> None:
    if not cores.apart:
        console.print("There is only one core: proxies and load share it, and the figures mean little.")
    if load_average > BUSY * count:
        console.print(
            f"The machine is busy (load average {load_average:.1f} on {count} cores): "
            "ratios then spread, and are worse for what needs more of the caches.",
            soft_wrap=True,
        )


def _show(sample: Sample, of: int) -> None:
    which = f"round {sample.round}/{of}" if sample.round else "warm-up"
    if sample.refused:
        console.print(f"{which:12} {sample.peer:24} refused: {sample.refused}")
    else:
        console.print(f"{which:12} {sample.peer:24} {sample.microseconds:9,.1f} µs  {sample.rate:9,.0f} requests/s")


if __name__ == "__main__":
    app()
