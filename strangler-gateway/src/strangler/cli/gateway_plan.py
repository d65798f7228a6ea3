"""From a configuration file and options to what the supervisor is asked to run; options win."""

import logging
import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from strangler.cli.failures import BadInput
from strangler.control.admin_address import TOKEN_VARIABLE, UnsafeAddress, check_address
from strangler.supervisor.cores import available_cores
from strangler.supervisor.plan import Plan

if TYPE_CHECKING:
    from strangler.config import Loaded
    from strangler.model.upstream import Endpoint

Listen = Annotated[str | None, typer.Option("--listen", metavar="HOST:PORT", help="Where clients connect.")]
AdminAddress = Annotated[str | None, typer.Option("--admin", metavar="HOST:PORT", help="Where the admin API answers.")]
Health = Annotated[
    str | None, typer.Option("--health", metavar="HOST:PORT", help="Where /livez and /readyz of the data plane answer.")
]
Workers = Annotated[
    str | None, typer.Option("--workers", metavar="N|auto", help="Worker processes; auto: one per core.")
]
StateFolder = Annotated[
    Path | None,
    typer.Option(
        "--state", envvar="STRANGLER_STATE", metavar="DIR", help="Folder of sockets, kills, snapshot and store."
    ),
]
Store = Annotated[str | None, typer.Option("--store", metavar="URL", help="Database of flags and audit.")]


def plan_of(
    loaded: "Loaded",
    config: Path,
    *,
    listen: str | None,
    admin: str | None,
    health: str | None,
    workers: str | None,
    state: Path | None,
    store: str | None,
) -> Plan:
    """Raises ``BadInput`` for an option that cannot be used."""
    serve = loaded.serve
    plan = Plan(
        config=config,
        state=state or serve.state,
        listen=_address("--listen", listen) or serve.listen,
        admin=_address("--admin", admin) or serve.admin,
        health=_address("--health", health) or serve.health,
        workers=_workers(workers, serve.workers),
        store=store or serve.store,
        grace=loaded.topology.gateway.limits.drain_timeout,
        patience=serve.heartbeat_timeout,
        stop_delay=serve.stop_delay,
    )
    _check(plan)
    return plan


def log_to_stderr() -> None:
    """What supervisor and applications have to report, beside the output of their children."""
    logging.basicConfig(level=logging.INFO, format="supervisor: %(levelname)s: %(message)s")


def _address(option: str, text: str | None) -> "Endpoint | None":
    from strangler.config.addresses import parse_listener  # noqa: PLC0415

    if text is None:
        return None
    try:
        return parse_listener(text)
    except ValueError as error:
        raise BadInput(f"{option}: {error}") from error


def _workers(option: str | None, configured: int) -> int:
    if (
        option is not None
        and option != "auto"
        and not (option.isascii() and option.isdigit() and 1 <= int(option) <= 1024)
    ):
        raise BadInput(f"--workers {option}: write a number from 1 to 1024, or auto for one per core")
    count = configured if option is None else 0 if option == "auto" else int(option)
    return count or available_cores()


def _check(plan: Plan) -> None:
    """What control would refuse to start with."""
    try:
        check_address(plan.admin.host, os.environ.get(TOKEN_VARIABLE) or None)
    except UnsafeAddress as error:
        raise BadInput(str(error)) from error
    if plan.store is not None:
        from strangler.control.store.engine import StoreUrlInvalid, parse_url  # noqa: PLC0415

        try:
            parse_url(plan.store)
        except StoreUrlInvalid as error:
            raise BadInput(f"--store: {error}") from error
