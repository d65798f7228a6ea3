"""The one result that a branch may require: good only if every job that it needs has succeeded, or had nothing to do.

NEEDS holds the results, as GitHub Actions writes them: {"job": {"result": "success"}}. Where the engine itself starts
the gate only behind jobs that succeeded, `ci/gate reached` says so.
"""

import json
import os
import sys
from collections.abc import Mapping, Sequence

GOOD = {"success", "skipped"}
MUST_RUN = ("affected", "checks")
"""What decides which jobs there are must not be missing: then all others are skipped."""


def failures(results: Mapping[str, str]) -> list[str]:
    """The jobs for which the gate stays shut."""
    return [
        name for name, result in results.items() if result not in GOOD or (result == "skipped" and name in MUST_RUN)
    ]


def main(arguments: Sequence[str] | None = None) -> int:
    """``ci/gate [reached]``."""
    if list(sys.argv[1:] if arguments is None else arguments) == ["reached"]:
        sys.stdout.write("all jobs before the gate have succeeded\n")
        return 0
    try:
        results = {name: str(job["result"]) for name, job in json.loads(os.environ.get("NEEDS", "")).items()}
    except (ValueError, TypeError, KeyError, AttributeError):
        results = {}
    if not results:
        sys.stderr.write("gate: NEEDS does not hold the results of any job\n")
        return 2
    shut = failures(results)
    sys.stdout.writelines(
        f"{name}: {result}{', and so no' if name in shut else ''}\n" for name, result in results.items()
    )
    return 1 if shut else 0
