"""The state folder: the files by which a running gateway is found, and the lock that says that it runs."""

import contextlib
import fcntl
import json
import os
from pathlib import Path
from typing import Any

from strangler.supervisor.plan import StartRefused

LONGEST_SOCKET_PATH = 107
"""Bytes in ``sockaddr_un.sun_path`` on Linux, less the final zero."""


class StateFolder:
    """The files of one gateway. Only who holds the lock may write ``run.json``, ``kills.json`` and ``kills.log``.

    The kernel drops the lock with its holder, however that one ends: whatever a crashed supervisor left behind
    is known to be stale as soon as the lock can be had.
    """

    def __init__(self, path: Path) -> None:
        self.path = path.absolute()
        self.control_socket = self.path / "control.sock"
        self.comparator_socket = self.path / "comparator.sock"
        self.supervisor_socket = self.path / "supervisor.sock"
        self.snapshot = self.path / "snapshot.json"
        self.kills = self.path / "kills.json"
        self.kills_log = self.path / "kills.log"
        self.run = self.path / "run.json"
        self._lock = self.path / "lock"
        self._held: int | None = None

    def create(self) -> None:
        """Make the folder, for its owner only. Raises ``StartRefused`` if it cannot serve."""
        try:
            self.path.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as error:
            raise StartRefused(
                f"the state folder {self.path} cannot be made ({error.strerror}); choose another with --state"
            ) from error
        if len(os.fsencode(self.supervisor_socket)) > LONGEST_SOCKET_PATH:
            raise StartRefused(
                f"{self.supervisor_socket} is too long for the name of a Unix socket "
                f"({LONGEST_SOCKET_PATH} bytes at most); choose a shorter folder with --state"
            )

    def try_lock(self) -> bool:
        """Take the lock if no living process has it."""
        try:
            held = os.open(self._lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise StartRefused(
                f"{self._lock} cannot be opened ({error.strerror}); choose another folder with --state"
            ) from error
        try:
            fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            os.close(held)
            return False
        self._held = held
        return True

    def unlock(self) -> None:
        """Give the lock back."""
        if self._held is not None:
            os.close(self._held)
            self._held = None

    def in_use(self) -> bool:
        """Whether a gateway runs with this folder."""
        if not self._lock.exists():
            return False
        if not self.try_lock():
            return True
        self.unlock()
        return False

    def sweep(self) -> None:
        """Remove what stands for a running gateway; only for who holds the lock."""
        for path in (self.run, self.supervisor_socket, self.control_socket, self.comparator_socket):
            path.unlink(missing_ok=True)

    def write_run(self, run: dict[str, Any]) -> None:
        """Say where this gateway is to be found."""
        replace_durably(self.run, json.dumps(run, indent=2).encode() + b"\n")

    def read_run(self) -> dict[str, Any]:
        """What the running gateway said of itself; empty if there is none."""
        with contextlib.suppress(OSError, ValueError):
            run = json.loads(self.run.read_bytes())
            if isinstance(run, dict):
                return run
        return {}


def replace_durably(path: Path, data: bytes) -> None:
    """Put ``data`` in place of a file: after a crash at any moment the old or the new content is there, whole."""
    beside = path.with_name(f".{path.name}.new")
    with beside.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    beside.replace(path)
    sync_folder(path.parent)


def sync_folder(path: Path) -> None:
    """Make the names in a folder durable, as fsync of a file does not."""
    folder = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
