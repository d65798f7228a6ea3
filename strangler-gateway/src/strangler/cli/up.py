"""``strangler up``: the gateway and the applications of ``processes:``, for development."""

import os
import sys
import time
from typing import TYPE_CHECKING

import typer

from strangler.cli import gateway_plan as plan
from strangler.cli.options import DEFAULT_CONFIG, Config
from strangler.cli.screen import say, seconds

if TYPE_CHECKING:
    from strangler.config import Loaded
    from strangler.supervisor.holdings import Holdings


def up(
    config: Config = DEFAULT_CONFIG,
    listen: plan.Listen = None,
    admin: plan.AdminAddress = None,
    health: plan.Health = None,
    workers: plan.Workers = None,
    state: plan.StateFolder = None,
    store: plan.Store = None,
) -> None:
    """Run the gateway and the applications named under processes: in the file. Ctrl-C ends them all."""
    started = time.monotonic()
    from strangler.config import load  # noqa: PLC0415
    from strangler.control.trial import try_out  # noqa: PLC0415
    from strangler.supervisor.application import Application  # noqa: PLC0415
    from strangler.supervisor.development import up as run  # noqa: PLC0415
    from strangler.supervisor.output import Output  # noqa: PLC0415

    loaded = load(config, with_files=True, trial=try_out)
    the_plan = plan.plan_of(
        loaded, config, listen=listen, admin=admin, health=health, workers=workers, state=state, store=store
    )
    plan.log_to_stderr()
    in_colour = sys.stdout.isatty() and "NO_COLOR" not in os.environ
    output = Output((process.name for process in loaded.processes), in_colour=in_colour)
    applications = [Application(process, output) for process in loaded.processes]

    def announce(holdings: "Holdings") -> None:
        say(_welcome(loaded, holdings, time.monotonic() - started), style="bold")

    raise typer.Exit(run(the_plan, applications, announce))


def _welcome(loaded: "Loaded", holdings: "Holdings", took: float) -> str:
    gateway, admin, health = holdings.listen.authority, holdings.admin.authority, holdings.health.authority
    scheme = "https" if loaded.topology.gateway.tls else "http"
    module, path = _example(loaded)
    lines = [
        "",
        f"  gateway   {scheme}://{gateway}",
        f"  admin     http://{admin}/docs",
        f"  health    http://{health}/readyz",
        f"  all ready in {seconds(took)}; Ctrl-C ends everything",
        "",
        "  Next, in another terminal:",
        "    strangler routes",
        f"    curl -i {scheme}://{gateway}{path}",
    ]
    if module:
        lines.append(f'    strangler flip {module} canary --weight 5 --reason "first step"')
    else:
        lines.append(f"    strangler explain GET {path}")
    return "\n".join([*lines, ""])


def _example(loaded: "Loaded") -> tuple[str | None, str]:
    """A module that can be flipped, and a path of it that can be asked for as it stands."""
    movable = [route for route in loaded.topology.routes if route.service is not None]
    plain = [route for route in movable if "{" not in route.match.path and route.match.methods <= {"GET", "HEAD"}]
    return (movable[0].module if movable else None), (plain[0].match.path if plain else "/")
