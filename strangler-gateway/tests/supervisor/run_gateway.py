"""Runs a supervisor with stand-ins for its children: ``run_gateway.py STATE LISTEN ADMIN HEALTH …``."""

import logging
import os
import sys
from pathlib import Path

from strangler.model.upstream import Endpoint
from strangler.supervisor.plan import Plan, StartRefused
from strangler.supervisor.serve import serve

HERE = Path(__file__).parent


def plan(state: str, listen: str, admin: str, health: str, workers: str, *seconds: str) -> Plan:
    grace, patience, stop_delay = map(float, seconds)
    return Plan(
        config=Path("strangler.yaml"),
        state=Path(state),
        listen=Endpoint("127.0.0.1", int(listen)),
        admin=Endpoint("127.0.0.1", int(admin)),
        health=Endpoint("127.0.0.1", int(health)),
        workers=int(workers),
        store=os.environ.get("STORE"),
        grace=grace,
        patience=patience,
        stop_delay=stop_delay,
        worker_command=(sys.executable, str(HERE / "stand_in_worker.py")),
        control_command=(sys.executable, str(HERE / "stand_in_control.py")),
        comparator_command=(sys.executable, str(HERE / "stand_in_comparator.py")),
    )


if __name__ == "__main__":
    logging.basicConfig(format="%(levelname)s %(message)s")
    try:
        sys.exit(serve(plan(*sys.argv[1:]), lambda holdings: print("ready on", holdings.listen.authority, flush=True)))
    except StartRefused as error:
        sys.exit(f"refused: {error}")
