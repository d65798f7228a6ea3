"""``strangler status``: is it running, who works, what is killed."""

from pathlib import Path
from typing import Any

import typer

from strangler.cli.admin_client import AdminClient
from strangler.cli.failures import Unreachable
from strangler.cli.options import DEFAULT_STATE, Admin, Json, State
from strangler.cli.screen import console, print_json, say, table, warn
from strangler.cli.supervisor_client import SupervisorClient
from strangler.model.hold import HoldState
from strangler.supervisor.state_folder import StateFolder


def status(state: State = DEFAULT_STATE, admin: Admin = None, as_json: Json = False) -> None:
    """Show the gateway's processes, last minute, troubled endpoints, kills and holds.

    Exit status 1 if control or a worker is missing.
    """
    try:
        document = {**AdminClient(admin, state).get("/status"), "control": "connected"}
    except Unreachable as error:
        if admin is not None:
            raise
        document = _as_the_supervisor_sees_it(state, error)
        warn(f"{error}; this is what the supervisor knows")
    if as_json:
        print_json(document)
    else:
        _show(document)
    is_whole = document["control"] == "connected" and all(worker["ready"] for worker in document["workers"])
    raise typer.Exit(0 if is_whole else 1)


def _as_the_supervisor_sees_it(state: Path, error: Unreachable) -> dict[str, Any]:
    folder = StateFolder(state)
    if not folder.in_use():
        raise error
    import dataclasses  # noqa: PLC0415

    roster = SupervisorClient(folder).roster()
    return {
        "control": "lost",
        "supervisor": "connected",
        "comparator": "running" if roster.comparator_pid else "lost",
        "revision": max((slot.revision for slot in roster.slots), default=0),
        "workers": [dataclasses.asdict(slot) for slot in roster.slots],
        "kills": [dataclasses.asdict(kill) for kill in roster.kills],
        "holds": [_hold(state) for state in roster.holds],
    }


def _hold(state: HoldState) -> dict[str, Any]:
    held = sum(at.held for at in state.workers)
    hold = state.hold
    return {
        "module": hold.module,
        "author": hold.author,
        "reason": hold.reason,
        "at": hold.at,
        "seconds": hold.seconds,
        "held": held,
    }


def _show(document: dict[str, Any]) -> None:
    uptime = f" for {document['uptime_seconds']:.0f} s" if "uptime_seconds" in document else ""
    say(
        f"revision {document['revision']} · control {document['control']}{uptime} · "
        f"supervisor {document['supervisor']} · comparator {document['comparator']}"
    )
    workers = table("worker", "pid", "state", "revision", "restarts", right=("pid", "revision", "restarts"))
    for worker in document["workers"]:
        state = "ready" if worker["ready"] else "starting" if worker["pid"] else "being replaced"
        cells = (worker["slot"], worker["pid"], state, worker["revision"], worker["restarts"])
        workers.add_row(*map(str, cells))
    console().print(workers)
    traffic = document.get("traffic")
    if traffic is not None and traffic["requests"]:
        say(
            f"last minute: {traffic['requests']:,} requests · {traffic['errors']:,} errors · "
            f"p50 {traffic['p50_ms']:.1f} ms · p99 {traffic['p99_ms']:.1f} ms"
        )
    for endpoint in document.get("troubled", ()):
        where, workers_that = f"{endpoint['upstream']} {endpoint['endpoint']}", endpoint["workers"]
        say(f"{where}: {endpoint['trouble']}, as {workers_that} of the workers see it", style="yellow")
    for kill in document["kills"]:
        say(f"killed: {kill['route']} by {kill['author']} at {kill['at']}: {kill['reason']}", style="red")
    for hold in document["holds"]:
        say(
            f"held: the writes of {hold['module']} by {hold['author']} since {hold['at']} for {hold['seconds']:g} s at "
            f"most, {hold['held']} wait: {hold['reason']}",
            style="yellow",
        )
