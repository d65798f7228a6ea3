"""The command line of the shop: `shop serve`, `shop seed`, `shop worker`, `shop openapi`."""

import json
import os
from pathlib import Path
from typing import Annotated

import typer

from shop.kernel.settings import Settings
from shop.serving import AddressTaken, Framework, listen, prepare
from shop.serving import serve as serve_forever

app = typer.Typer(
    no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False, help="The reference monolith."
)


@app.command()
def serve(
    framework: Annotated[Framework, typer.Option(help="Which of the three faces.")] = Framework.FLASK,
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="Port to listen on.")] = 8090,
    workers: Annotated[int, typer.Option(min=1, help="Processes.")] = 2,
    threads: Annotated[int, typer.Option(min=1, help="Threads per process.")] = 8,
    access_log: Annotated[Path | None, typer.Option(help="File that gets one JSON line per request.")] = None,
) -> None:
    """Serve the shop until SIGTERM. DATABASE_URL says where its data is (default: sqlite:///shop.db)."""
    try:
        listener = listen(host, port)
    except AddressTaken as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(2) from error
    # The workers read their settings from the environment, whether they are forked or started afresh.
    if access_log is not None:
        os.environ["SHOP_ACCESS_LOG"] = str(access_log.absolute())
    os.environ["SHOP_THREADS"] = str(threads)
    prepare(Settings())
    serve_forever(framework, listener, workers=workers, threads=threads)


@app.command()
def seed(
    products: Annotated[int, typer.Option(min=0, max=1_000_000, help="How many products.")] = 10_000,
    if_empty: Annotated[bool, typer.Option("--if-empty", help="Do nothing where there are products.")] = False,
) -> None:
    """Fill an empty shop with sample data and the two development accounts."""
    from shop.seed import seed as fill  # noqa: PLC0415 - `serve` should not wait for it

    if fill(Settings(), products):
        typer.echo(f"Seeded {products} products.")
    elif not if_empty:
        typer.echo("The shop has products already. Nothing was changed; --if-empty accepts that.", err=True)
        raise typer.Exit(2)


@app.command()
def worker(
    interval: Annotated[float, typer.Option(min=0.05, help="Seconds between two looks at the outbox.")] = 1.0,
    once: Annotated[bool, typer.Option("--once", help="Deliver what waits, and end.")] = False,
) -> None:
    """Deliver events that wait in the outbox, until SIGTERM: what a crash or a failure has left there."""
    from shop.worker import deliver_until_told  # noqa: PLC0415 - `serve` should not wait for it

    deliver_until_told(Settings(), interval, once=once)


@app.command()
def openapi(
    output: Annotated[Path | None, typer.Option("--output", "-o", help="File to write to instead of stdout.")] = None,
) -> None:
    """Print the OpenAPI document, which is valid for all three faces."""
    from shop.web.fastapi_app import create_app  # noqa: PLC0415
    from shop.web.fastapi_app.openapi import openapi_document  # noqa: PLC0415

    text = json.dumps(openapi_document(create_app()), indent=2, ensure_ascii=False)
    if output is None:
        typer.echo(text)
    else:
        output.write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    app()
