"""One real worker process before a test's upstreams; the test plays supervisor and control over the real link."""

import asyncio
import contextlib
import itertools
import json
import shutil
import signal
import socket
import sys
import tempfile
import threading
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeVar

from strangler.link.stream import Link
from strangler.model.flag import Flag, Kill
from strangler.model.hold import Hold
from strangler.model.messages import (
    Ack,
    Hello,
    HoldEnd,
    HoldPush,
    HoldReport,
    KillsAck,
    KillsPush,
    Message,
    SnapshotPush,
    Status,
    Traffic,
)
from strangler.model.route import CATCH_ALL, PathKind, Route, RouteMatch, Timeouts
from strangler.model.snapshot import Gateway, Snapshot
from strangler.model.telemetry import LogSettings
from strangler.model.upstream import Endpoint, Upstream
from strangler.supervisor.compiled import environment
from support import observed_worker, processes, raw_http

T = TypeVar("T")
WAIT = 10.0
"""Seconds in which everything that a test waits for must have happened."""
WORKER = (sys.executable, "-m", "strangler.dataplane")
OBSERVED_WORKER = (sys.executable, observed_worker.__file__)
"""The same, but ``Rig.observe`` can look into its memory."""


def catch_all(upstream: str = "monolith", timeouts: Timeouts = Timeouts()) -> Route:  # noqa: B008 - it is frozen
    """The route that takes what no other takes."""
    return Route(
        CATCH_ALL,
        RouteMatch("/", PathKind.PREFIX),
        module=CATCH_ALL,
        group=CATCH_ALL,
        monolith=upstream,
        timeouts=timeouts,
        strict=False,
    )


def upstream(name: str, *ports: int, **settings: Any) -> Upstream:
    """An upstream on loopback."""
    return replace(Upstream(name, tuple(Endpoint("127.0.0.1", port) for port in ports)), **settings)


@dataclass
class _Peer:
    link: Link
    hello: Hello


