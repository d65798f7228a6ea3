"""One recording's file: a line for each exchange, redacted. A comparator that is started again goes on with it."""

import logging
import os
from pathlib import Path

from strangler.comparator.copies import copy_of, primary_of, question_of
from strangler.http1.refusal import RequestRefused
from strangler.link.mirrored import Mirrored
from strangler.model.messages import RecordingState
from strangler.model.recording import Recording
from strangler.shadow.recording import exchange_line, recorded_of
from strangler.shadow.redaction import Redactor

FOLDER = "recordings"
"""In the state folder."""

logger = logging.getLogger("strangler.comparator")


class Tape:
    """``open``, ``write`` and ``close`` are called in one thread; the rest by whoever owns it, who only reads what they
    write."""

    def __init__(self, recording: Recording, folder: Path) -> None:
        self.recording = recording
        self.taken = 0
        """Exchanges that are written or wait to be."""
        self.dropped = 0
        self.told: RecordingState | None = None
        self._path = folder / f"{recording.id}.jsonl"
        self._redactor = Redactor(recording.redaction)
        self._file = -1
        self._exchanges = 0
        self._size = 0
        self._over = False
        """No more is written: there is enough, or it cannot be."""
        self._error = ""

    @property
    def is_full(self) -> bool:
        """Whether nothing more is to be taken."""
        return self._over or self.taken >= self.recording.count

    @property
    def is_done(self) -> bool:
        """Whether nothing more will be written."""
        return self._over or self._exchanges >= self.recording.count

    def state(self, *, ended: bool = False) -> RecordingState:
        """How far it has got."""
        return RecordingState(self.recording.id, self._exchanges, self._size, self.dropped, ended, self._error)

    # In the thread

    def open(self) -> None:
        """Make the file, or go on with it behind its last whole line."""
        try:
            self._path.parent.mkdir(mode=0o700, exist_ok=True)
            self._file = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
            whole = self._path.read_bytes().rpartition(b"\n")
            self._exchanges, self._size = whole[0].count(b"\n") + bool(whole[1]), len(whole[0]) + len(whole[1])
            self.taken += self._exchanges
            os.ftruncate(self._file, self._size)
        except OSError as error:
            self._fail(error)

    def write(self, mirrored: Mirrored) -> None:
        """Redact an exchange and write it, if there is room."""
        if self.is_done:
            return
        try:
            copy = copy_of(mirrored)
        except RequestRefused:  # No worker passes on such a thing.
            return
        question, answer = question_of(copy), primary_of(mirrored)
        kept = self._redactor.question(question), self._redactor.answer(answer)
        line = exchange_line(recorded_of(mirrored.at, question, answer, *kept)) + b"\n"
        if self._size + len(line) > self.recording.size:
            self._over = True
            return
        try:
            written = os.write(self._file, line)
            if written < len(line):
                os.ftruncate(self._file, self._size)
                raise OSError(28, "no space left for a whole line")
        except OSError as error:
            self._fail(error)
        else:
            self._size += len(line)
            self._exchanges += 1

    def close(self) -> None:
        """Let go of the file."""
        self._over = True
        if self._file >= 0:
            os.close(self._file)
            self._file = -1

    def _fail(self, error: OSError) -> None:
        self._over = True
        self._error = f"{self._path} cannot be written: {error.strerror}"
        logger.error("%s", self._error)
