"""The life of a gateway: start its processes, keep them alive, and end them in order."""

import asyncio
import contextlib
import logging
import os
import signal
import socket
from collections.abc import Sequence

from strangler.model.messages import Drain
from strangler.supervisor import compiled
from strangler.supervisor.child import Child, use_pidfds
from strangler.supervisor.door import Door
from strangler.supervisor.health import serve_health
from strangler.supervisor.holdings import Holdings
from strangler.supervisor.plan import Plan
from strangler.supervisor.roll import Roll, Seat
from strangler.supervisor.watch import watch

logger = logging.getLogger(__name__)

FIRST_CONTROL_WAIT = 5.0
"""Seconds that a worker waits for control at the gateway's start before it takes the last snapshot from disk."""
LATER_CONTROL_WAIT = 0.3
"""The same for a replaced worker: control answers in a few milliseconds or is not there."""
TERM_TIME = 3.0
"""Seconds between SIGTERM and SIGKILL."""
STORE_VARIABLE = "STRANGLER_GATEWAY__STORE"
"""What overrides `gateway.store` for whoever reads the configuration."""
YIELDING = 10
"""By how much the comparator is nicer than the workers: where all cores are taken, clients come first."""
USAGE = 2
"""The exit status of a process that was started with what it cannot work with."""


