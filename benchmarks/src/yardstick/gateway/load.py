"""The load: wrk with a browser's headers, over keep-alive connections, with a few different session cookies."""

import re
import subprocess
from dataclasses import dataclass

SESSIONS = ("alder-1", "birch-2", "cedar-3", "dogwood-4")
"""One wrk each: it has no other way to vary a header without a script, which would cost time of its own."""
TARGET = "/api/products/7"
HEADERS = (
    "Connection: keep-alive",
    'sec-ch-ua: "Chromium";v="142", "Not_A Brand";v="99"',
    "sec-ch-ua-mobile: ?0",
    'sec-ch-ua-platform: "Linux"',
    "User-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36",
    "Accept: application/json, text/plain, */*",
    "Sec-Fetch-Site: same-origin",
    "Sec-Fetch-Mode: cors",
    "Sec-Fetch-Dest: empty",
    "Referer: http://shop.example/products?page=2",
    "Accept-Encoding: gzip, deflate, br, zstd",
    "Accept-Language: en-GB,en;q=0.9,de;q=0.7",
)
"""With Host and Cookie, as many as Chromium sends."""


@dataclass(frozen=True, slots=True)
class Counted:
    """What wrk counted."""

    requests: int
    errors: int
    """Connections that failed, requests that timed out, answers above 399."""
    seconds: float

    def __add__(self, other: "Counted") -> "Counted":
        return Counted(self.requests + other.requests, self.errors + other.errors, max(self.seconds, other.seconds))


def load(port: int, *, seconds: float, connections: int, core: int) -> Counted:
    """Load a proxy; return the sum of what was counted. ``connections`` is rounded to a multiple of the sessions."""
    each = max(1, round(connections / len(SESSIONS)))
    command = ["taskset", "--cpu-list", str(core), "wrk", "--threads", "1", "--connections", str(each)]
    command += ["--duration", f"{round(seconds)}s", "--timeout", "10s"]
    for header in HEADERS:
        command += ["--header", header]
    started = [
        subprocess.Popen(
            [*command, "--header", f"Cookie: theme=dark; session={session}", f"http://127.0.0.1:{port}{TARGET}"],
            stdout=subprocess.PIPE,
            text=True,
        )
        for session in SESSIONS
    ]
    total = Counted(0, 0, 0.0)
    for process in started:
        output, _ = process.communicate()
        total += parse(output)
    return total


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
