"""The commands, put together: names, failures and exit statuses."""

import functools
from collections.abc import Callable
from typing import Any

import typer

from strangler.cli import auth, config, registry, shadow
from strangler.cli.bench import bench
from strangler.cli.check import check
from strangler.cli.compile import compile_data_plane
from strangler.cli.down import down
from strangler.cli.explain import explain
from strangler.cli.failures import document, exit_status
from strangler.cli.flip import flip
from strangler.cli.history import history
from strangler.cli.hold import hold, release
from strangler.cli.init import init
from strangler.cli.kill import kill
from strangler.cli.record import record
from strangler.cli.replay import replay
from strangler.cli.routes import routes
from strangler.cli.screen import print_error, print_json
from strangler.cli.serve import serve
from strangler.cli.status import status
from strangler.cli.up import up
from strangler.cli.version import version
from strangler.model.errors import StranglerError

app = typer.Typer(
    name="strangler",
    help="Move a monolith to services one route at a time, by feature flag, and go back at any moment.",
    epilog="Exit status: 0 done · 1 it could not be done · 2 wrong input, usage or configuration "
    "· 3 not enough was seen (replay).",
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


def _add(group: typer.Typer, *commands: Callable[..., None]) -> None:
    for command in commands:
        group.command(command.__name__.replace("_", "-"))(failing_well(command))


_config = typer.Typer(help=config.__doc__, no_args_is_help=True, rich_markup_mode=None)
_add(_config, config.schema, config.show, config.reload)
_add(app, init, check, serve, up, down, status, routes, explain, flip, kill, hold, release, history)
app.add_typer(_config, name="config")
_auth = typer.Typer(help=auth.__doc__, no_args_is_help=True, rich_markup_mode=None)
_add(_auth, auth.new_key, auth.hash_key)
app.add_typer(_auth, name="auth")
_registry = typer.Typer(help=registry.__doc__, no_args_is_help=True, rich_markup_mode=None)
_registry.command("list")(failing_well(registry.list_instances))
app.add_typer(_registry, name="registry")
_shadow = typer.Typer(help=shadow.__doc__, no_args_is_help=True, rich_markup_mode=None)
_add(_shadow, shadow.status, shadow.report, shadow.samples, shadow.restart)
app.add_typer(_shadow, name="shadow")
_add(app, record, replay, bench)
app.command("compile")(failing_well(compile_data_plane))
_add(app, version)
