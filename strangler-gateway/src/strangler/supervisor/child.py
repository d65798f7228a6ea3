"""A child process that is replaced whenever it ends, and does not outlive its parent."""

import asyncio
import ctypes
import logging
import os
import signal
import sys
import time
from collections.abc import Callable, Mapping, Sequence

from strangler.supervisor.respawn import Respawn

logger = logging.getLogger(__name__)

_PR_SET_PDEATHSIG = 1
_libc = ctypes.CDLL(None) if sys.platform == "linux" else None


def die_with(parent: int, niceness: int = 0) -> Callable[[], None]:
    """What a new process does between fork and exec: ask the kernel for SIGTERM when ``parent`` ends, even by SIGKILL.
    With a ``niceness`` it yields to others from its first instruction on, also while it loads its modules.

    For other systems than Linux there is no such wish; there the workers still end with their link.
    """

    def ask() -> None:
        if niceness:
            os.nice(niceness)
        if _libc is not None:
            _libc.prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
            if os.getppid() != parent:  # it ended before it could be asked for
                os._exit(1)

    return ask


def use_pidfds() -> None:
    """Watch children by file descriptor, as Python 3.12 does by itself: no thread for each, which fork dislikes."""
    if sys.version_info < (3, 12) and hasattr(os, "pidfd_open"):
        watcher = asyncio.PidfdChildWatcher()
        watcher.attach_loop(asyncio.get_running_loop())
        asyncio.set_child_watcher(watcher)


def describe_end(status: int) -> str:
    """``exit status 1`` or ``SIGKILL``, from a return code as ``subprocess`` gives it."""
    if status >= 0:
        return f"exit status {status}"
    try:
        return signal.Signals(-status).name
    except ValueError:
        return f"signal {-status}"


class Child:
    """One place for a process. ``keep`` fills it again and again, until ``retire``.

    ``command`` gives the arguments and is told how often the process was started before; ``on_start`` gets the new pid,
    ``on_end`` the return code, and says whether the process had come into use. All are called on the event loop.
    """

    def __init__(
        self,
        name: str,
        command: Callable[[int], Sequence[str]],
        *,
        on_start: Callable[[int], None],
        on_end: Callable[[int], bool],
        pass_fds: tuple[int, ...] = (),
        environment: Mapping[str, str] | None = None,
        niceness: int = 0,
    ) -> None:
        self._name = name
        self._niceness = niceness
        self._environment = environment
        self._command = command
        self._on_start = on_start
        self._on_end = on_end
        self._pass_fds = pass_fds
        self._process: asyncio.subprocess.Process | None = None
        self._retired = asyncio.Event()
        self._respawn = Respawn()

    async def keep(self) -> None:
        """Start the process, and start it again whenever it ends; return once it has ended after ``retire``."""
        starts = 0
        while not self._retired.is_set():
            started = time.monotonic()
            status, came_into_use = await self._run(starts)
            starts += 1
            if self._retired.is_set():
                return
            wait = self._respawn.after_death(time.monotonic() - started, came_into_use=came_into_use)
            when = f"in {wait:g} s, since it keeps dying at its start" if wait else "now"
            logger.warning("%s ended with %s; it is started again %s", self._name, describe_end(status), when)
            if wait:
                await self._pause(wait)

    def retire(self) -> None:
        """From now on its end is final."""
        self._retired.set()

    def signal(self, number: signal.Signals) -> None:
        """Send a signal to the process, if there is one."""
        if self._process is not None and self._process.returncode is None:
            self._process.send_signal(number)

    async def _run(self, starts: int) -> tuple[int, bool]:
        try:
            self._process = await asyncio.create_subprocess_exec(
                *self._command(starts),
                stdin=asyncio.subprocess.DEVNULL,
                pass_fds=self._pass_fds,
                env=self._environment,
                process_group=0,  # a terminal's Ctrl-C is for the supervisor alone, which ends its children in order
                preexec_fn=die_with(os.getpid(), self._niceness),
            )
        except OSError as error:  # no memory or no process left: to be tried again
            logger.error("%s cannot be started: %s", self._name, error)
            return 127, False
        self._on_start(self._process.pid)
        if self._retired.is_set():  # while it was being made
            self.signal(signal.SIGTERM)
        status = await self._process.wait()
        return status, self._on_end(status)

    async def _pause(self, seconds: float) -> None:
        try:
            async with asyncio.timeout(seconds):
                await self._retired.wait()
        except TimeoutError:
            pass
