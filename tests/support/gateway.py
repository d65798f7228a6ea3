"""The whole gateway for a test: ``strangler serve`` on free ports, with its admin API and its processes at hand.

A ``Place`` outlives the gateways that are started at it: the second one finds the ports and the state of the first.
"""

import contextlib
import http.client
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import psutil

from strangler.cli.supervisor_client import SupervisorClient
from strangler.model.messages import Roster, Slot
from strangler.supervisor.state_folder import StateFolder
from support import processes
from support.raw_http import wait_until

BIN = Path(sys.executable).parent
SOCKETS = ("control.sock", "supervisor.sock")


@dataclass(frozen=True, slots=True)
class Place:
    """Three ports, a folder for logs and configuration, and a state folder whose name is short enough for sockets."""

    folder: Path
    state: Path
    listen: int = field(default_factory=processes.free_port)
    admin: int = field(default_factory=processes.free_port)
    health: int = field(default_factory=processes.free_port)

    @property
    def config(self) -> Path:
        return self.folder / "strangler.yaml"

    @property
    def options(self) -> list[str]:
        """What ``strangler serve`` and ``strangler up`` have to be told to live here."""
        ports = {"--listen": self.listen, "--admin": self.admin, "--health": self.health}
        options = [f"{name}=127.0.0.1:{port}" for name, port in ports.items()]
        return ["--config", str(self.config), "--state", str(self.state), *options]


@contextlib.contextmanager
def place(folder: Path) -> Iterator[Place]:
    """Somewhere for a gateway; what it keeps there is removed at the end of the block."""
    state = Path(tempfile.mkdtemp(prefix="gateway-"))
    try:
        yield Place(folder, state)
    finally:
        shutil.rmtree(state, ignore_errors=True)


class Gateway:
    """A running gateway."""

    def __init__(self, here: Place, process: processes.Running) -> None:
        self.place = here
        self.process = process
        self.url = f"http://127.0.0.1:{here.listen}"
        self.ready_url = f"http://127.0.0.1:{here.health}/readyz"
        self.admin = httpx.Client(base_url=f"http://127.0.0.1:{here.admin}/api/v1", timeout=15, trust_env=False)

    # What an operator does

    def flip(self, target: str, stage: str, **more: Any) -> dict[str, Any]:
        """``POST /flips``; more: weight, cohorts, reason, author."""
        order = {"target": target, "stage": stage, "reason": "a test", "author": "tests", **more}
        return _document(self.admin.post("/flips", json=order))

    def kill(self, target: str, **more: Any) -> dict[str, Any]:
        """``POST /kills``; more: lift, reason, author."""
        order = {"target": target, "reason": "a test", "author": "tests", **more}
        return _document(self.admin.post("/kills", json=order))

    def hold(self, module: str, **more: Any) -> dict[str, Any]:
        """``POST /holds``; more: seconds, max, drain_within, keep, reason, author."""
        order = {"module": module, "reason": "a test", "author": "tests", **more}
        return _document(self.admin.post("/holds", json=order))

    def release(self, module: str, **more: Any) -> dict[str, Any]:
        """``POST /holds/release``; more: reason, author."""
        order = {"module": module, "reason": "a test", "author": "tests", **more}
        return _document(self.admin.post("/holds/release", json=order))

    def get(self, path: str, **query: Any) -> dict[str, Any]:
        """A document of the admin API: status, routes, history …"""
        return _document(self.admin.get(path, params=query))

    def command(self, *arguments: str) -> "subprocess.CompletedProcess[str]":
        """Run ``strangler`` with this gateway's state folder."""
        return command(*arguments, env={"STRANGLER_STATE": str(self.place.state)})

    def in_flight(self) -> int:
        """Requests under way in all workers, as they said last."""
        page = self.admin.get(f"http://127.0.0.1:{self.place.admin}/metrics").text
        name = "strangler_worker_requests_in_flight{"
        return sum(round(float(line.split()[-1])) for line in page.splitlines() if line.startswith(name))

    # What a client does

    def ask(self, target: str, **headers: str) -> dict[str, Any]:
        """GET over a connection of its own; the JSON that a stub answers. ``X_User`` stands for ``X-User``."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return _document(httpx.get(self.url + target, headers=named, timeout=15, trust_env=False))

    # Who works here

    def roster(self) -> Roster:
        """What the supervisor says; it needs no control."""
        return SupervisorClient(StateFolder(self.place.state)).roster()

    def is_anew(self, then: Roster) -> bool:
        """Whether every worker is another process than it was then, and accepts."""
        now = self.roster()
        return all(new.ready and new.pid != old.pid for new, old in zip(now.slots, then.slots, strict=True))

    def slot(self, number: int) -> Slot:
        return self.roster().slots[number]

    def family(self) -> list[psutil.Process]:
        """Every process of it."""
        return [psutil.Process(self.process.pid), *self.process.children()]

    def accepted(self) -> dict[int, int]:
        """The slot whose worker has accepted a connection, by the client's port; what still waits is not among them."""
        return {
            connection.raddr.port: slot.slot
            for slot in self.roster().slots
            for connection in psutil.Process(slot.pid).net_connections("tcp")
            if connection.raddr and connection.laddr.port == self.place.listen
        }

    def owners(self, ports: Sequence[int]) -> list[int]:
        """The slots whose workers have the connections from these client ports; waits until all are accepted."""
        accepted: dict[int, int] = {}

        def are_accepted() -> bool:
            accepted.update(self.accepted())
            return accepted.keys() >= set(ports)

        wait_until(are_accepted, "the connections are accepted")
        return [accepted[port] for port in ports]

    @contextlib.contextmanager
    def connection_to_each_worker(self) -> "Iterator[list[http.client.HTTPConnection]]":
        """One kept connection to every worker, in the order of slots."""
        found: dict[int, http.client.HTTPConnection] = {}
        spare = []
        slots = [slot.slot for slot in self.roster().slots]
        try:
            while len(found) < len(slots):
                connection = http.client.HTTPConnection("127.0.0.1", self.place.listen, timeout=15)
                spare.append(connection)
                connection.connect()
                (slot,) = self.owners([connection.sock.getsockname()[1]])
                found.setdefault(slot, connection)
            yield [found[slot] for slot in slots]
        finally:
            for connection in spare:
                connection.close()

    def wait_for_control(self, within: float = 30.0) -> None:
        """Wait until control answers, knows its supervisor, and has every worker on the line."""

        def complete() -> bool:
            try:
                status = self.get("/status")
            except httpx.TransportError:
                return False
            workers = status["workers"]
            return status["supervisor"] == "connected" and all(
                worker["ready"] and worker["revision"] == status["revision"] for worker in workers
            )

        wait_until(complete, "control has all its workers", within)

    def wait_for_comparator(self, within: float = 30.0) -> None:
        """Wait until the comparator has its line to control; it is the last to be started."""
        wait_until(lambda: self.get("/status")["comparator"] == "connected", "the comparator is there", within)


