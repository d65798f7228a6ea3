"""What shadowing has found out about routes.

Reports are read from the state folder, whether or not the gateway runs; with `--admin` they are asked for.
"""

from pathlib import Path
from typing import Annotated, Any

import typer

from strangler.cli.admin_client import AdminClient
from strangler.cli.failures import Failed
from strangler.cli.options import DEFAULT_STATE, Admin, Author, Json, Reason, State, author_or_user, complete_target
from strangler.cli.screen import console, print_json, say, table, warn
from strangler.cli.shadow_sources import source

Route = Annotated[str, typer.Argument(help="A route.", autocompletion=complete_target)]
Run = Annotated[int | None, typer.Option("--run", min=1, help="An older run; the present one if left out.")]
_STYLES = {"equivalent": "green", "different": "red"}
_NUMBERS = ("run", "requests", "compared", "different")


def status(state: State = DEFAULT_STATE, admin: Admin = None, as_json: Json = False) -> None:
    """Show every route that is or was shadowed, and what may be said of it."""
    document = source(state, admin).standings()
    if as_json:
        print_json(document)
        return
    if not document["items"]:
        say("nothing has been shadowed yet; `strangler flip ROUTE shadow` begins with it")
        return
    listing = table("route", "stage", *_NUMBERS, "verdict", "what may be said", right=_NUMBERS)
    for item in document["items"]:
        listing.add_row(*_cells(item), style=_STYLES.get(item["verdict"]))
    console().print(listing)


def report(
    route: Route,
    run: Run = None,
    html: Annotated[
        Path | None,
        typer.Option("--html", metavar="FILE", help="Write one HTML page in place of text.", dir_okay=False),
    ] = None,
    state: State = DEFAULT_STATE,
    admin: Admin = None,
    as_json: Json = False,
) -> None:
    """Show what is known of one route: the verdict, what became of every request, and which fields differ."""
    reports = source(state, admin)
    if html is not None:
        page = reports.page(route, run)
        try:
            html.write_text(page, encoding="utf-8")
        except OSError as error:
            raise Failed(f"{html} cannot be written: {error.strerror}") from error
        warn(f"{html} is written")
    if as_json:
        print_json(reports.report(route, run))
    elif html is None:
        say(reports.text(route, run).rstrip("\n"))


def samples(
    route: Route,
    run: Run = None,
    field: Annotated[str | None, typer.Option(help="Only pairs that differ in this field.")] = None,
    limit: Annotated[int, typer.Option(help="At most so many pairs.", min=1, max=1000)] = 5,
    state: State = DEFAULT_STATE,
    admin: Admin = None,
    as_json: Json = False,
) -> None:
    """Show pairs of answers that differ, redacted, the newest first."""
    document = source(state, admin).samples(route, run, field, limit)
    if as_json:
        print_json(document)
        return
    if not document["items"]:
        say(f"run {document['run']} of {route} has no pairs that differ")
    for item in document["items"]:
        _show_sample(item)


def restart(
    route: Route,
    reason: Reason,
    author: Author = None,
    state: State = DEFAULT_STATE,
    admin: Admin = None,
    as_json: Json = False,
) -> None:
    """Begin a new run: what was found out so far counts no more, since one of the sides has changed."""
    wish = {"reason": reason, "author": author_or_user(author)}
    document = AdminClient(admin, state).post(f"/shadow/{route}/restart", wish)
    if as_json:
        print_json(document)
    else:
        say(f"{route}: run {document['run']} begins; `--run {document['before']}` still shows the one before")


def _cells(item: dict[str, Any]) -> list[str]:
    numbers = [f"{item[name]:,}" if item["run"] else "" for name in _NUMBERS]
    return [item["route"], item["stage"], *numbers, item["verdict"].replace("_", " "), item["claim"]]


def _show_sample(item: dict[str, Any]) -> None:
    first, _, rest = item["question"].partition("\n")
    say(f"{first}  ({item['at']}, {item['finding'].replace('_', ' ')})", style="bold")
    if rest:
        say(rest)
    for difference in item["differences"]:
        say(f"  {difference['at']}: {difference['kind']}", style="yellow")
        say(f"    primary    {difference['primary']}")
        say(f"    candidate  {difference['candidate']}")
    for side in ("primary", "candidate"):
        answer = item[side]
        say(f"  {side} {answer['status']}, {answer['seconds'] * 1000:.1f} ms")
        say(f"    {answer['body']}")
    say("")