class Rig:
    """A running worker. Methods may be called from the test's thread; they wait for the worker's answer."""

    def __init__(self, folder: Path, program: tuple[str, ...] = WORKER, *, compiled: bool = True) -> None:
        self._program = program
        self._environment = environment() if compiled else None
        # Unix socket paths are limited to about 100 bytes, which pytest's folders can exceed.
        self.state = Path(tempfile.mkdtemp(prefix="rig-"))
        self.log = folder / "worker.log"
        self.access_log = folder / "access.jsonl"
        self.port = 0
        self.traffic: Traffic | None = None
        self.status: Status | None = None
        self.process: processes.Running | None = None
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._peers: dict[str, _Peer] = {}
        self._news = asyncio.Condition()
        self._acks: list[Message] = []
        self._snapshot = Snapshot(0, "", Gateway(), (), ())
        self._generation = itertools.count()
        self._holds = itertools.count(1)
        self._reports: dict[int, HoldReport] = {}
        self._listener = socket.socket()

    @property
    def url(self) -> str:
        """Where the worker answers."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def catch_all(self) -> Route:
        """The last route of the snapshot in force."""
        return self._snapshot.routes[-1]

    def gateway(self, **changes: object) -> Gateway:
        """The gateway's settings in force, with these changes."""
        return replace(self._snapshot.gateway, **changes)  # type: ignore[arg-type]

    def start(self, snapshot: Snapshot) -> None:
        """Listen, start the worker, give it kills and snapshot, and wait until it accepts."""
        self._thread.start()
        self._call(self._listen())
        self._snapshot = snapshot
        listener = self._listener
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(("127.0.0.1", processes.free_port()))
        listener.listen(1024)
        self.port = listener.getsockname()[1]
        command = [*self._program, "--slot", "0", "--fd", str(listener.fileno())]
        command += ["--state", str(self.state), "--control-wait", "30"]
        self.process = processes.start(
            "worker", command, log=self.log, env=self._environment, pass_fds=[listener.fileno()]
        )
        self._wait_for(lambda: self.status is not None and self.status.accepting)

    def publish(self, **changes: object) -> Snapshot:
        """Give the worker the snapshot with these changes, and wait until it has acknowledged."""
        snapshot = replace(self._snapshot, revision=self._snapshot.revision + 1, **changes)  # type: ignore[arg-type]
        if {"routes", "upstreams", "gateway"} & set(changes):
            snapshot = replace(snapshot, topology=f"{snapshot.revision}")
        self._snapshot = snapshot
        self._call(self._send("control.sock", SnapshotPush(snapshot)))
        self._wait_for(lambda: any(isinstance(ack, Ack) and ack.revision == snapshot.revision for ack in self._acks))
        return snapshot

    def flip(self, *flags: Flag) -> None:
        """Set the flags of all routes, and wait until the worker uses them."""
        self.publish(flags=flags)

    def kill(self, *routes: str) -> None:
        """Kill exactly these routes, and wait until the worker obeys."""
        generation = next(self._generation)
        kills = tuple(Kill(route, "test", "test", "2026-01-01T00:00:00Z") for route in routes)
        self._call(self._send("supervisor.sock", KillsPush(generation, kills)))
        self._wait_for(lambda: KillsAck(generation) in self._acks)

    def hold(self, module: str, seconds: float = 8.0, most: int = 100) -> int:
        """Hold a module's writes, and wait until the worker has heard of it. Returns the hold's number."""
        number = next(self._holds)
        held = Hold(number, module, "test", "test", "2026-01-01T00:00:00Z", seconds, most)
        self._call(self._send("supervisor.sock", HoldPush(held)))
        self.wait_for_report(number, lambda _: True)
        return number

    def release(self, number: int) -> HoldReport:
        """End a hold, and wait until the worker has done so; its last report."""
        self._call(self._send("supervisor.sock", HoldEnd(number)))
        return self.wait_for_report(number, lambda report: report.ended)

    def wait_for_report(self, number: int, condition: Callable[[HoldReport], bool]) -> HoldReport:
        """Wait until the last report of a hold satisfies ``condition``; return that report."""
        self._wait_for(lambda: number in self._reports and condition(self._reports[number]))
        return self._reports[number]

    def next_traffic(self) -> Traffic:
        """The next report of totals that begins after this call."""
        self.traffic = None
        self._wait_for(lambda: self.traffic is not None)
        self.traffic = None  # The first may have been on its way already.
        self._wait_for(lambda: self.traffic is not None)
        assert self.traffic is not None
        return self.traffic

    def observe(self) -> dict[str, Any]:
        """What an observed worker has in memory now: ``tasks`` (a count), ``objects`` (counts by class)."""
        assert self.process is not None
        file = self.state / observed_worker.OBSERVED
        file.unlink(missing_ok=True)
        self.process.signal(signal.SIGUSR1)
        raw_http.wait_until(file.exists, "the worker tells what it has in memory")
        told: dict[str, Any] = json.loads(file.read_text())
        return told

    def stop(self) -> None:
        """End the worker by SIGTERM, then the link."""
        try:
            if self.process is not None:
                code = self.process.stop()
                assert code == 0, self.process.output()
                told = self.log.read_text(errors="replace")
                # Nothing that comes from outside may surprise the worker: what it does not expect is an error of ours.
                assert "Traceback" not in told, told[told.index("Traceback") - 500 :][:5000]
        finally:
            for peer in self._peers.values():
                self._loop.call_soon_threadsafe(peer.link.close)
            self._call(self._close())
            self._loop.call_soon_threadsafe(self._loop.stop)
            self._thread.join()
            self._loop.close()
            self._listener.close()
            shutil.rmtree(self.state, ignore_errors=True)

    # The other side of the link

    async def _listen(self) -> None:
        self._servers = [
            await asyncio.start_unix_server(self._serve(name), str(self.state / name))
            for name in ("supervisor.sock", "control.sock")
        ]

    def _serve(self, name: str) -> Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]:
        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            link = Link(reader, writer)
            async for message in link.receive():
                if isinstance(message, Hello):
                    self._peers[name] = _Peer(link, message)
                    first = name == "supervisor.sock"
                    link.send(KillsPush(next(self._generation), ()) if first else SnapshotPush(self._snapshot))
                elif isinstance(message, Status):
                    self.status = message
                elif isinstance(message, Traffic):
                    self.traffic = message
                elif isinstance(message, HoldReport):
                    self._reports[message.number] = message
                else:
                    self._acks.append(message)
                async with self._news:
                    self._news.notify_all()
            link.close()

        return serve

    async def _close(self) -> None:
        for server in self._servers:
            server.close()
        await asyncio.sleep(0)
        tasks = asyncio.all_tasks() - {asyncio.current_task()}
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _send(self, name: str, message: Message) -> None:
        self._peers[name].link.send(message)

    def _wait_for(self, condition: Callable[[], bool]) -> None:
        async def wait() -> None:
            async with asyncio.timeout(WAIT), self._news:
                await self._news.wait_for(condition)

        try:
            self._call(wait())
        except TimeoutError:
            told = self.process.output() if self.process is not None else ""
            raise AssertionError(f"the worker did not do it within {WAIT:g} s\n{told}") from None

    def _call(self, awaitable: Awaitable[T]) -> T:
        return asyncio.run_coroutine_threadsafe(awaitable, self._loop).result(WAIT + 5)  # type: ignore[arg-type]


@contextlib.contextmanager
def rig(
    folder: Path,
    *upstreams: Upstream,
    routes: tuple[Route, ...] = (),
    program: tuple[str, ...] = WORKER,
    compiled: bool = True,
    **gateway: object,
) -> Iterator[Rig]:
    """A worker in front of these upstreams. ``routes`` go before the catch-all, which takes the first upstream.

    ``compiled``: as the supervisor would start it, which is compiled where that was done; else from the sources.
    """
    running = Rig(folder, program, compiled=compiled)
    settings = replace(Gateway(access_log=LogSettings(str(running.access_log))), **gateway)  # type: ignore[arg-type]
    every = routes if routes and routes[-1].name == CATCH_ALL else (*routes, catch_all(upstreams[0].name))
    try:
        running.start(Snapshot(1, "1", settings, upstreams, every))
        yield running
    finally:
        running.stop()
