"""The command `catalog-service`."""

from pathlib import Path
from typing import Annotated, Any

import typer

from catalog_service import __version__
from catalog_service.application import build
from catalog_service.settings import Settings
from chassis.server import serve as serve_application

app = typer.Typer(add_completion=False, no_args_is_help=True, help="The catalog, extracted from the shop.")


@app.callback()
def main() -> None:
    """Settings come from DATABASE_URL and CATALOG_* variables; an option overrides its variable."""


@app.command()
def serve(
    host: Annotated[str | None, typer.Option(help="Address to listen on.")] = None,
    port: Annotated[int | None, typer.Option(help="Port to listen on; 0 takes any free one.")] = None,
    access_log: Annotated[Path | None, typer.Option(help="File that gets one JSON line per answered request.")] = None,
) -> None:
    """Serve until SIGTERM or Ctrl-C."""
    given: dict[str, Any] = {"host": host, "port": port, "access_log": access_log}
    settings = Settings(**{name: value for name, value in given.items() if value is not None})
    serve_application("catalog-service", lambda: build(settings), settings)


@app.command()
def version() -> None:
    """Print the version."""
    typer.echo(__version__)
