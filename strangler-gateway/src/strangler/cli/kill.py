"""``strangler kill``: send a route back to the monolith, now, whatever its flag says and whatever else is broken."""

import dataclasses
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from strangler.cli.failures import Failed, Unreachable
from strangler.cli.last_snapshot import LastSnapshot
from strangler.cli.options import DEFAULT_STATE, Author, Json, Reason, State, Target, author_or_user
from strangler.cli.screen import print_error, print_json, say, seconds, slots
from strangler.cli.supervisor_client import SupervisorClient
from strangler.model.messages import KillReply, KillRequest
from strangler.supervisor.kill_ledger import KillLedger
from strangler.supervisor.state_folder import StateFolder

START_TIME = 5.0
"""Seconds that a supervisor may hold the lock before it answers, while it starts."""


def kill(
    target: Target,
    reason: Reason,
    lift: Annotated[bool, typer.Option("--lift", help="Take the kill away.")] = False,
    author: Author = None,
    state: State = DEFAULT_STATE,
    as_json: Json = False,
) -> None:
    """Force a route or module back to the monolith. Needs neither control nor its store, nor a running gateway."""
    last = LastSnapshot(state)
    routes = last.resolve(target, also=last.killed if lift else ())
    request = KillRequest(routes, author_or_user(author), reason, lift)
    reply, is_running = _ask(state, request)
    if as_json:
        document = {**dataclasses.asdict(reply), "gateway": "running" if is_running else "stopped"}
        print_json(document)
    else:
        _show(request, reply, before=last.killed, is_running=is_running)
    raise typer.Exit(1 if reply.missing else 0)


def _ask(state: Path, request: KillRequest) -> tuple[KillReply, bool]:
    """The supervisor's reply; without one, what was written for the next start. Raises ``Failed``."""
    folder = StateFolder(state)
    deadline = time.monotonic() + START_TIME
    while True:
        try:
            return SupervisorClient(folder).kill(request), True
        except Unreachable as error:
            if folder.try_lock():
                try:
                    return _write(folder, request), False
                finally:
                    folder.unlock()
            if time.monotonic() > deadline:
                raise Failed(f"{error}, though it is running; nothing was changed") from error
            time.sleep(0.05)


def _write(folder: StateFolder, request: KillRequest) -> KillReply:
    try:
        ledger = KillLedger(folder)
        ledger.record(request, datetime.now(UTC))
    except OSError as error:
        raise Failed(f"{error.filename}: {error.strerror}; nothing was changed") from error
    return KillReply(ledger.generation, ledger.kills, (), 0.0)


def _show(request: KillRequest, reply: KillReply, *, before: frozenset[str], is_running: bool) -> None:
    if not request.lift:
        say(f"killed: {', '.join(request.routes)}; every request goes to the monolith", style="bold")
    elif lifted := [route for route in request.routes if route in before]:
        say(f"lifted: {', '.join(lifted)}; the flags decide again", style="bold")
    else:
        say("nothing to lift: no kill is in force there")
    if reply.missing:
        print_error(
            f"{slots(list(reply.missing))} did not acknowledge within {seconds(reply.seconds)}; "
            "`strangler status` shows them"
        )
    elif is_running:
        say(f"every worker has it, after {seconds(reply.seconds)}", style="green")
    else:
        say("no gateway is running; the next start will honour it")
