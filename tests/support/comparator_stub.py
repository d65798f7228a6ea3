"""A stand-in for the comparator: a Unix socket that takes in what workers mirror, and can be slow, deaf or gone.

``comparator_process`` runs it as a process, for what is done to processes: SIGSTOP, SIGKILL.
"""

import contextlib
import socket
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from strangler.link.mirrored import Account, Batch, Mirrored, Opening, decode_frame
from support import processes
from support.raw_http import wait_until


@dataclass
class Told:
    """What one worker process has said, over all connections."""

    opening: Opening
    accounts: dict[str, Account] = field(default_factory=dict)
    """The last of each route."""
    every: list[tuple[Account, int]] = field(default_factory=list)
    """All accounts, each with how many exchanges of its route had come by then, those beside it included."""
    received: Counter[str] = field(default_factory=Counter)
    exchanges: list[Mirrored] = field(default_factory=list)
    recorded: list[Mirrored] = field(default_factory=list)
    """Those that are in no account."""

    def skipped(self, route: str) -> dict[str, int]:
        """By heading."""
        return dict(self.accounts[route].skipped)


class ComparatorStub:
    """Listens at ``path`` from ``start`` on. What it has heard stays when it is stopped and started again."""

    def __init__(self, path: Path, *, keep: bool = True, pause: float = 0.0) -> None:
        """``keep``: whether exchanges are kept or only counted; ``pause``: seconds after each read."""
        self.path = path
        self._pause = pause
        self.workers: dict[str, Told] = {}
        self.connections = 0
        self.frames = 0
        self.routes: Counter[str] = Counter()
        """Exchanges by route, also where they are not kept."""
        self._keep = keep
        self._listener: socket.socket | None = None
        self._open: set[socket.socket] = set()
        self._hearing = threading.Event()
        self._hearing.set()
        self._news = threading.Condition()

    @property
    def told(self) -> Told:
        """Of the only worker."""
        (told,) = self.workers.values()
        return told

    # What a test does with it

    def start(self) -> None:
        """Listen."""
        self.path.unlink(missing_ok=True)
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(str(self.path))
        self._listener.listen(16)
        threading.Thread(target=self._accept, args=(self._listener,), daemon=True).start()

    def stop(self) -> None:
        """Be gone, as a process that was killed: without a word, and what was not read is lost."""
        listener, self._listener = self._listener, None
        if listener is not None:
            listener.shutdown(socket.SHUT_RDWR)
            listener.close()
        self.path.unlink(missing_ok=True)
        for connection in tuple(self._open):
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
        self._hearing.set()

    def freeze(self) -> None:
        """Read nothing more, as a process that was stopped."""
        self._hearing.clear()

    def thaw(self) -> None:
        """Read on."""
        self._hearing.set()

    def wait_for(self, condition: Callable[[], bool], what: str) -> None:
        """Wait until what was heard satisfies the condition."""
        wait_until(condition, what)

    def account(self, route: str) -> Account:
        """The last account of a route, over all workers that there were."""
        accounts = [told.accounts[route] for told in self.workers.values() if route in told.accounts]
        skipped: Counter[str] = Counter()
        for account in accounts:
            skipped.update(dict(account.skipped))
        requests, sent = sum(each.requests for each in accounts), sum(each.sent for each in accounts)
        return Account(route, requests, sent, tuple(skipped.items()))

    # In threads

    def _accept(self, listener: socket.socket) -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            self.connections += 1
            self._open.add(connection)
            threading.Thread(target=self._hear, args=(connection,), daemon=True).start()

    def _hear(self, connection: socket.socket) -> None:
        told: Told | None = None
        with connection, contextlib.suppress(OSError, EOFError):
            while True:
                message = decode_frame(self._frame(connection))
                if isinstance(message, Opening):
                    assert told is None, "a second Opening on one connection"
                    told = self.workers.setdefault(message.worker, Told(message))
                    self._note(told, message.accounts)
                else:
                    assert told is not None, "a connection that does not begin with an Opening"
                    self._take(told, message)
        self._open.discard(connection)

    def _take(self, told: Told, batch: Batch) -> None:
        self.frames += 1
        for exchange in batch.exchanges:
            self.routes[exchange.route] += 1
            told.received[exchange.route] += 1
        if self._keep:
            told.exchanges += batch.exchanges
            told.recorded += batch.recorded
        self._note(told, batch.accounts)

    def _note(self, told: Told, accounts: tuple[Account, ...]) -> None:
        for account in accounts:
            told.accounts[account.route] = account
            told.every.append((account, told.received[account.route]))

    def _frame(self, connection: socket.socket) -> bytes:
        return self._read(connection, int.from_bytes(self._read(connection, 4)))

    def _read(self, connection: socket.socket, count: int) -> bytes:
        parts = []
        while count:
            self._hearing.wait()
            if self._pause:
                time.sleep(self._pause)
            part = connection.recv(min(count, 65_536))
            if not part:
                raise EOFError
            parts.append(part)
            count -= len(part)
        return b"".join(parts)


@contextlib.contextmanager
def comparator_stub(path: Path, *, keep: bool = True) -> Iterator[ComparatorStub]:
    """One that listens for the length of the block."""
    stub = ComparatorStub(path, keep=keep)
    stub.start()
    try:
        yield stub
    finally:
        stub.stop()


@contextlib.contextmanager
def comparator_process(path: Path, log: Path, *, pause: float = 0.0) -> Iterator[processes.Running]:
    """One in a process of its own, which reads and forgets."""
    command = [sys.executable, "-m", "support.comparator_stub", str(path), str(pause)]
    env = {"PYTHONPATH": str(Path(__file__).parents[1])}
    with processes.running("comparator-stub", command, log=log, env=env) as running:
        wait_until(path.exists, "the stub listens")
        yield running


def main() -> None:
    path, pause = sys.argv[1:]
    ComparatorStub(Path(path), keep=False, pause=float(pause)).start()
    threading.Event().wait()


if __name__ == "__main__":
    main()
