"""The access log: requests are collected as they finish; a thread picks, formats and writes, and delays nobody."""

import contextlib
import logging
import os
import random
import select
import stat
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING

from strangler.dataplane.handover import Handover
from strangler.dataplane.log_line import Refusal, is_kept, line, refusal_line
from strangler.model.telemetry import LogSettings
from strangler.telemetry.families.processes import LOG_DROPPED, LOG_SAMPLED_OUT
from strangler.telemetry.meters import Meters

if TYPE_CHECKING:
    from strangler.dataplane.exchange import Exchange

MAX_WAITING = 50_000
"""Requests that may wait for a disk that does not keep up, about 50 MB; beyond it they are dropped, and counted."""
LINES_AT_ONCE = 64
"""Lines formatted between two writes: a write lets the event loop run, and so bounds how long it is kept waiting."""
LOOK_EVERY = 1.0
"""Seconds between two looks at whether the file was moved away."""
_STDOUT = 1
_NEWLINE = 10

logger = logging.getLogger("strangler.dataplane")


class AccessLog:
    """Takes finished requests on the event loop, and writes their lines in a thread of its own."""

    def __init__(self, settings: LogSettings, meters: Meters) -> None:
        """Raises ``OSError`` if the file cannot be opened."""
        self.enabled = settings.to != "off"
        self._settings = settings
        self._failed = meters.of(LOG_DROPPED, "error")
        self._sampled_out = meters.of(LOG_SAMPLED_OUT)
        self._handover: Handover[Exchange | Refusal] = Handover(MAX_WAITING, meters.of(LOG_DROPPED, "slow"))
        self._thread: threading.Thread | None = None
        self._file = _STDOUT
        self._failing = False
        self._torn = False
        """Whether the last write ended within a line."""
        self._look_at = 0.0
        if self.enabled:
            if settings.to != "stdout":
                self._file = _open(settings.to)
            self._is_pipe = stat.S_ISFIFO(os.fstat(self._file).st_mode)
            self._thread = threading.Thread(target=self._run, name="access-log", daemon=True)
            self._thread.start()
        self.add = self._handover.add
        """Take one finished request, or one that did not become any."""
        self.flush = self._handover.flush
        """Hand over what was collected; called several times a second."""
        self.end = self._handover.end
        """Write the rest, then end; does not wait for that."""

    # On the event loop

    def close(self) -> None:
        """Write the rest and end; waits at most five seconds for the disk."""
        self.end()
        if self._thread is not None:
            self._thread.join(5)

    # In the thread

    def _run(self) -> None:
        while (batch := self._handover.take()) is not None:
            self._follow_file()
            epoch = time.time() - time.perf_counter()
            chosen = self._chosen(batch)
            for start in range(0, len(chosen), LINES_AT_ONCE):
                self._write([self._line(entry, epoch) for entry in chosen[start : start + LINES_AT_ONCE]])
            self._handover.done(len(batch))
            del batch, chosen  # Requests with all they hold are not to live on until there are more.
        if self._file != _STDOUT:
            os.close(self._file)

    def _chosen(self, batch: "list[Exchange | Refusal]") -> "list[Exchange | Refusal]":
        settings = self._settings
        if settings.sample >= 1:
            return batch
        draw = random.random
        chosen = [
            entry
            for entry in batch
            if draw() < settings.sample or (type(entry) is not Refusal and is_kept(entry, settings))  # type: ignore[arg-type] # the other of the two
        ]
        self._sampled_out.value += len(batch) - len(chosen)
        return chosen

    def _line(self, entry: "Exchange | Refusal", epoch: float) -> bytes:
        if isinstance(entry, Refusal):
            return refusal_line(entry, epoch)
        return line(entry, epoch, self._settings)

    def _write(self, lines: list[bytes]) -> None:
        data = (b"\n" if self._torn else b"") + b"".join(lines)
        written = 0
        try:
            while written < len(data):
                written += os.write(self._file, data[written : self._end_of_write(data, written)])
        except OSError as error:
            self._failed.value += data.count(b"\n", written)
            if not self._failing:
                logger.warning("the access log cannot be written: %s", error.strerror)
            self._failing = True
        else:
            self._failing = False
        if written:
            self._torn = data[written - 1] != _NEWLINE

    def _end_of_write(self, data: bytes, start: int) -> int:
        """Where to end a write: anywhere in a file; in a pipe, which other workers write to as well, after a line."""
        if not self._is_pipe or len(data) - start <= select.PIPE_BUF:
            return len(data)
        return (data.rfind(b"\n", start, start + select.PIPE_BUF) + 1) or len(data)

    def _follow_file(self) -> None:
        """Open the file anew if another one, or none, stands where it was: it was rotated."""
        now = time.monotonic()
        if self._file == _STDOUT or now < self._look_at:
            return
        self._look_at = now + LOOK_EVERY
        with contextlib.suppress(FileNotFoundError):
            if os.path.samestat(Path(self._settings.to).stat(), os.fstat(self._file)):
                return
        try:
            newer = _open(self._settings.to)
        except OSError as error:
            logger.warning("the access log was moved, and cannot be opened anew: %s; it goes on there", error.strerror)
            return
        os.close(self._file)
        self._file, self._torn = newer, False


def _open(path: str) -> int:
    """For this user and its group alone: a log says who has asked for what."""
    return os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o640)