@contextlib.contextmanager
def serving(here: Place, config: str | None = None, *, env: Mapping[str, str] | None = None) -> Iterator[Gateway]:
    """Run ``strangler serve`` at a place for the length of a ``with`` block, from ready to its end by SIGTERM.

    Without ``config`` it starts with the file that is there. One that ended in order may leave nothing behind.
    """
    if config is not None:
        here.config.write_text(config)
    with running("serve", here, env=env) as gateway:
        yield gateway
    left = [name for name in (*SOCKETS, "run.json") if (here.state / name).exists()]
    assert gateway.process.popen.returncode or not left, f"the gateway has ended and left {left}"


@contextlib.contextmanager
def running(
    verb: str, here: Place, *, env: Mapping[str, str] | None = None, cwd: Path | None = None, within: float = 30.0
) -> Iterator[Gateway]:
    """Run ``strangler VERB`` at a place until the end of the block."""
    process = processes.running(
        f"strangler {verb}",
        [BIN / "strangler", verb, *here.options],
        log=here.folder / f"{verb}.log",
        ready=f"http://127.0.0.1:{here.health}/readyz",
        env=env,
        cwd=cwd,
        ready_within=within,
    )
    with process as started:
        gateway = Gateway(here, started)
        with gateway.admin:
            gateway.wait_for_control()
            yield gateway


def command(*arguments: str, env: Mapping[str, str] | None = None) -> "subprocess.CompletedProcess[str]":
    """Run ``strangler`` to its end."""
    return subprocess.run(
        [BIN / "strangler", *arguments],
        env={**os.environ, "NO_COLOR": "1", **(env or {})},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def sole(answer: "subprocess.CompletedProcess[str]") -> dict[str, Any]:
    """The document that a command printed with ``--json``; it must have succeeded."""
    assert answer.returncode == 0, answer
    found: dict[str, Any] = json.loads(answer.stdout)
    return found


def paused(process: int) -> "contextlib.AbstractContextManager[None]":
    """Hold a process still for the length of a ``with`` block."""
    return _paused(psutil.Process(process))


@contextlib.contextmanager
def _paused(process: psutil.Process) -> Iterator[None]:
    process.send_signal(signal.SIGSTOP)
    wait_until(lambda: process.status() == psutil.STATUS_STOPPED, f"process {process.pid} stands still")
    try:
        yield
    finally:
        with contextlib.suppress(psutil.NoSuchProcess):
            process.send_signal(signal.SIGCONT)


def _document(answer: httpx.Response) -> dict[str, Any]:
    assert answer.status_code == 200, (answer.status_code, answer.text)
    found: dict[str, Any] = answer.json()
    return found
