"""Starts proxies in processes of their own on a core of their own, and ends them."""

import contextlib
import os
import random
import signal
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import psutil

from yardstick.gateway.peers import Peer, Place

_STOP_WITHIN = 10.0
_PORTS = range(20_000, 32_768)
"""Below those that Linux gives to outgoing connections, one of which could take a port before the proxy does."""


class NotRunningError(RuntimeError):
    """A proxy did not start; the message carries what it said."""


@dataclass(frozen=True, slots=True)
class Running:
    """A started proxy."""

    peer: Peer
    place: Place
    process: "subprocess.Popen[bytes]"

    @property
    def pid(self) -> int:
        return self.process.pid


@contextlib.contextmanager
def run(peer: Peer, folder: Path, upstream: int, core: int) -> Iterator[Running]:
    """Run a proxy on ``core`` for the length of a ``with`` block, from its first answer on. ``upstream`` is a port."""
    port, *spare = free_ports(3)
    place = Place(folder / peer.name, port, upstream, (spare[0], spare[1]))
    command = peer.command(place)
    peer.configure(place)
    output = place.folder / "output"
    with answering(
        peer.name,
        command,
        port,
        output=output,
        printed=place.log if peer.log_is_stdout else output,
        environment={name: place.fill(value) for name, value in peer.environment.items()},
        core=core,
        within=peer.ready_within,
    ) as process:
        yield Running(peer, place, process)


@contextlib.contextmanager
def answering(
    name: str,
    command: Sequence[str],
    port: int,
    *,
    output: Path,
    printed: Path | None = None,
    environment: Mapping[str, str] | None = None,
    core: int | None = None,
    target: str = "/",
    within: float = 20.0,
) -> "Iterator[subprocess.Popen[bytes]]":
    """Run a program for the length of a ``with`` block, from the first 200 of ``target`` on, and end all it started.

    What it says goes to ``output``, its standard output to ``printed`` where that is named. ``core`` is the only one
    that it runs on. Raises ``NotRunningError`` if it does not answer after ``within`` seconds.
    """
    pinned = [] if core is None else ["taskset", "--cpu-list", str(core)]
    with (printed or output).open("ab") as out, output.open("ab") as err:
        process = subprocess.Popen(
            [*pinned, *command],
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=err,
            env=os.environ | (environment or {}),
            start_new_session=True,
        )
    try:
        if not _answers(process, port, target, within):
            said = output.read_text(errors="replace")[-3000:]
            raise NotRunningError(f"{name} does not answer; it said:\n{said}")
        yield process
    finally:
        stop(process)


def _answers(process: "subprocess.Popen[bytes]", port: int, target: str, within: float) -> bool:
    deadline = time.monotonic() + within
    while time.monotonic() < deadline and process.poll() is None:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1) as connection:
            connection.sendall(f"GET {target} HTTP/1.1\r\nHost: ready\r\nConnection: close\r\n\r\n".encode())
            if connection.recv(100).startswith(b"HTTP/1.1 200"):
                return True
        time.sleep(0.05)
    return False


def stop(process: "subprocess.Popen[bytes]") -> None:
    """End a process and all that it started, by SIGKILL what does not heed SIGTERM."""
    family = [psutil.Process(process.pid)] if process.poll() is None else []
    family += [child for parent in family for child in parent.children(recursive=True)]
    if process.poll() is None:
        process.send_signal(signal.SIGTERM)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(_STOP_WITHIN)
    for left in family:
        with contextlib.suppress(psutil.NoSuchProcess):
            left.kill()
    process.wait()
    psutil.wait_procs(family, timeout=_STOP_WITHIN)


def free_ports(count: int) -> list[int]:
    """Return ports that nobody listens on, all different."""
    found: list[int] = []
    for port in random.sample(_PORTS, len(_PORTS)):
        with contextlib.suppress(OSError), socket.socket() as probe:
            probe.bind(("127.0.0.1", port))
            found.append(port)
        if len(found) == count:
            return found
    raise NotRunningError(f"no {count} free ports between {_PORTS.start} and {_PORTS.stop}")
