"""Options that several commands share."""

from pathlib import Path
from typing import Annotated

import typer


def _why(value: str) -> str:
    if not value.strip():
        raise typer.BadParameter("say why in a few words; whoever reads the history will want to know")
    _text(value)
    return value


def _text(value: str | None) -> str | None:
    """What the shell gave as bytes that are no UTF-8 could be written into no log and no history."""
    if value is not None and any("\ud800" <= letter <= "\udfff" for letter in value):
        raise typer.BadParameter("this is not text in UTF-8; write it anew")
    return value


Json = Annotated[bool, typer.Option("--json", help="Print exactly one JSON document on stdout.")]
State = Annotated[
    Path,
    typer.Option(
        "--state", envvar="STRANGLER_STATE", metavar="DIR", help="State folder of the gateway.", file_okay=False
    ),
]
Admin = Annotated[
    str | None,
    typer.Option(
        "--admin",
        envvar="STRANGLER_ADMIN",
        metavar="HOST:PORT",
        help="Where the admin API answers; found in the state folder if left out. "
        "A token is read from STRANGLER_ADMIN_TOKEN.",
    ),
]
Config = Annotated[
    Path, typer.Option("--config", "-c", envvar="STRANGLER_CONFIG", help="Configuration file.", dir_okay=False)
]
Reason = Annotated[
    str, typer.Option("--reason", "-r", metavar="TEXT", help="Why; it stands in the history.", callback=_why)
]
Author = Annotated[
    str | None,
    typer.Option(
        "--author", envvar="STRANGLER_AUTHOR", help="Who; your user name and host if left out.", callback=_text
    ),
]
DEFAULT_STATE = Path(".strangler")
DEFAULT_CONFIG = Path("strangler.yaml")


def complete_target(incomplete: str) -> list[str]:
    """Routes and modules of the gateway whose state folder is here, for the shell's completion."""
    from strangler.cli.last_snapshot import LastSnapshot  # noqa: PLC0415  # only when asked to complete
    from strangler.model.errors import StranglerError  # noqa: PLC0415

    try:
        snapshot = LastSnapshot(DEFAULT_STATE)
    except StranglerError:
        return []
    return [target for target in snapshot.targets() if target.startswith(incomplete)]


Target = Annotated[
    str, typer.Argument(help="A route, or a module with all its routes.", autocompletion=complete_target)
]


def author_or_user(author: str | None) -> str:
    """``author``, or ``user@host``."""
    import getpass  # noqa: PLC0415
    import socket  # noqa: PLC0415

    return author or f"{getpass.getuser()}@{socket.gethostname()}"
