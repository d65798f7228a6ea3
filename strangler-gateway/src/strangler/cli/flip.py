"""``strangler flip``: move a route or a module to a stage, and wait until every worker does it."""

from typing import Annotated, Any

import typer

from strangler.cli.admin_client import AdminClient
from strangler.cli.options import DEFAULT_STATE, Admin, Author, Json, Reason, State, Target, author_or_user
from strangler.cli.screen import print_error, print_json, say, seconds, slots, warn
from strangler.model.flag import Stage


def flip(
    target: Target,
    stage: Annotated[Stage, typer.Argument(help="The stage to move it to.")],
    reason: Reason,
    weight: Annotated[
        str | None, typer.Option(metavar="PERCENT", help="Percent of subjects for the service, such as 5 or 0.05.")
    ] = None,
    cohort: Annotated[
        list[str] | None, typer.Option(help="A subject that goes to the service regardless; can be repeated.")
    ] = None,
    author: Author = None,
    state: State = DEFAULT_STATE,
    admin: Admin = None,
    as_json: Json = False,
) -> None:
    """Move a route, or all routes of a module, to a stage. Returns when every worker has it; 1 if one has not."""
    wish: dict[str, Any] = {
        "target": target,
        "stage": stage.value,
        "reason": reason,
        "author": author_or_user(author),
    }
    if weight is not None:
        wish["weight"] = weight
    if cohort is not None:
        wish["cohorts"] = cohort
    document = AdminClient(admin, state).post("/flips", wish)
    if as_json:
        print_json(document)
    else:
        _show(document)
    raise typer.Exit(1 if document["missing"] else 0)


def _show(document: dict[str, Any]) -> None:
    for change in document["changes"]:
        before, after = _flag(change["before"]), _flag(change["after"])
        say(f"{change['route']}: {before} → {after}" if before != after else f"{change['route']}: {after}, as before")
    for warning in document.get("warnings", ()):
        warn(str(warning))
    missing, revision, took = document["missing"], document["revision"], seconds(document["seconds"])
    if missing:
        print_error(
            f"revision {revision}: {slots(missing)} did not acknowledge within {took}, and may serve by the old flags; "
            "`strangler status` shows them"
        )
    else:
        say(f"revision {revision}: every worker has it, after {took}", style="green")


def _flag(flag: dict[str, Any]) -> str:
    weight = f" {flag['weight']} %" if flag["stage"] == Stage.CANARY else ""
    cohorts = f" and {', '.join(flag['cohorts'])}" if flag.get("cohorts") else ""
    return f"{flag['stage']}{weight}{cohorts}"
