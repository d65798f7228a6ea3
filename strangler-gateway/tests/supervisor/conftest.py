"""A gateway of stand-ins: a real supervisor with real child processes, and a small client for its link."""

import asyncio
import contextlib
import json
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

import pytest

from strangler.link.stream import connect
from strangler.model.messages import Hello, Message, Roster, RosterRequest
from support.processes import Running, free_port, start

M = TypeVar("M", bound=Message)
RUN_GATEWAY = Path(__file__).parent / "run_gateway.py"


@dataclass
class StandInGateway:
    """One supervisor with ``workers`` stand-in workers, on ports of its own."""

    state: Path
    workers: int = 2
    grace: float = 2.0
    patience: float = 30.0
    stop_delay: float = 0.0
    listen: int = field(default_factory=free_port)
    admin: int = field(default_factory=free_port)
    health: int = field(default_factory=free_port)
    process: Running | None = None

    def start(self) -> Running:
        self.state.mkdir(exist_ok=True)
        numbers = (self.listen, self.admin, self.health, self.workers, self.grace, self.patience, self.stop_delay)
        self.process = start(
            "gateway", [sys.executable, RUN_GATEWAY, self.state, *map(str, numbers)], log=self.state / "log"
        )
        return self.process

    def start_ready(self) -> Running:
        process = self.start()
        process.wait_ready(self.url(self.health, "/readyz"))
        return process

    def url(self, port: int, path: str = "/") -> str:
        return f"http://127.0.0.1:{port}{path}"

    def get(self, port: int, path: str = "/") -> tuple[int, dict[str, object]]:
        try:
            with urllib.request.urlopen(self.url(port, path), timeout=5) as answer:
                return answer.status, json.load(answer)
        except urllib.error.HTTPError as error:
            with error:
                return error.code, json.load(error)

    def ask(self, *requests: Message, answer: type[M], greet: bool = True) -> M:
        """Say Hello and ``requests`` on the supervisor's socket; return the first message of the type ``answer``."""

        async def exchange() -> M:
            async with asyncio.timeout(10):
                link = await connect(self.state / "supervisor.sock")
                try:
                    if greet:
                        link.send(Hello("cli", 0))
                    for request in requests:
                        link.send(request)
                    async for message in link.receive():
                        if isinstance(message, answer):
                            return message
                finally:
                    link.close()
            raise AssertionError("the supervisor closed without an answer")

        return asyncio.run(exchange())

    def roster(self) -> Roster:
        return self.ask(RosterRequest(), answer=Roster)


@pytest.fixture
def gateway(tmp_path: Path) -> Iterator[StandInGateway]:
    """Not started yet; whatever runs at the test's end is ended, and must then leave nothing behind."""
    gateway = StandInGateway(tmp_path / "state")
    try:
        yield gateway
    finally:
        if gateway.process is not None:
            (gateway.state / "stubborn").unlink(missing_ok=True)
            gateway.process.stop()


def eventually(condition: Callable[[], bool], seconds: float = 10.0) -> None:
    """Wait until ``condition`` holds; a refused connection is a no."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        with contextlib.suppress(OSError):
            if condition():
                return
        time.sleep(0.02)
    raise AssertionError(f"it did not become true within {seconds:g} s")
