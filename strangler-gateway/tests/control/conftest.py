"""Peers of control for its tests: workers and a supervisor that speak the real link, and control as a real process."""

import contextlib
import socket
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest

from strangler.link.codec import FrameReader, encode
from strangler.model.flag import Kill
from strangler.model.messages import (
    PROTOCOL,
    Ack,
    Hello,
    KillEvent,
    KillEventsRequest,
    KillReply,
    KillRequest,
    Message,
    Roster,
    RosterRequest,
    Slot,
    SnapshotPush,
)
from support.postgresql import PostgreSQL, postgresql
from support.processes import Running, free_port, running

CONFIG = """\
monolith: http://127.0.0.1:9001
upstreams:
  catalog: {endpoints: [http://127.0.0.1:9002]}
routes:
  - {name: products-list, match: {path: /api/products, methods: [GET]}, module: catalog, service: catalog}
  - {name: products-get, match: {path: "/api/products/{id}", methods: [GET]}, module: catalog, service: catalog,
     sticky: [header:X-User]}
  - {name: products-import, match: {path: /api/products/import}, module: catalog}
  - {name: legacy, match: {prefix: /legacy}, module: old}
"""


def until(condition: Callable[[], Any], what: str, seconds: float = 10.0) -> Any:
    """What ``condition`` returns, once that is true; fails naming ``what`` otherwise."""
    deadline = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < deadline, f"not within {seconds:g} s: {what}"
        time.sleep(0.005)
    return found


class Peer:
    """One connection of the control link, read by a thread."""

    def __init__(self, sock: socket.socket, on_message: Callable[["Peer", Message], None]) -> None:
        self.sock = sock
        self.heard: list[Message] = []
        self.ended = threading.Event()
        self._on_message = on_message
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()

    def send(self, message: Message) -> None:
        self.sock.sendall(encode(message))

    def close(self) -> None:
        with contextlib.suppress(OSError):
            self.sock.shutdown(socket.SHUT_RDWR)
        if threading.current_thread() is not self._thread:
            self._thread.join(5)
        self.sock.close()

    def of(self, kind: type) -> list[Any]:
        return [message for message in self.heard if isinstance(message, kind)]

    def _read(self) -> None:
        frames = FrameReader()
        with contextlib.suppress(OSError):
            while data := self.sock.recv(65536):
                for message in frames.feed(data):
                    self.heard.append(message)
                    self._on_message(self, message)
        self.ended.set()


@dataclass
class Workers:
    """Makes workers for one state folder."""

    state: Path
    peers: list[Peer] = field(default_factory=list)

    def join(
        self,
        slot: int,
        *,
        revision: int = 0,
        acknowledge: bool = True,
        delay: float = 0.0,
        error: str = "",
        protocol: int = PROTOCOL,
        pid: int | None = None,
        role: str = "worker",
    ) -> Peer:
        """Connect as the worker of ``slot``; it answers every push unless told otherwise."""

        def answer(peer: Peer, message: Message) -> None:
            if isinstance(message, SnapshotPush) and acknowledge:
                time.sleep(delay)
                peer.send(Ack(message.snapshot.revision, error))

        sock = socket.socket(socket.AF_UNIX)
        sock.connect(str(self.state / "control.sock"))
        peer = Peer(sock, answer)
        self.peers.append(peer)
        peer.send(Hello(role, 1000 + slot if pid is None else pid, slot, revision, protocol))
        return peer


class Supervisor:
    """Listens where the supervisor does; keeps kills as it does, in memory."""

    def __init__(self, state: Path, slots: int) -> None:
        self.slots = [Slot(slot, 1000 + slot, True, 0, 0) for slot in range(slots)]
        self.kills: dict[str, Kill] = {}
        self.events: list[KillEvent] = []
        self.replays_everything = False
        self.answers_kills = True
        self.peers: list[Peer] = []
        self._sock = socket.socket(socket.AF_UNIX)
        self._sock.bind(str(state / "supervisor.sock"))
        self._sock.listen()
        self._thread = threading.Thread(target=self._accept, daemon=True)
        self._thread.start()

    def roster(self) -> Roster:
        return Roster(tuple(self.slots), tuple(self.kills.values()), 1)

    def tell(self, message: Message) -> None:
        for peer in self.peers:
            with contextlib.suppress(OSError):
                peer.send(message)

    def record(self, routes: tuple[str, ...], author: str, reason: str, *, lift: bool = False) -> None:
        at = "2026-11-22T10:00:00.000Z"
        event = KillEvent(len(self.events) + 1, at, routes, author, reason, lift)
        self.events.append(event)
        for route in routes:
            if lift:
                self.kills.pop(route, None)
            else:
                self.kills[route] = Kill(route, author, reason, at)
        self.tell(event)
        self.tell(self.roster())

    def hang_up(self) -> None:
        while self.peers:
            self.peers.pop().close()

    def close(self) -> None:
        with contextlib.suppress(OSError):
            self._sock.shutdown(socket.SHUT_RDWR)
        self._sock.close()
        self._thread.join(5)
        self.hang_up()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                sock, _ = self._sock.accept()
                self.peers.append(Peer(sock, self._answer))

    def _answer(self, peer: Peer, message: Message) -> None:
        match message:
            case RosterRequest():
                peer.send(self.roster())
            case KillEventsRequest():
                after = 0 if self.replays_everything else message.after
                for event in self.events[after:]:
                    peer.send(event)
            case KillRequest() if self.answers_kills:
                self.record(message.routes, message.author, message.reason, lift=message.lift)
                peer.send(KillReply(len(self.events), tuple(self.kills.values()), (), 0.001))
            case _:
                pass


