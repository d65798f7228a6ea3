"""As many requests as a server answers: wrk over kept connections, one request at a time on each (a closed loop).

It says how much a server can do, and nothing of latency: whoever waits for an answer before asking again asks least
when the server is slowest.
"""

import contextlib
import json
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil
from pathlib import Path

from strangler.model.errors import StranglerError

_SCRIPT = Path(__file__).with_name("requests.lua")


class NoLoad(StranglerError):
    """There is nothing to make load with."""


@dataclass(frozen=True, slots=True)
class Saturation:
    """What wrk counted."""

    requests: int
    errors: int
    """Connections that failed, requests without an answer in time, answers above 399."""
    seconds: float

    @property
    def rate(self) -> float:
        """Requests per second."""
        return self.requests / self.seconds if self.seconds else 0.0


def find_wrk() -> str:
    """The path of wrk. Raises ``NoLoad``."""
    found = shutil.which("wrk")
    if found is None:
        raise NoLoad("wrk, which makes the load, is not installed; `apt-get install wrk` or `brew install wrk`")
    return found


def saturate(
    authority: str, requests: Sequence[bytes], *, seconds: float, connections: int, core: int | None = None
) -> Saturation:
    """Load the server at ``host:port`` for so many seconds, or up to 0.1 more. ``core``: where wrk runs. Raises
    ``NoLoad``."""
    with tempfile.NamedTemporaryFile(prefix="strangler-bench-") as file:
        for request in requests:
            file.write(b"%d\n%s" % (len(request), request))
        file.flush()
        command = [find_wrk(), "--threads", "1", "--connections", str(connections), "--timeout", "10s"]
        # It counts in whole seconds, and sums up early when it is interrupted.
        command += ["--duration", f"{ceil(seconds) + 1}s", "--script", str(_SCRIPT), f"http://{authority}/", "--"]
        command.append(file.name)
        if core is not None:
            command = ["taskset", "--cpu-list", str(core), *command]
        with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as wrk:  # noqa: S603
            assert wrk.stdout is not None
            begun = wrk.stdout.readline()
            with contextlib.suppress(subprocess.TimeoutExpired):
                wrk.wait(seconds)
            wrk.send_signal(signal.SIGINT)
            output, said = wrk.communicate()
    return parsed(begun + output, said)


def parsed(output: str, said: str = "") -> Saturation:
    """What the script prints in the end. Raises ``NoLoad`` with what wrk said where there is no such line."""
    line = output.rstrip().rpartition("\n")[2]
    if not line.startswith('{"requests"'):
        raise NoLoad(f"wrk gave no counts; it said: {(said or output).strip()[-300:]}")
    counts = json.loads(line)
    errors = sum(counts[name] for name in ("connect", "read", "write", "timeout", "status"))
    return Saturation(counts["requests"], errors, counts["microseconds"] / 1e6)
