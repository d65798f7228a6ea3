"""The ledger as the comparator writes it: what became of every request of a shadowed route, in one file.

What is told here waits in memory until ``flush`` writes all of it in one transaction, so that after a death at any
moment the file says what was true at the last flush. Nothing here waits for anything but the disk."""

import hashlib
import logging
import secrets
import sqlite3
from collections.abc import Iterable
from pathlib import Path
from typing import Self

import msgspec

from strangler.ledger.file import LedgerUnavailable, failures_of, open_to_write, transaction
from strangler.ledger.outcome import Outcome
from strangler.ledger.run import Run
from strangler.ledger.tally import tally_of
from strangler.ledger.writing import forget_old_runs, read_open_runs, write_run
from strangler.link.mirrored import Account, Batch, Opening
from strangler.model.errors import StranglerError
from strangler.model.shadow import SHADOW, Comparing, Shadow
from strangler.shadow.evidence import Evidence

__all__ = ["Ledger", "LedgerUnavailable", "NoSuchRun", "fingerprint_of"]

logger = logging.getLogger("strangler.ledger")

GONE_FOR_GOOD = 3600.0
"""Seconds without a connection, while there is a comparator to connect to: a worker that lives tries every second."""


class NoSuchRun(StranglerError):
    """A route, or a run of it, that the ledger does not have."""


