"""From a configuration file and options to what the supervisor is asked to run; options win."""

import ipaddress
import logging
import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from strangler.cli.failures import BadInput
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
    if not _is_loopback(plan.admin) and not os.environ.get("STRANGLER_ADMIN_TOKEN"):
        raise BadInput(
            f"the admin API on {plan.admin.authority} could be reached by others; set STRANGLER_ADMIN_TOKEN to a token "
            "that they do not know, or keep it on 127.0.0.1 with --admin"
        )
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


def _is_loopback(address: "Endpoint") -> bool:
    try:
        return ipaddress.ip_address(address.host).is_loopback
    except ValueError:
        return address.host == "localhost"
