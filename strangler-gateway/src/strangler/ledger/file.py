"""The ledger's file: its tables, how it is opened for writing and for reading, and what may go wrong with it."""

import contextlib
import sqlite3
from collections.abc import Iterator
from pathlib import Path

from strangler.model.errors import StranglerError

VERSION = 1
"""Of the tables; kept in the file as ``user_version``."""
BUSY_TIMEOUT = 2.0
"""Seconds to wait for a lock. Readers take none, and there is one writer, so that only somebody who copies the file
could hold one."""

_TABLES = """
CREATE TABLE ledger (
    writer TEXT NOT NULL,      -- who opened it last: nobody else may write
    flushed REAL NOT NULL
);
CREATE TABLE workers (
    worker TEXT PRIMARY KEY,
    gone REAL                  -- since when it is not connected; NULL while it is
);
CREATE TABLE runs (
    id INTEGER PRIMARY KEY,
    route TEXT NOT NULL,
    number INTEGER NOT NULL,   -- within the route, from 1
    fingerprint TEXT NOT NULL,
    rules TEXT NOT NULL,
    began REAL NOT NULL,
    ended REAL,
    reason TEXT NOT NULL,
    queued INTEGER NOT NULL,   -- received and not finished, at the last flush
    evidence BLOB NOT NULL,
    latencies TEXT NOT NULL,   -- of primary and candidate: two lists of counts
    UNIQUE (route, number)
);
CREATE TABLE tallies (         -- what a worker's requests have added to a run: its totals less what they were before
    run INTEGER NOT NULL REFERENCES runs,
    worker TEXT NOT NULL,      -- '' for all that are gone for good
    requests INTEGER NOT NULL,
    sent INTEGER NOT NULL,
    skipped TEXT NOT NULL,
    before TEXT NOT NULL,      -- the totals when the run began
    PRIMARY KEY (run, worker)
) WITHOUT ROWID;
CREATE TABLE counts (
    run INTEGER NOT NULL REFERENCES runs,
    kind TEXT NOT NULL,        -- heading, normalised, ignored, cut
    name TEXT NOT NULL,
    count INTEGER NOT NULL,
    PRIMARY KEY (run, kind, name)
) WITHOUT ROWID;
CREATE TABLE samples (
    id INTEGER PRIMARY KEY,
    run INTEGER NOT NULL REFERENCES runs,
    size INTEGER NOT NULL,
    content BLOB NOT NULL
);
CREATE INDEX samples_of_run ON samples (run);
CREATE TABLE sample_fields (   -- in which fields the pair differs
    run INTEGER NOT NULL,
    field TEXT NOT NULL,
    sample INTEGER NOT NULL,
    PRIMARY KEY (run, field, sample)
) WITHOUT ROWID;
CREATE INDEX fields_of_sample ON sample_fields (sample);
"""


class LedgerUnavailable(StranglerError):
    """The file cannot be opened, read or written; says which, and why."""


def open_to_write(path: Path) -> sqlite3.Connection:
    """A connection to the file, which is made if it is not there. Raises ``LedgerUnavailable``."""
    with failures_of(path):
        path.touch(0o600)
        connection = sqlite3.connect(path, timeout=BUSY_TIMEOUT, isolation_level=None)
        try:
            connection.execute("PRAGMA journal_mode=WAL")
            # NORMAL: a flush waits for no disk. What a power cut takes is whole transactions, the newest ones, with
            # both sides of every sum in each, and it takes the workers along whose accounts they would have to agree
            # with. The death of a process takes nothing.
            connection.execute("PRAGMA synchronous=NORMAL")
            connection.execute("PRAGMA journal_size_limit=16777216")
            with transaction(connection):
                if _version(connection, path) == 0:
                    for statement in _TABLES.split(";\n"):
                        connection.execute(statement)
                    connection.execute(f"PRAGMA user_version={VERSION}")
                    connection.execute("INSERT INTO ledger VALUES ('', 0)")
        except BaseException:
            connection.close()
            raise
        return connection


@contextlib.contextmanager
def opened_to_read(path: Path) -> Iterator[sqlite3.Connection | None]:
    """A connection that sees one state throughout; None if there is no file, or nothing in it yet. Raises
    ``LedgerUnavailable``."""
    with failures_of(path):
        if not path.exists():
            yield None
            return
        connection = sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True, timeout=BUSY_TIMEOUT)
        with contextlib.closing(connection):
            connection.isolation_level = None
            connection.execute("BEGIN")
            yield connection if _version(connection, path) else None


@contextlib.contextmanager
def transaction(connection: sqlite3.Connection) -> Iterator[None]:
    """One that writes: all of it, or nothing."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
        connection.execute("COMMIT")
    except BaseException:
        # A COMMIT that failed on a full disk may have rolled back already.
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise


@contextlib.contextmanager
def failures_of(path: Path) -> Iterator[None]:
    """The errors of database and disk, in words."""
    try:
        yield
    except OSError as error:
        raise LedgerUnavailable(f"the ledger {path} is not available: {error.strerror}") from error
    except sqlite3.DatabaseError as error:
        remedy = ""
        if not isinstance(error, sqlite3.OperationalError):
            remedy = "; move the file away, and what is compared from then on goes into a new one"
        raise LedgerUnavailable(f"the ledger {path} is not available: {error}{remedy}") from error


def _version(connection: sqlite3.Connection, path: Path) -> int:
    version: int = connection.execute("PRAGMA user_version").fetchone()[0]
    if version > VERSION:
        raise LedgerUnavailable(
            f"the ledger {path} was written by a newer version of strangler (its tables are {version}, these"
            f" {VERSION}): use that version, or move the file away"
        )
    return version
