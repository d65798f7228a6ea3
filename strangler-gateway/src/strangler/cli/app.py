"""The commands, put together: names, failures and exit statuses."""

import functools
from collections.abc import Callable
from typing import Any

import typer

from strangler.cli import check, config, down, explain, flip, history, init, kill, routes, serve, status, up, version
from strangler.cli.failures import document, exit_status
from strangler.cli.screen import print_error, print_json
from strangler.model.errors import StranglerError

app = typer.Typer(
    name="strangler",
    help="Move a monolith to services one route at a time, by feature flag, and go back at any moment.",
    epilog="Exit status: 0 done · 1 it could not be done · 2 wrong input, usage or configuration.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)


def failing_well(command: Callable[..., None]) -> Callable[..., None]:
    """End a command that raises an error of ours with its text, its document if ``--json`` was given, its status."""

    @functools.wraps(command)
    def run(**arguments: Any) -> None:
        try:
            command(**arguments)
        except StranglerError as error:
            print_error(str(error))
            if arguments.get("as_json"):
                print_json(document(error))
            raise typer.Exit(exit_status(error)) from None

    return run


def _add(group: typer.Typer, **commands: Callable[..., None]) -> None:
    for name, command in commands.items():
        group.command(name)(failing_well(command))


_add(app, init=init.init, check=check.check, serve=serve.serve, up=up.up, down=down.down, status=status.status)
_add(app, routes=routes.routes, explain=explain.explain, flip=flip.flip, kill=kill.kill, history=history.history)
_config = typer.Typer(help=config.__doc__, no_args_is_help=True, rich_markup_mode=None)
_add(_config, schema=config.schema, show=config.show, reload=config.reload)
app.add_typer(_config, name="config")
_add(app, version=version.version)
