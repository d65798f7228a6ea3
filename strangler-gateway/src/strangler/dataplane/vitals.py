"""How a worker's process is: its event loop's lag, what blocks it, processor time, memory, age of its snapshot."""

import logging
import os
import sys
import threading
import time
import traceback
from collections.abc import Iterator

from strangler.telemetry.families.processes import (
    LOOP_BLOCKED,
    LOOP_LAG,
    SNAPSHOT_AGE,
    WORKER_CPU,
    WORKER_MEMORY,
)
from strangler.telemetry.meters import Meters, Reading

REPORT_EVERY = 10.0
"""Seconds between two stacks on stderr; those in between are only counted."""
STACK = 12
"""Frames of a stack, the innermost."""
_PAGE = os.sysconf("SC_PAGE_SIZE")

logger = logging.getLogger("strangler.dataplane")


class Vitals:
    """Measured by the worker's tick, which is due every ``every`` seconds; made on the event loop's own thread."""

    def __init__(self, meters: Meters, every: float) -> None:
        self._every = every
        self._lag = meters.histogram(LOOP_LAG)
        self._last = time.monotonic()
        self._adopted = self._last
        self._statm = os.open("/proc/self/statm", os.O_RDONLY | os.O_CLOEXEC)
        """Kept open, since a worker without a free descriptor has something to report as well."""
        self.watchdog = Watchdog(meters, every)
        meters.ask(self._readings)

    def tick(self) -> None:
        """The event loop has come round to its tick."""
        now = time.monotonic()
        self._lag.observe(max(0.0, now - self._last - self._every))
        self._last = self.watchdog.beat = now

    def adopted(self, patience: float) -> None:
        """A snapshot is in force from now on; ``patience`` is its watchdog's."""
        self._adopted = time.monotonic()
        self.watchdog.watch(patience)

    def _readings(self) -> Iterator[Reading]:
        yield WORKER_CPU, (), time.process_time()
        yield WORKER_MEMORY, (), int(os.pread(self._statm, 100, 0).split()[1]) * _PAGE
        yield SNAPSHOT_AGE, (), time.monotonic() - self._adopted


class Watchdog:
    """A thread that says where the event loop hangs, while it hangs."""

    def __init__(self, meters: Meters, every: float) -> None:
        self._blocked = meters.of(LOOP_BLOCKED)
        self._every = every
        self._watched = threading.get_ident()
        self._patience = 0.0
        self._thread: threading.Thread | None = None
        self._wake = threading.Event()
        self.beat = time.monotonic()
        """When the event loop was last seen to go round."""

    def watch(self, patience: float) -> None:
        """Report what keeps the event loop from its tick for longer than ``patience`` seconds; 0 for nothing."""
        self._patience = patience
        self._wake.set()
        if patience and self._thread is None:
            self._thread = threading.Thread(target=self._run, name="watchdog", daemon=True)
            self._thread.start()

    def _run(self) -> None:
        seen, last_report = 0.0, -REPORT_EVERY
        while True:
            patience = self._patience
            began = time.monotonic()
            self._wake.clear()
            self._wake.wait(patience / 2 if patience else None)
            now, beat = time.monotonic(), self.beat
            if not patience or now - began > patience:
                continue  # This thread had to wait as well: the machine is slow, not the event loop.
            blocked = now - beat - self._every
            if blocked < patience or beat == seen:
                continue
            seen = beat
            self._blocked.value += 1
            if now - last_report >= REPORT_EVERY:
                last_report = now
                logger.warning("the event loop has been blocked for %.2f s, by:\n%s", blocked, self._stack())

    def _stack(self) -> str:
        frame = sys._current_frames().get(self._watched)  # noqa: SLF001 - there is no other way to see another thread
        return "".join(traceback.format_stack(frame)[-STACK:]).rstrip() if frame is not None else "(it has ended)"