@dataclass
class Control:
    """A control process with its API."""

    process: Running
    api: httpx.Client
    state: Path
    config: Path

    def get(self, path: str, **params: Any) -> Any:
        response = self.api.get(f"/api/v1{path}", params=params)
        assert response.status_code == 200, response.text
        return response.json()

    def flip(self, target: str, stage: str, **more: Any) -> httpx.Response:
        body = {"target": target, "stage": stage, "author": "maria", "reason": "a test", **more}
        return self.api.post("/api/v1/flips", json=body)

    def revision(self) -> int:
        return int(self.get("/status")["revision"])

    def stages(self) -> dict[str, str]:
        return {item["name"]: item["stage"] for item in self.get("/routes")["items"]}


def control_command(state: Path, config: Path, admin: str, store: str | None = None) -> list[str]:
    command = [
        sys.executable,
        "-m",
        "strangler.control",
        "--config",
        str(config),
        "--state",
        str(state),
        "--admin",
        admin,
    ]
    return [*command, "--store", store] if store else command


@contextlib.contextmanager
def control_process(folder: Path, *, config: str | None = CONFIG, store: str | None = None) -> Iterator[Control]:
    """Run control on ``folder`` for the length of a block; ``config`` None keeps the file that is there."""
    state, file = folder / "state", folder / "strangler.yaml"
    state.mkdir(exist_ok=True)
    if config is not None:
        file.write_text(config)
    address = f"127.0.0.1:{free_port()}"
    command = control_command(state, file, address, store)
    with (
        running("control", command, log=folder / "control.log", ready=f"http://{address}/readyz") as process,
        httpx.Client(base_url=f"http://{address}", timeout=15, trust_env=False) as api,
    ):
        yield Control(process, api, state, file)


@pytest.fixture
def control(tmp_path: Path) -> Iterator[Control]:
    """A control process of its own, without a supervisor."""
    with control_process(tmp_path) as control:
        yield control


@pytest.fixture
def supervisor(tmp_path: Path) -> Iterator[Supervisor]:
    """A supervisor of two slots on ``tmp_path``'s state folder."""
    (tmp_path / "state").mkdir(exist_ok=True)
    supervisor = Supervisor(tmp_path / "state", slots=2)
    yield supervisor
    supervisor.close()


@pytest.fixture
def workers(tmp_path: Path) -> Iterator[Workers]:
    """Makes workers on ``tmp_path``'s state folder."""
    workers = Workers(tmp_path / "state")
    yield workers
    for peer in workers.peers:
        peer.close()


@pytest.fixture(scope="session")
def database_server() -> Iterator[PostgreSQL]:
    """A PostgreSQL for all tests of control."""
    with postgresql() as server:
        yield server


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgresql)])
def store_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The URL of an empty database, one of each kind."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'store.db'}"
        return
    server: PostgreSQL = request.getfixturevalue("database_server")
    yield server.create_database("control")
    server.drop_database("control")


@pytest.fixture(name="until", scope="session")
def until_fixture() -> Callable[..., Any]:
    """Waits for a condition, bounded."""
    return until


@pytest.fixture(scope="session")
def start_control() -> Callable[..., contextlib.AbstractContextManager[Control]]:
    """Starts control as often as a test wants, on a folder of the test's choice."""
    return control_process


@pytest.fixture(name="control_command", scope="session")
def control_command_fixture() -> Callable[..., list[str]]:
    """Makes the command line of a control process."""
    return control_command