class Ledger:
    """The only writer of the file. One thread's own."""

    def __init__(self, path: Path, connection: sqlite3.Connection) -> None:
        """Use ``open``."""
        self._path = path
        self._connection = connection
        self._writer = secrets.token_hex(8)
        self._runs: dict[int, Run] = {}
        """Those that go on, and those of which exchanges are on their way."""
        self._open: dict[str, Run] = {}
        """By route."""
        self._gone: dict[str, float | None] = {}
        """Since when each worker is not connected; None for one that is."""
        self._met: set[str] = set()
        """Workers of which that is not in the file yet."""
        self._left_for_good: set[str] = set()
        """Workers that are in the file, and shall not be."""
        self._next = 1
        self._at = 0.0
        """When it was last flushed; about now."""

    @classmethod
    def open(cls, path: Path, at: float) -> Self:
        """Open or make the file. What an earlier comparator had received and not settled counts as lost from here on,
        and every worker as gone until it is ``settle``d again. ``at``: seconds since the epoch, here and everywhere.
        An earlier writer that is still there is refused from now on. A run whose evidence cannot be read is succeeded
        by a new one. Raises ``LedgerUnavailable``, also if a newer version made the file."""
        ledger = cls(path, open_to_write(path))
        try:
            ledger._take_over(at)
        except BaseException:
            ledger._connection.close()
            raise
        return ledger

    def _take_over(self, at: float) -> None:
        self._at, connection = at, self._connection
        with failures_of(self._path), transaction(connection):
            connection.execute("UPDATE ledger SET writer = ?", (self._writer,))
            connection.execute("UPDATE runs SET queued = 0")
            connection.execute("UPDATE workers SET gone = ? WHERE gone IS NULL", (at,))
            self._gone.update(connection.execute("SELECT worker, gone FROM workers"))
            self._next = connection.execute("SELECT coalesce(max(id), 0) + 1 FROM runs").fetchone()[0]
            for run in read_open_runs(connection):
                self._runs[run.id] = self._open[run.route] = run
        unreadable = [run for run in self._open.values() if run.unreadable is not None]
        for run in unreadable:
            logger.warning(
                "the evidence of run %d of %s cannot be read: another version wrote it, or it is damaged; a new run"
                " begins, and that one keeps its counts",
                run.number,
                run.route,
            )
            reason = f"the evidence of run {run.number} cannot be read"
            self._begin_by(run.fingerprint, run.rules, run.route, reason, at)
        if unreadable:
            self.flush(at)

    # Runs

    def open_run(self, route: str, shadow: Shadow, at: float) -> int:
        """The run of a route that is compared by ``shadow.comparing``: the one that is going on, if those are its
        rules, otherwise a new one. Call it for each shadowed route at the start and at each snapshot. Runs of a route
        beyond the newest ten are forgotten. A new run is in the file when this returns. Raises ``LedgerUnavailable``;
        the run has begun all the same, and the next flush writes it."""
        run = self._open.get(route)
        if run is None or run.fingerprint != fingerprint_of(shadow.comparing):
            reason = "the first of this route" if run is None else "other rules of comparing"
            run = self._begin(route, shadow.comparing, reason, at)
            run.keep = shadow.samples
            self.flush(at)
        run.keep = shadow.samples
        return run.id

    def restart(self, route: str, reason: str, at: float) -> int:
        """Begin a new run by the same rules; it is in the file when this returns. Raises ``NoSuchRun`` if the route has
        none, and as ``open_run`` does."""
        old = self._open.get(route)
        if old is None:
            raise NoSuchRun(f"nothing of the route «{route}» has been compared, so that there is nothing to begin anew")
        new = self._begin_by(old.fingerprint, old.rules, route, reason, at)
        new.keep = old.keep
        self.flush(at)
        return new.id

    def _begin(self, route: str, comparing: Comparing, reason: str, at: float) -> Run:
        rules = msgspec.json.encode(comparing).decode()
        return self._begin_by(fingerprint_of(comparing), rules, route, reason, at)

    def _begin_by(self, fingerprint: str, rules: str, route: str, reason: str, at: float) -> Run:
        old = self._open.get(route)
        new = Run(self._next, route, old.number + 1 if old else 1, fingerprint, rules, at, reason)
        self._next += 1
        self._runs[new.id] = self._open[route] = new
        if old is not None:
            old.succeed(new, at)
        return new

    def evidence(self, run: int) -> Evidence:
        """The run's, as last told or, at first, as the file has it: from it goes on who compares. Raises ``NoSuchRun``
        for one that has ended and is written."""
        return self._known(run).evidence

    # Workers

    def settle(self, opening: Opening, at: float) -> None:
        """A worker has connected, for the first time or again."""
        self._meet(opening.worker, None)
        self._tell(opening.worker, opening.accounts, at)

    def receive(self, worker: str, batch: Batch) -> tuple[int, ...]:
        """A batch has come: the run of each of its exchanges, in their order. Each must be ``finish``ed once. A route
        that has no run yet gets one by the default rules."""
        at = max((exchange.at for exchange in batch.exchanges), default=self._at)
        self._tell(worker, batch.accounts, at)
        runs = [self._run_of(exchange.route, at) for exchange in batch.exchanges]
        for run in runs:
            run.receive()
        return tuple(run.id for run in runs)

    def part(self, worker: str, at: float) -> None:
        """A worker's connection has ended, and all that came over it was received."""
        if worker in self._gone:
            self._meet(worker, at)

    def _meet(self, worker: str, gone: float | None) -> None:
        self._gone[worker] = gone
        self._met.add(worker)

    def _tell(self, worker: str, accounts: Iterable[Account], at: float) -> None:
        for account in accounts:
            self._run_of(account.route, at).tell(worker, tally_of(account))

    def _run_of(self, route: str, at: float) -> Run:
        run = self._open.get(route)
        return run if run is not None else self._begin(route, SHADOW.comparing, "the first of this route", at)

    # Exchanges

    def finish(self, run: int, outcome: Outcome) -> None:
        """One exchange has ended. Raises ``NoSuchRun`` for a run of which none is on its way."""
        self._known(run).finish(outcome)

    def _known(self, run: int) -> Run:
        known = self._runs.get(run)
        if known is None:
            raise NoSuchRun(f"the run {run} does not go on, and no exchange of it is on its way")
        return known

    # The file

    def flush(self, at: float) -> None:
        """Write all that was told since the last flush, in one transaction. Raises ``LedgerUnavailable``: nothing was
        written then, nothing is forgotten, and the next flush tries again."""
        self._at = at
        self._fold(at)
        changed = [run for run in self._runs.values() if run.is_changed]
        if not changed and not self._met and not self._left_for_good:
            return
        with failures_of(self._path), transaction(self._connection):
            self._refuse_a_second_writer()
            for run in changed:
                write_run(self._connection, run)
                if run.is_new:
                    forget_old_runs(self._connection, run.route, frozenset(self._runs))
            self._write_workers()
            self._connection.execute("UPDATE ledger SET flushed = ?", (at,))
        self._met.clear()
        self._left_for_good.clear()
        for run in changed:
            run.written()
            if run.ended is not None and run.queued == 0:
                del self._runs[run.id]

    def _write_workers(self) -> None:
        met = [(worker, self._gone[worker]) for worker in self._met]
        self._connection.executemany("INSERT OR REPLACE INTO workers VALUES (?, ?)", met)
        gone = [(worker,) for worker in self._left_for_good]
        self._connection.executemany("DELETE FROM workers WHERE worker = ?", gone)

    def _refuse_a_second_writer(self) -> None:
        (writer,) = self._connection.execute("SELECT writer FROM ledger").fetchone()
        if writer != self._writer:
            raise LedgerUnavailable(f"another comparator has taken over the ledger {self._path}: this one must end")

    def _fold(self, at: float) -> None:
        """Workers come and go for months: those that are gone for good become one row."""
        for worker, gone in tuple(self._gone.items()):
            if gone is not None and at - gone > GONE_FOR_GOOD:
                for run in self._open.values():
                    run.fold(worker)
                del self._gone[worker]
                self._met.discard(worker)
                self._left_for_good.add(worker)

    def close(self, at: float) -> None:
        """Flush; what is not finished counts as lost; close the file. Raises ``LedgerUnavailable``, with it closed."""
        try:
            for run in self._runs.values():
                run.is_changed = run.is_changed or run.queued > 0
                run.queued = 0
            for worker, gone in tuple(self._gone.items()):
                if gone is None:
                    self._meet(worker, at)
            self.flush(at)
        finally:
            self._connection.close()


def fingerprint_of(comparing: Comparing) -> str:
    """Of the rules by which a route is compared: other rules, another run."""
    return hashlib.sha256(msgspec.json.encode(comparing)).hexdigest()[:16]
