"""``strangler down``: end a running gateway, and wait until it is gone."""

import os
import signal
import time
from typing import Annotated

import typer

from strangler.cli.failures import Failed, Unreachable
from strangler.cli.options import DEFAULT_STATE, Json, State
from strangler.cli.screen import print_json, say, seconds
from strangler.cli.supervisor_client import SupervisorClient
from strangler.supervisor.state_folder import StateFolder

POLL = 0.05
"""Seconds between two looks at the lock."""


def down(
    state: State = DEFAULT_STATE,
    timeout: Annotated[float, typer.Option(help="Seconds to wait until it is gone.", min=0)] = 60.0,
    as_json: Json = False,
) -> None:
    """End the gateway of a state folder, with what `strangler up` started; requests in flight are finished first."""
    folder = StateFolder(state)
    started = time.monotonic()
    was_running = folder.in_use()
    if was_running:
        _ask_to_end(folder)
        while folder.in_use():
            if time.monotonic() - started > timeout:
                raise Failed(f"the gateway of {folder.path} has not ended within {timeout:g} s; it still drains")
            time.sleep(POLL)
    took = time.monotonic() - started
    if as_json:
        print_json({"was_running": was_running, "seconds": round(took, 3)})
    else:
        say(f"ended in {seconds(took)}" if was_running else f"no gateway runs with the state folder {folder.path}")


def _ask_to_end(folder: StateFolder) -> None:
    try:
        SupervisorClient(folder).shut_down()
    except Unreachable as error:
        pid = folder.read_run().get("pid")
        if not isinstance(pid, int):
            raise Failed(f"{error}, and {folder.run} does not say which process it is") from error
        os.kill(pid, signal.SIGTERM)  # it holds the lock, so that it is still the process that wrote its pid
