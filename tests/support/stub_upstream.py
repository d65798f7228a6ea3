"""An upstream that does as it is told: a small, fast HTTP/1.1 server in a process of its own, which logs every request.

It answers any path with ``{"arm", "path", "request_id"}``; the first segment of some paths asks for a behaviour
instead: see ``BEHAVIOURS`` in ``stub_behaviours``. It knows nothing of the gateway that it is used to test.
"""

import argparse
import asyncio
import contextlib
import json
import os
import signal
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import uvloop

from support import processes
from support.stub_behaviours import behave, body_sha256
from support.stub_connection import READY, Connection, Settings

__all__ = ["Logged", "StubUpstream", "body_sha256", "stub_upstream"]


@dataclass(frozen=True, slots=True)
class Logged:
    """One line of the access log."""

    arrival: float
    """``time.time()`` at the request's first byte."""
    monotonic: float
    """``time.monotonic()`` at the same moment; comparable between processes of one machine."""
    arm: str
    method: str
    target: str
    request_id: str
    subject: dict[str, str]
    """Those of the headers X-User and Cookie that were present, by lower-case name."""
    status: int
    """0 when no head was sent."""
    ended: float
    """``time.monotonic()`` when the head of the answer was sent, which for most behaviours is its end."""


@dataclass(frozen=True, slots=True)
class StubUpstream:
    """A running stub: where it listens, and what it was asked."""

    arm: str
    host: str
    port: int
    access_log: Path
    process: processes.Running

    @property
    def url(self) -> str:
        return f"http://{self.host}:{self.port}"

    def requests(self) -> list[Logged]:
        """Return all requests that it has answered, or begun to answer, in the order of their answers."""
        return [Logged(**json.loads(line)) for line in self.access_log.read_text().splitlines()]


@contextlib.contextmanager
def stub_upstream(
    arm: str, folder: Path, *, port: int = 0, keep_alive: float = 75.0, name: str | None = None
) -> Iterator[StubUpstream]:
    """Run a stub for the length of a ``with`` block; its logs go to ``folder``.

    ``keep_alive`` is how many seconds an idle connection is kept. With a ``port`` other than 0 a test starts a stub
    again where an earlier one was; the access log is then continued.
    """
    name = name or f"stub-{arm}"
    port = port or processes.free_port()
    access_log = folder / f"{name}.access.jsonl"
    command: list[str | Path] = [sys.executable, "-m", "support.stub_upstream"]
    command += ["--arm", arm, "--port", str(port), "--log", access_log, "--keep-alive", str(keep_alive)]
    with processes.running(
        name,
        command,
        log=folder / f"{name}.log",
        ready=f"http://127.0.0.1:{port}{READY}",
        env={"PYTHONPATH": str(Path(__file__).parents[1])},
    ) as process:
        yield StubUpstream(arm, "127.0.0.1", port, access_log, process)


async def _serve(arguments: argparse.Namespace) -> None:
    loop = asyncio.get_running_loop()
    log = os.open(arguments.log, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
    settings = Settings(arguments.arm, log, arguments.keep_alive, behave)
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    server = await loop.create_server(lambda: Connection(settings), arguments.host, arguments.port, backlog=4096)
    await stop.wait()
    server.close()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--arm", required=True)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--log", required=True)
    parser.add_argument("--keep-alive", type=float, default=75.0)
    uvloop.run(_serve(parser.parse_args()))


if __name__ == "__main__":
    main()
