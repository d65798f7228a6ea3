"""``strangler serve``: the gateway alone."""

import time
from typing import TYPE_CHECKING

import typer

from strangler.cli import gateway_plan as plan
from strangler.cli.options import DEFAULT_CONFIG, Config
from strangler.cli.screen import seconds, warn

if TYPE_CHECKING:
    from strangler.supervisor.holdings import Holdings


def serve(
    config: Config = DEFAULT_CONFIG,
    listen: plan.Listen = None,
    admin: plan.AdminAddress = None,
    health: plan.Health = None,
    workers: plan.Workers = None,
    state: plan.StateFolder = None,
    store: plan.Store = None,
) -> None:
    """Run the gateway until Ctrl-C, SIGTERM or `strangler down`. Options override the file's gateway section."""
    started = time.monotonic()
    from strangler.config import load  # noqa: PLC0415
    from strangler.control.trial import try_out  # noqa: PLC0415
    from strangler.supervisor.serve import serve as run  # noqa: PLC0415

    def announce(holdings: "Holdings") -> None:
        warn(
            f"gateway on {scheme}://{holdings.listen.authority} · admin http://{holdings.admin.authority} · "
            f"health http://{holdings.health.authority} · {the_plan.workers} workers · "
            f"ready in {seconds(time.monotonic() - started)}"
        )

    loaded = load(config, with_files=True, trial=try_out)
    scheme = "https" if loaded.topology.gateway.tls else "http"
    the_plan = plan.plan_of(
        loaded, config, listen=listen, admin=admin, health=health, workers=workers, state=state, store=store
    )
    plan.log_to_stderr()
    raise typer.Exit(run(the_plan, announce))