class Supervisor:
    """Keeps one gateway alive, from ``run`` until ``stop``."""

    def __init__(self, plan: Plan, holdings: Holdings) -> None:
        self._plan = plan
        self._holdings = holdings
        self.roll = Roll(plan.workers)
        self._workers = [self._worker(seat, sock) for seat, sock in zip(self.roll.seats, holdings.slots, strict=True)]
        self._control = Child(
            "control",
            self._control_command,
            on_start=self._control_started,
            on_end=self._control_ended,
            environment=_with_store(plan.store),
        )
        self._control_starts = 0
        self._comparator = Child(
            "comparator",
            self._comparator_command,
            on_start=self._comparator_started,
            on_end=self._comparator_ended,
            environment=compiled.environment(),
            niceness=YIELDING,
        )
        self._stop = asyncio.Event()
        self._is_hurried = False
        self._exit_status = 0

    async def run(self) -> int:
        """Run until ``stop`` and every child has ended. The exit status: 0, or 2 if control refused its orders."""
        use_pidfds()
        listening = (self._holdings.listen.authority,)
        door = Door(self._holdings.folder, self.roll, self._holdings.ledger, listening=listening, on_shutdown=self.stop)
        await door.open()
        health = await serve_health(self._holdings.health_socket, self.roll)
        async with asyncio.TaskGroup() as tasks:
            roster = tasks.create_task(door.tell_roster())
            control = tasks.create_task(self._control.keep())
            workers = [tasks.create_task(child.keep()) for child in self._workers]
            comparator = tasks.create_task(self._keep_comparator())
            watching = tasks.create_task(watch(self.roll, self._workers, self._comparator, self._plan.patience))
            await self._stop.wait()
            await self._end_workers(workers)
            await asyncio.gather(_end(self._comparator, comparator), _end(self._control, control))
            watching.cancel()
            roster.cancel()
        door.close()
        health.close()
        return self._exit_status

    async def ready(self) -> None:
        """Wait until every worker accepts connections."""
        await self.roll.until(self.roll.is_ready)

    def stop(self) -> None:
        """End the gateway; the second call ends the wait for requests in flight."""
        self._is_hurried = self._stop.is_set()
        self._stop.set()
        self.roll.changed()

    def reload(self) -> None:
        """Have control read the configuration anew; without one, the next control does so at its start."""
        logger.info("reload: control is told to read %s anew", self._plan.config)
        self._control.signal(signal.SIGHUP)

    # The children

    def _worker(self, seat: Seat, sock: socket.socket) -> Child:
        state = str(self._holdings.folder.path)

        def command(starts: int) -> Sequence[str]:
            wait = LATER_CONTROL_WAIT if starts else FIRST_CONTROL_WAIT
            own = ("--slot", str(seat.slot), "--fd", str(sock.fileno()), "--state", state, "--control-wait", str(wait))
            return self._plan.worker_command + own

        def started(pid: int) -> None:
            seat.take(pid)
            self.roll.changed()

        def ended(_status: int) -> bool:
            came_into_use = seat.has_been_ready
            seat.leave()
            seat.restarts += not self._stop.is_set()
            self.roll.changed()
            return came_into_use

        return Child(
            f"worker {seat.slot}",
            command,
            on_start=started,
            on_end=ended,
            pass_fds=(sock.fileno(),),
            environment=compiled.environment(),
        )

    def _control_command(self, starts: int) -> Sequence[str]:
        self._control_starts = starts + 1
        config, state = str(self._plan.config.absolute()), str(self._holdings.folder.path)
        own = ("--config", config, "--state", state, "--admin", self._holdings.admin.authority)
        return self._plan.control_command + own

    def _control_started(self, pid: int) -> None:
        self.roll.control_pid, self.roll.control_has_linked = pid, False
        self.roll.changed()

    def _control_ended(self, status: int) -> bool:
        self.roll.control_pid = 0
        self.roll.changed()
        if status == USAGE and self._control_starts == 1 and not self._stop.is_set():
            # It has said why on stderr, and would say the same for ever. Later it is another matter: then the workers
            # serve on with what they have, while somebody mends the configuration.
            logger.error("control cannot work with what it was given; the gateway ends")
            self._exit_status = USAGE
            self.stop()
        return self.roll.control_has_linked

    async def _keep_comparator(self) -> None:
        """Clients come first: it is started when the workers accept."""
        await self.roll.until(lambda: self._stop.is_set() or self.roll.is_ready())
        if not self._stop.is_set():
            await self._comparator.keep()

    def _comparator_command(self, starts: int) -> Sequence[str]:
        wait = LATER_CONTROL_WAIT if starts else FIRST_CONTROL_WAIT
        return (*self._plan.comparator_command, "--state", str(self._holdings.folder.path), "--control-wait", str(wait))

    def _comparator_started(self, pid: int) -> None:
        self.roll.comparator_pid, self.roll.comparator_silent = pid, None
        self.roll.changed()

    def _comparator_ended(self, _status: int) -> bool:
        self.roll.comparator_pid, self.roll.comparator_silent = 0, None
        self.roll.changed()
        return True

    # The end: workers first, so that control and comparator hear what they did last

    async def _end_workers(self, tasks: Sequence[asyncio.Task[None]]) -> None:
        self.roll.is_ending = True
        self.roll.changed()
        if self._plan.stop_delay:  # for load balancers in front, which look at /readyz now and then
            logger.info("not ready any more; the port is closed in %g s", self._plan.stop_delay)
            await self._unless_hurried(self._plan.stop_delay)
        for sock in self._holdings.slots:
            sock.close()  # the workers have theirs: when they close them the port is closed, and nobody waits in vain
        for child, seat in zip(self._workers, self.roll.seats, strict=True):
            child.retire()
            if seat.link is not None:
                seat.link.send(Drain(self._plan.grace))
            else:
                child.signal(signal.SIGTERM)
        for task in tasks:
            task.add_done_callback(lambda _: self.roll.changed())
        await self._unless_hurried(self._plan.grace + 1.0, tasks)
        await _insist(self._workers, tasks)

    async def _unless_hurried(self, seconds: float, tasks: Sequence[asyncio.Task[None]] | None = None) -> None:
        """Wait so long; or until all of these are done, if any are given; or until somebody insists."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self.roll.until(
                    lambda: self._is_hurried or (tasks is not None and all(task.done() for task in tasks))
                )


async def _end(child: Child, task: asyncio.Task[None]) -> None:
    child.retire()
    await _insist([child], [task])


def _with_store(url: str | None) -> dict[str, str] | None:
    """Control's environment, if it is to be another than ours. A store's URL may hold a password: an environment is
    for its user alone, while everybody on the machine can read what a process was started with."""
    return {**os.environ, STORE_VARIABLE: url} if url else None


async def _insist(children: Sequence[Child], tasks: Sequence[asyncio.Task[None]]) -> None:
    """SIGTERM, and SIGKILL for who does not heed it. ``tasks`` end with their children."""
    for number in (signal.SIGTERM, signal.SIGKILL):
        for child in children:
            child.signal(number)
        await asyncio.wait(tasks, timeout=TERM_TIME)
