"""The gateway as ``strangler serve`` runs it, but with a comparator that only reads: ``… CONFIG``."""

import dataclasses
import sys
from pathlib import Path

from strangler.cli.gateway_plan import log_to_stderr, plan_of
from strangler.config import load
from strangler.supervisor.serve import serve

COMPARATOR = "yardstick.gateway.peers.discarding"


def main() -> None:
    config = Path(sys.argv[1])
    plan = plan_of(load(config), config, listen=None, admin=None, health=None, workers=None, state=None, store=None)
    log_to_stderr()
    raise SystemExit(
        serve(dataclasses.replace(plan, comparator_command=(sys.executable, "-m", COMPARATOR)), lambda _: None)
    )


if __name__ == "__main__":
    main()
