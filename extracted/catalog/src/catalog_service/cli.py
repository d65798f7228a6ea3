"""The command `catalog-service`."""

from pathlib import Path
from typing import Annotated

import typer

from catalog_service import __version__
from catalog_service.application import build
from catalog_service.settings import Settings
from chassis.server import serve as serve_application
from chassis.settings import read_settings

app = typer.Typer(add_completion=False, no_args_is_help=True, help="The catalog, extracted from the shop.")


@app.callback()
def main() -> None:
    """Settings come from DATABASE_URL and CATALOG_* variables; an option overrides its variable."""


@app.command()
def serve(
    host: Annotated[str | None, typer.Option(help="Address to listen on.")] = None,
    port: Annotated[int | None, typer.Option(help="Port to listen on; 0 takes any free one.")] = None,
    access_log: Annotated[Path | None, typer.Option(help="File that gets one JSON line per answered request.")] = None,
    register: Annotated[
        str | None, typer.Option(metavar="URL", help="Admin API of a gateway to register with, as `catalog`.")
    ] = None,
    register_as: Annotated[
        str | None, typer.Option(metavar="HOST:PORT", help="Where that gateway reaches this service.")
    ] = None,
) -> None:
    """Serve until SIGTERM or Ctrl-C."""
    options = {"host": host, "port": port, "access_log": access_log}
    settings = read_settings(Settings, {**options, "register_with": register, "register_as": register_as})
    serve_application("catalog-service", lambda: build(settings), settings)


@app.command()
def version() -> None:
    """Print the version."""
    typer.echo(__version__)
