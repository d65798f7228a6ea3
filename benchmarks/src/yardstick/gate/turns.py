"""Turns of two processes that are measured side by side: one calls while the other waits.

A machine that changes its speed, as those of pipelines do within seconds, then changes it for both. So that it is the
same for both, they run on one core from their first turn on. The turn is a byte that goes to and fro over two pipes.
"""

import contextlib
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ENDS = "BENCH_GATE_TURNS"
"""The environment variable that says what a process needs, as in ``5,8,1``: the descriptor from which it gets its turn,
that to which it gives it back, and the core."""


class Turns:
    """One side's. Without ends there is nobody to wait for."""

    def __init__(self, mine: int | None = None, other: int | None = None, core: int | None = None) -> None:
        self._mine = mine
        self._other = other
        self._core = core
        self._is_ours = False

    @classmethod
    def of(cls, named: str | None) -> "Turns":
        """Those of the environment variable ``ENDS``."""
        return cls(*map(int, named.split(","))) if named else cls()

    def take(self) -> None:
        """Let the other side have its turn, and wait for the next of ours; no more once the other has ended."""
        self.leave()
        if self._mine is None:
            return
        if self._core is not None:
            _move_to(self._core)
            self._core = None
        self._is_ours = bool(os.read(self._mine, 1))
        if not self._is_ours:
            self._mine = None

    def leave(self) -> None:
        """Our turn is over, and there may be no other for a while."""
        if self._is_ours and self._other is not None:
            self._is_ours = False
            with contextlib.suppress(BrokenPipeError):
                os.write(self._other, b".")


def _move_to(core: int) -> None:
    """All threads of this process (Linux)."""
    for thread in Path("/proc/self/task").iterdir():
        with contextlib.suppress(ProcessLookupError):
            os.sched_setaffinity(int(thread.name), {core})


@dataclass(frozen=True, slots=True)
class Ends:
    """What one process is given of both pipes."""

    mine: int
    other: int
    core: int | None

    @property
    def named(self) -> str:
        """For the environment variable ``ENDS``."""
        return ",".join(str(each) for each in (self.mine, self.other, self.core) if each is not None)


@contextlib.contextmanager
def two_ends() -> Iterator[tuple[Ends, Ends]]:
    """Those of the side that begins, and of the other; closed behind the ``with`` block, when both have been started.

    Only then does one side learn that the other has ended.
    """
    first, second = os.pipe(), os.pipe()
    try:
        os.write(first[1], b".")
        core = max(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else None
        yield Ends(first[0], second[1], core), Ends(second[0], first[1], core)
    finally:
        for end in (*first, *second):
            os.close(end)
