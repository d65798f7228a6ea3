"""Recordings that are going on: exchanges are redacted and written down in a thread, and what is too much is dropped.

Nobody waits for it, so that recording holds up neither the comparison of other exchanges nor the ledger.
"""

import asyncio
import logging
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from strangler.comparator.exchange import size_of
from strangler.comparator.tape import FOLDER, Tape
from strangler.link.mirrored import Mirrored
from strangler.model.messages import RecordingState
from strangler.model.recording import Recording

WAITING = 500
"""Exchanges that may wait for the thread…"""
WAITING_BYTES = 32 * 1024 * 1024
"""… and what they may take."""

logger = logging.getLogger("strangler.comparator")


class Recorder:
    """Keeps the recordings of one process. All of it is called on the event loop."""

    def __init__(self, state: Path, tell: Callable[[RecordingState], None]) -> None:
        self._folder = state / FOLDER
        self._tell = tell
        self._loop = asyncio.get_running_loop()
        self._thread = ThreadPoolExecutor(1, "recorder")
        self._tapes: dict[str, Tape] = {}
        """By route."""
        self._waiting = 0
        self._waiting_bytes = 0

    def adopt(self, recordings: tuple[Recording, ...]) -> None:
        """Exactly these are going on."""
        going_on = {recording.id for recording in recordings}
        for tape in list(self._tapes.values()):
            if tape.recording.id not in going_on:
                self._end(tape)
        for recording in recordings:
            if recording.route not in self._tapes:
                tape = self._tapes[recording.route] = Tape(recording, self._folder)
                self._loop.run_in_executor(self._thread, tape.open)

    def take(self, mirrored: Mirrored) -> None:
        """An exchange of some route has come."""
        tape = self._tapes.get(mirrored.route)
        if tape is None or tape.is_full:
            return
        size = size_of(mirrored)
        if self._waiting >= WAITING or self._waiting_bytes + size > WAITING_BYTES:
            tape.dropped += 1
            return
        tape.taken += 1
        self._waiting += 1
        self._waiting_bytes += size

        def written(writing: "asyncio.Future[None]") -> None:
            self._waiting -= 1
            self._waiting_bytes -= size
            if not writing.cancelled() and writing.exception() is not None:
                tape.taken -= 1
                tape.dropped += 1
                logger.error("an exchange of %s could not be recorded", mirrored.route, exc_info=writing.exception())

        self._loop.run_in_executor(self._thread, tape.write, mirrored).add_done_callback(written)

    def tick(self, now: float) -> None:
        """Called several times a second, with the time since the epoch: tell what has changed."""
        for tape in list(self._tapes.values()):
            state = tape.state()
            if tape.is_done or tape.recording.until <= now:
                self._end(tape)
            elif state != tape.told:
                tape.told = state
                self._tell(state)

    def _end(self, tape: Tape) -> None:
        """Nothing more is taken; what was taken is written first."""
        del self._tapes[tape.recording.route]
        closing = self._loop.run_in_executor(self._thread, tape.close)
        closing.add_done_callback(lambda _: self._tell(tape.state(ended=True)))

    def close(self) -> None:
        """Wait until what was taken is written."""
        for tape in self._tapes.values():
            self._thread.submit(tape.close)
        self._thread.shutdown()
