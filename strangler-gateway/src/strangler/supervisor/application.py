"""One application of ``processes:``: prepared, started, awaited, replaced when it dies, ended with all it started."""

import asyncio
import contextlib
import os
import shlex
import shutil
import signal
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from strangler.model.errors import StranglerError
from strangler.supervisor.child import describe_end, die_with
from strangler.supervisor.listening import vacant
from strangler.supervisor.occupant import occupant
from strangler.supervisor.output import Output
from strangler.supervisor.plan import PortTaken, StartRefused
from strangler.supervisor.readiness import POLL, endpoint_of, until_ready
from strangler.supervisor.respawn import Respawn

if TYPE_CHECKING:
    from strangler.config.loaded import Process

READY_TIME = 60.0
"""Seconds in which an application must become ready."""
TERM_TIME = 5.0
"""Seconds between SIGTERM and SIGKILL."""


class ApplicationFailed(StranglerError):
    """An application that could not be started; the text says which and why."""


class Application:
    """One entry of ``processes:``.

    An application that dies before it was ever ready will not do better the next time: that is ``ApplicationFailed``.
    One that dies later is started again, since showing what the gateway does meanwhile is half the use of ``up``.
    """

    def __init__(self, process: "Process", output: Output) -> None:
        self.name = process.name
        self._process = process
        self._output = output
        self._environment = _environment(dict(process.env))
        self._group = 0
        """The process group that runs now; 0 for none."""
        self._running: asyncio.Task[int] | None = None
        self._is_ending = False
        self.is_ready = asyncio.Event()

    def check(self) -> None:
        """Find what would fail anyway, before anything is started. Raises ``StartRefused``."""
        for command in (*self._process.before, self._process.command):
            self._arguments(command)
        if self._process.ready is None:
            return
        place = endpoint_of(self._process.ready)
        try:
            vacant(place, "ready")
        except PortTaken as error:
            raise PortTaken(
                f"processes.{self.name}: {place.authority} is taken{occupant(place.port)}; end that process, or write "
                "another port in its `command:` and `ready:`"
            ) from error
        except StartRefused:
            return  # an address of another machine

    async def prepare(self) -> None:
        """Run its ``before:`` commands, one after the other. Raises ``ApplicationFailed``."""
        for command in self._process.before:
            status = await self._start(command)
            if status and not self._is_ending:
                raise ApplicationFailed(f"{self.name}: `{command}` ended with {describe_end(status)}")

    async def keep(self) -> None:
        """Run it until ``end``; start it again when it dies. Raises ``ApplicationFailed`` if it never gets ready."""
        respawn = Respawn()
        while not self._is_ending:
            started = time.monotonic()
            running = self._start(self._process.command)
            if not self.is_ready.is_set():
                await self._until_ready(running)
            status = await running
            if not self._is_ending:
                wait = respawn.after_death(time.monotonic() - started)
                when = f"in {wait:g} s" if wait else "now"
                self._output.line(self.name, f"ended with {describe_end(status)}; it is started again {when}")
                await asyncio.sleep(wait)

    async def end(self) -> None:
        """End it and everything that it started: SIGTERM, and SIGKILL after ``TERM_TIME``."""
        self._is_ending = True
        for number in (signal.SIGTERM, signal.SIGKILL):
            deadline = time.monotonic() + TERM_TIME
            is_there = self._signal(number)
            while is_there and time.monotonic() < deadline:
                await asyncio.sleep(POLL)
                is_there = self._signal(0)
        if self._running is not None:
            await asyncio.wait({self._running})

    async def _until_ready(self, running: asyncio.Future[int]) -> None:
        if self._process.ready is not None:
            readiness: asyncio.Future[None] = asyncio.create_task(until_ready(self._process.ready))
            both: set[asyncio.Future[Any]] = {running, readiness}
            try:
                await asyncio.wait(both, timeout=READY_TIME, return_when=asyncio.FIRST_COMPLETED)
            finally:
                readiness.cancel()
            if self._is_ending:
                return
            if running.done():
                how = describe_end(running.result())
                raise ApplicationFailed(f"{self.name}: `{self._process.command}` ended with {how} before it was ready")
            if not readiness.done():
                url = self._process.ready
                raise ApplicationFailed(f"{self.name}: {url} did not answer 2xx within {READY_TIME:g} s")
        self.is_ready.set()

    def _start(self, command: str) -> asyncio.Future[int]:
        """Start a program; the future has its return code. Its lines are relayed to the last, whoever stops waiting."""
        self._running = asyncio.create_task(self._run(command))
        return asyncio.shield(self._running)

    async def _run(self, command: str) -> int:
        """One program to its end, in a process group of its own, its lines behind its name."""
        try:
            process = await asyncio.create_subprocess_exec(
                *self._arguments(command),
                stdin=asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.STDOUT,
                env=self._environment,
                process_group=0,
                preexec_fn=die_with(os.getpid()),
            )
        except OSError as error:
            raise ApplicationFailed(f"{self.name}: `{command}` cannot be started: {error.strerror}") from error
        self._group = process.pid
        if self._is_ending:  # while it was being made
            self._signal(signal.SIGTERM)
        lines: asyncio.StreamReader = process.stdout  # type: ignore[assignment]  # it is a pipe
        relay = asyncio.create_task(self._output.relay(self.name, lines))
        status = await process.wait()
        self._signal(signal.SIGKILL)  # what it left behind holds its port, and would keep its successor from it
        self._group = 0
        _, unread = await asyncio.wait({relay}, timeout=1.0)
        for task in unread:
            task.cancel()
        return status

    def _arguments(self, command: str) -> list[str]:
        try:
            program, *arguments = shlex.split(command)
        except ValueError as error:
            raise StartRefused(f"processes.{self.name}: `{command}` is no command: {error}") from error
        found = shutil.which(program, path=self._environment["PATH"])
        if found is None:
            raise StartRefused(
                f"processes.{self.name}: there is no program «{program}»; install it, or write its path in `command:`"
            )
        return [found, *arguments]

    def _signal(self, number: int) -> bool:
        """Whether there was anybody in the process group to get it."""
        if not self._group:
            return False
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self._group, number)
            return True
        return False


def _environment(own: dict[str, str]) -> dict[str, str]:
    """This process's environment with the application's own; programs installed beside ``strangler`` are found."""
    beside = str(Path(sys.executable).parent)
    path = os.environ.get("PATH", os.defpath)
    return {**os.environ, "PATH": f"{beside}{os.pathsep}{path}", "PYTHONUNBUFFERED": "1", **own}
