"""Start a program on a free port, wait until it says that it is ready, and end it with everything it started."""

import contextlib
import os
import random
import signal
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import psutil

_POLL = 0.03  # seconds between two looks at something that is about to happen
_TAIL = 8_000  # characters of a program's output worth showing in a failure
# Below the ports of outgoing connections (Linux: 32768 up), any of which could be taken between our look at a port
# and the program's bind.
_PORTS = range(20_000, 32_768)
_handed_out: set[int] = set()


class ProcessFailedError(AssertionError):
    """A program did not become ready, or did not end when told to. The message carries its output."""


def free_port(host: str = "127.0.0.1") -> int:
    """Return a TCP port that nobody listens on and that this process has not handed out before."""
    for _ in range(1000):
        port = random.choice(_PORTS)
        if port in _handed_out:
            continue
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((host, port))
            except OSError:
                continue
        _handed_out.add(port)
        return port
    raise ProcessFailedError(f"no free port on {host} between {_PORTS.start} and {_PORTS.stop}")


@dataclass(frozen=True, slots=True)
class Running:
    """A started program. Its standard output and error go, interleaved, to the file `log`."""

    name: str
    popen: "subprocess.Popen[bytes]"
    log: Path

    @property
    def pid(self) -> int:
        return self.popen.pid

    def output(self) -> str:
        """Return the end of what the program has printed so far."""
        return self.log.read_text(errors="replace")[-_TAIL:]

    def alive(self) -> bool:
        return self.popen.poll() is None

    def children(self) -> list[psutil.Process]:
        """Return every living descendant."""
        try:
            return psutil.Process(self.pid).children(recursive=True)
        except psutil.NoSuchProcess:
            return []

    def signal(self, number: signal.Signals) -> None:
        self.popen.send_signal(number)

    def wait(self, seconds: float) -> int:
        """Wait until the program ends and return its exit code; raise ProcessFailedError if it does not."""
        try:
            return self.popen.wait(seconds)
        except subprocess.TimeoutExpired:
            raise ProcessFailedError(self._told(f"still runs after {seconds:g} s")) from None

    def wait_ready(self, url: str, seconds: float = 30.0) -> None:
        """Ask `url` until it answers 200. Fails at once when the program ends, and after `seconds` otherwise."""
        deadline = time.monotonic() + seconds
        last = "it was never asked"
        while time.monotonic() < deadline:
            if not self.alive():
                raise ProcessFailedError(self._told(f"ended with {self.popen.returncode} before it was ready"))
            try:
                with urllib.request.urlopen(url, timeout=2) as answer:
                    if answer.status == 200:
                        return
                    last = f"{url} answers {answer.status}"
            except urllib.error.HTTPError as error:
                with error:
                    last = f"{url} answers {error.code}: {error.read(500)!r}"
            except OSError as error:
                last = f"{url}: {error}"
            time.sleep(_POLL)
        raise ProcessFailedError(self._told(f"not ready after {seconds:g} s ({last})"))

    def stop(self, seconds: float = 15.0) -> int:
        """Send SIGTERM, wait for the program and all it started, and return the exit code.

        Whatever is left after `seconds` is killed, and ProcessFailedError names it.
        """
        family = self.children()
        if self.alive():
            self.signal(signal.SIGTERM)
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.popen.wait(seconds)
        _, left = psutil.wait_procs([child for child in family if _lives(child)], timeout=min(seconds, 5.0))
        left = [child for child in left if _lives(child)]
        stubborn = self.alive()
        if not stubborn and not left:
            return self.popen.returncode
        names = [f"{child.pid} {' '.join(_command(child))}" for child in left]
        self.kill()
        for child in left:
            with contextlib.suppress(psutil.NoSuchProcess):
                child.kill()
        if stubborn:
            names.insert(0, f"{self.pid} itself")
        raise ProcessFailedError(self._told(f"did not end within {seconds:g} s of SIGTERM: {'; '.join(names)}"))

    def kill(self) -> None:
        """Send SIGKILL and reap."""
        self.popen.kill()
        self.popen.wait()

    def _told(self, what: str) -> str:
        return f"{self.name} {what}\n--- its output ---\n{self.output()}"


def start(
    name: str,
    command: Sequence[str | Path],
    *,
    log: Path,
    env: Mapping[str, str] | None = None,
    cwd: Path | None = None,
    pass_fds: Sequence[int] = (),
) -> Running:
    """Start `command` in a session of its own, with `env` on top of this process's environment. The caller ends it."""
    with log.open("ab") as sink:
        popen = subprocess.Popen(
            [str(part) for part in command],
            stdin=subprocess.DEVNULL,
            stdout=sink,
            stderr=subprocess.STDOUT,
            env={**os.environ, "PYTHONUNBUFFERED": "1", **(env or {})},
            cwd=cwd,
            pass_fds=pass_fds,
            start_new_session=True,
        )
    return Running(name, popen, log)


@contextlib.contextmanager
def running(
    name: str,
    command: Sequence[str | Path],
    *,
    log: Path,
    ready: str | None = None,
    env: Mapping[str, str] | None = None,
    cwd: Path | None = None,
    ready_within: float = 60.0,
    stop_within: float = 15.0,
) -> Iterator[Running]:
    """Run `command` for the length of a `with` block, from the first 200 of the URL `ready` to its end by SIGTERM.

    A failure inside the block carries the program's output as a note. A program that has already ended is no error.
    """
    process = start(name, command, log=log, env=env, cwd=cwd)
    try:
        if ready is not None:
            process.wait_ready(ready, ready_within)
        yield process
    except BaseException as error:
        error.add_note(f"--- output of {name} ---\n{process.output()}")
        with contextlib.suppress(ProcessFailedError):  # the first failure is the one to show
            process.stop(stop_within)
        raise
    process.stop(stop_within)


def _lives(process: psutil.Process) -> bool:
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def _command(process: psutil.Process) -> list[str]:
    try:
        return process.cmdline()
    except psutil.Error:
        return ["?"]
