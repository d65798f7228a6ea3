"""The comparator: ``python -m strangler.comparator --state DIR``; started by the supervisor."""

import argparse
import logging
import sys
from pathlib import Path

import uvloop

from strangler.comparator.process import serve
from strangler.model.errors import StranglerError


def main() -> int:
    """Parse the arguments that the supervisor gives, and compare; return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m strangler.comparator", description=__doc__)
    parser.add_argument("--state", type=Path, required=True, help="folder of the sockets, the snapshot and the ledger")
    parser.add_argument("--control-wait", type=float, default=10.0, help="seconds before the snapshot on disk is used")
    arguments = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="comparator: %(levelname)s: %(message)s")
    try:
        uvloop.run(serve(arguments.state, arguments.control_wait))
    except StranglerError as error:
        print(f"comparator: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
