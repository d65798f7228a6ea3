"""``strangler hold`` and ``strangler release``: let the writes of a module wait for a moment."""

from typing import Annotated, Any

import typer

from strangler.cli.admin_client import AdminClient
from strangler.cli.failures import BadInput
from strangler.cli.options import DEFAULT_STATE, Admin, Author, Json, Reason, State, author_or_user
from strangler.cli.screen import print_error, print_json, say, seconds, slots, warn

Module = Annotated[str, typer.Argument(help="A module that routes declare to write (`writes:`).")]


def hold(
    module: Module,
    reason: Reason,
    duration: Annotated[
        str, typer.Option("--for", metavar="TIME", help="When it ends by itself, such as 5s or 800ms; 60s at most.")
    ] = "5s",
    most: Annotated[
        int, typer.Option("--max", metavar="N", help="Requests that may wait in each worker.", min=1, max=100_000)
    ] = 1000,
    drain_within: Annotated[
        str, typer.Option(metavar="TIME", help="How long to wait for the writes that are in flight; 10s at most.")
    ] = "2s",
    keep: Annotated[
        bool, typer.Option("--keep", help="Keep the hold also if some are still in flight; else it is released.")
    ] = False,
    author: Author = None,
    state: State = DEFAULT_STATE,
    admin: Admin = None,
    as_json: Json = False,
) -> None:
    """Let the writes of a module wait. Returns when none is in flight in any worker; 1 if that is not so in time."""
    wish = {
        "module": module,
        "seconds": _duration("--for", duration, 60.0),
        "max": most,
        "drain_within": _duration("--drain-within", drain_within, 10.0),
        "keep": keep,
        "reason": reason,
        "author": author_or_user(author),
    }
    document = AdminClient(admin, state).post("/holds", wish)
    if as_json:
        print_json(document)
    else:
        _show_hold(document, duration)
    raise typer.Exit(1 if document["missing"] else 0)


def release(
    module: Annotated[str, typer.Argument(help="A module that is held.")],
    reason: Reason,
    author: Author = None,
    state: State = DEFAULT_STATE,
    admin: Admin = None,
    as_json: Json = False,
) -> None:
    """End a hold: what waits goes on, to whichever arm the flags name now. Returns when every worker has done so."""
    wish = {"module": module, "reason": reason, "author": author_or_user(author)}
    document = AdminClient(admin, state).post("/holds/release", wish)
    if as_json:
        print_json(document)
    else:
        _show_release(document)
    raise typer.Exit(1 if document["missing"] else 0)


def _show_hold(document: dict[str, Any], duration: str) -> None:
    took, missing = seconds(document["seconds"]), document["missing"]
    if document["in_force"]:
        say(f"{document['module']} is held for {duration}: {', '.join(document['routes'])}", style="bold")
    for warning in document["warnings"]:
        warn(warning)
    for worker in document["workers"]:
        if worker["drained"]:
            say(f"worker {worker['slot']}: no write in flight, after {seconds(worker['seconds'])}")
        else:
            warn(f"worker {worker['slot']}: {worker['in_flight'] or 'it is not known how many'} in flight")
    if missing:
        outcome = "it is held nevertheless" if document["in_force"] else "the hold was released again"
        print_error(f"{slots(missing)} did not drain within {took}; {outcome}")
    elif document["in_force"]:
        say(f"no write of it is in flight, after {took}", style="green")
    else:
        print_error("the hold was over before every worker had answered")


def _show_release(document: dict[str, Any]) -> None:
    let_go = sum(worker["held"] for worker in document["workers"])
    say(f"{document['module']} is released: {let_go} requests go on", style="bold")
    for warning in document["warnings"]:
        warn(warning)
    if document["missing"]:
        print_error(f"{slots(document['missing'])} did not acknowledge; its hold ends by itself")
    else:
        say(f"every worker has it, after {seconds(document['seconds'])}", style="green")


def _duration(option: str, text: str, most: float) -> float:
    """Seconds, of ``5s``, ``800ms`` or ``5``."""
    number, scale = (text[:-2], 1000) if text.endswith("ms") else (text.removesuffix("s"), 1)
    try:
        seconds = float(number) / scale
    except ValueError:
        raise BadInput(f"{option} {text}: write a time such as 5s or 800ms") from None
    if not 0.05 <= seconds <= most:
        raise BadInput(f"{option} {text}: write a time from 50ms to {most:g}s")
    return seconds
