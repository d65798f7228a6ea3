"""The load: wrk with the requests of ``requests.lua`` over keep-alive connections, one at a time on each."""

import re
import subprocess
from dataclasses import dataclass
from pathlib import Path

from yardstick.gateway.scenarios import Asked

USERS = 64
"""Of the script too."""
REQUESTS = Path(__file__).with_name("requests.lua")


@dataclass(frozen=True, slots=True)
class Load:
    """How a proxy is loaded."""

    connections: int
    asked: Asked
    new_heads: int
    """Percent of the requests whose header section no earlier request had."""
    core: int
    tokens: Path | None = None
    """A file with a token for each user, one a line."""


@dataclass(frozen=True, slots=True)
class Counted:
    """What wrk counted."""

    requests: int
    errors: int
    """Connections that failed, requests that timed out, answers above 399."""
    seconds: float


def apply(load: Load, port: int, seconds: float) -> Counted:
    """Load the proxy on this port; return what was counted."""
    command = ["taskset", "--cpu-list", str(load.core), "wrk", "--threads", "1", "--timeout", "10s"]
    command += ["--connections", str(load.connections), "--duration", f"{round(seconds)}s", "--script", str(REQUESTS)]
    command += [f"http://127.0.0.1:{port}/", "--", str(load.new_heads)]
    command += [load.asked.method, load.asked.target, str(load.asked.body_bytes), str(load.tokens or "-")]
    return parse(subprocess.run(command, stdout=subprocess.PIPE, text=True, check=False).stdout)


def parse(output: str) -> Counted:
    """Read wrk's report. Raises ``ValueError`` on anything else."""
    counted = re.search(r"(\d+) requests in ([\d.]+)(ms|s|m)\b", output)
    if counted is None:
        raise ValueError(f"not a report of wrk: {output!r}")
    requests, length, unit = counted.groups()
    sockets = re.search(r"Socket errors: connect (\d+), read (\d+), write (\d+), timeout (\d+)", output)
    errors = sum(map(int, sockets.groups())) if sockets else 0
    refused = re.search(r"Non-2xx or 3xx responses: (\d+)", output)
    errors += int(refused[1]) if refused else 0
    return Counted(int(requests), errors, float(length) * {"ms": 0.001, "s": 1.0, "m": 60.0}[unit])
