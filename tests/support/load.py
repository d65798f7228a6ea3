"""Open-loop HTTP/1.1 load: every request goes out at its scheduled time, whatever the answers do.

Latency counts from the scheduled time, so that waiting which the server causes is not hidden (coordinated omission).
``drive`` runs in a loop that is already there; ``background`` runs in a process of its own, beside a test that acts.
Times are ``time.monotonic()``, which on Linux is the same clock in every process. Nothing is ever sent twice.
"""

import asyncio
import contextlib
import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import asdict, astuple
from pathlib import Path

import uvloop

from support.load_driver import drive
from support.load_values import Plan, Request, Result, Summary, percentile, summarise

__all__ = ["Background", "Plan", "Request", "Result", "Summary", "background", "drive", "percentile", "summarise"]


class Background:
    """Load from a process of its own."""

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        self._process = process
        self._output = ""
        # Read all the time: a full pipe would stop the load.
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def stop(self) -> Summary:
        """Begin no more requests, wait for those in flight."""
        assert self._process.stdin is not None
        with contextlib.suppress(BrokenPipeError):
            self._process.stdin.close()
        return self.wait()

    def wait(self) -> Summary:
        """Wait until the plan is done."""
        self._reader.join()
        code = self._process.wait()
        if code:
            raise RuntimeError(f"the load generator ended with {code}")
        return summarise([Result(*row) for row in json.loads(self._output)])

    def _read(self) -> None:
        assert self._process.stdout is not None
        self._output = self._process.stdout.read()


@contextlib.contextmanager
def background(plan: Plan) -> Iterator[Background]:
    """Load from a process of its own, already under way when the block is entered; what runs at its end is killed."""
    process = subprocess.Popen(
        [sys.executable, "-m", "support.load", json.dumps(asdict(plan))],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[1])},
    )
    with process:
        try:
            assert process.stdout is not None
            assert process.stdout.readline() == _BEGUN, "the load generator did not start"
            yield Background(process)
        finally:
            process.kill()


_BEGUN = "begun\n"


async def _run(plan: Plan) -> Summary:
    """Run a plan until it is done or standard input ends."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()

    def read() -> None:
        if not os.read(sys.stdin.fileno(), 1):
            loop.remove_reader(sys.stdin.fileno())
            stop.set()

    loop.add_reader(sys.stdin.fileno(), read)
    sys.stdout.write(_BEGUN)
    sys.stdout.flush()
    return await drive(plan, stop)


def main() -> None:
    given = json.loads(sys.argv[1])
    requests = tuple(
        Request(**{**request, "headers": tuple(tuple(header) for header in request["headers"])})
        for request in given.pop("requests")
    )
    summary = uvloop.run(_run(Plan(requests=requests, **given)))
    json.dump([astuple(result) for result in summary.results], sys.stdout)


if __name__ == "__main__":
    main()
