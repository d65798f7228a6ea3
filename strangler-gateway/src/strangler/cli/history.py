"""``strangler history``: who changed what, when and why."""

from typing import Annotated, Any

import typer

from strangler.cli.admin_client import AdminClient
from strangler.cli.options import DEFAULT_STATE, Admin, Json, State
from strangler.cli.screen import console, print_json, say, table


def history(
    route: Annotated[str | None, typer.Argument(help="Only changes of this route.")] = None,
    limit: Annotated[int, typer.Option(help="At most so many changes.", min=1, max=1000)] = 20,
    state: State = DEFAULT_STATE,
    admin: Admin = None,
    as_json: Json = False,
) -> None:
    """List the changes of flags and kills, the newest first."""
    document = AdminClient(admin, state).get("/history", route=route, limit=limit)
    if as_json:
        print_json(document)
        return
    if not document["items"]:
        say(
            f"no change of «{route}» is in the history; `strangler routes` lists what there is"
            if route
            else "no changes yet"
        )
        return
    listing = table("at", "author", "route", "change", "reason")
    for item in document["items"]:
        cells = (item["at"], item["author"], item["route"] or "", _change(item), item["reason"])
        listing.add_row(*map(str, cells))
    console().print(listing)


def _change(item: dict[str, Any]) -> str:
    before, after = item.get("before") or {}, item.get("after") or {}
    if "stage" in after:
        return f"{item['action']}: {_flag(before)} → {_flag(after)}" if "stage" in before else _flag(after)
    if "run" in after:
        return f"{item['action']}: run {before.get('run')} → {after['run']}"
    return str(item["action"])


def _flag(flag: dict[str, Any]) -> str:
    return f"{flag['stage']} {flag['weight']} %" if flag["stage"] == "canary" else str(flag["stage"])
