"""The store: every change and its audit row in one transaction. Blocking; control calls it from a thread."""

import contextlib
import dataclasses
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa

from strangler.control.store.change import AuditRow, Change, StoredFlag
from strangler.control.store.engine import open_engine, unavailable, writing
from strangler.control.store.schema import migrate
from strangler.control.store.tables import LONGEST_AUTHOR, audit, flags, state
from strangler.model.flag import Flag, Stage

_BATCH = 500
"""Rows per statement: below the least number of variables that a build of SQLite takes (999)."""


class Writing:
    """One write transaction; what it reads is what it changes, since no other can write meanwhile."""

    def __init__(self, connection: sa.Connection) -> None:
        self._connection = connection
        # On PostgreSQL this row is the lock that serialises writers; SQLite has one for the whole file.
        row = connection.execute(sa.select(state).with_for_update()).one()
        self.revision: int = row.revision
        self.topology: str = row.topology
        self.kill_sequence: int = row.kill_sequence
        self._bumped = False

    def bump(self, at_least: int = 0) -> int:
        """Make this transaction a new revision (once), greater than ``at_least``; return its number."""
        if not self._bumped:
            self.revision = max(self.revision, at_least) + 1
            self._connection.execute(state.update().values(revision=self.revision))
            self._bumped = True
        return self.revision

    def adopt(self, topology: str) -> None:
        """Note the topology that the flags belong to."""
        self.topology = topology
        self._connection.execute(state.update().values(topology=topology))

    def merged_kills(self, sequence: int) -> None:
        """Note that the audit has every kill event up to ``sequence``."""
        self.kill_sequence = sequence
        self._connection.execute(state.update().values(kill_sequence=sequence))

    def flags(self) -> dict[str, StoredFlag]:
        """All flags, those of routes that are gone too, by route."""
        return _flags(self._connection)

    def present_flags(self) -> dict[str, Flag]:
        """The flags of the adopted topology's routes, by route."""
        return {name: stored.flag for name, stored in self.flags().items() if stored.present}

    def put(self, stored: Iterable[StoredFlag]) -> None:
        """Insert flags, or replace those that are there."""
        rows = [_row(flag) for flag in stored]
        for start in range(0, len(rows), _BATCH):
            batch = rows[start : start + _BATCH]
            self._connection.execute(flags.delete().where(flags.c.route.in_([row["route"] for row in batch])))
            self._connection.execute(flags.insert(), batch)

    def record(self, changes: Iterable[Change]) -> None:
        """Write audit rows, under the revision that this transaction has by now."""
        now = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        rows = [
            dataclasses.asdict(change)
            | {
                "at": change.at or now,
                "author": _storable(change.author)[:LONGEST_AUTHOR],
                "reason": _storable(change.reason),
                "revision": self.revision,
            }
            for change in changes
        ]
        if rows:
            self._connection.execute(audit.insert(), rows)


class Store:
    """The database. Every method raises ``StoreUnavailable`` if it cannot be had in time."""

    def __init__(self, url: str) -> None:
        self._engine = open_engine(url)

    @property
    def url(self) -> str:
        """Where it is, without the password."""
        return self._engine.url.render_as_string(hide_password=True)

    def migrate(self) -> None:
        """Bring the schema up to date."""
        with unavailable(self._engine):
            migrate(self._engine)

    @contextlib.contextmanager
    def writing(self) -> Iterator[Writing]:
        """A transaction that is committed at the block's end; an exception in the block leaves nothing behind."""
        with unavailable(self._engine), writing(self._engine.connect()) as connection, connection.begin():
            yield Writing(connection)

    def ping(self) -> None:
        """Return if the store answers."""
        with self._reading() as connection:
            connection.execute(sa.select(state.c.revision)).one()

    def kill_sequence(self) -> int:
        """The last kill event that the audit has; 0 for none."""
        with self._reading() as connection:
            return int(connection.execute(sa.select(state.c.kill_sequence)).scalar_one())

    def flags(self) -> dict[str, StoredFlag]:
        """All flags, those of routes that are gone too, by route."""
        with self._reading() as connection:
            return _flags(connection)

    def history(self, routes: Iterable[str] | None, limit: int, before: int | None = None) -> list[AuditRow]:
        """The newest rows first: of ``routes`` if given, and with an id below ``before`` if given."""
        query = sa.select(audit).order_by(audit.c.id.desc()).limit(limit)
        if routes is not None:
            query = query.where(audit.c.route.in_(list(routes)))
        if before is not None:
            query = query.where(audit.c.id < before)
        with self._reading() as connection:
            return [AuditRow(**row) for row in connection.execute(query).mappings()]

    def close(self) -> None:
        """Give every connection back."""
        self._engine.dispose()

    @contextlib.contextmanager
    def _reading(self) -> Iterator[sa.Connection]:
        with unavailable(self._engine), self._engine.connect() as connection, connection.begin():
            yield connection


def _flags(connection: sa.Connection) -> dict[str, StoredFlag]:
    return {
        row.route: StoredFlag(Flag(row.route, Stage(row.stage), row.weight, tuple(row.cohorts)), row.present)
        for row in connection.execute(sa.select(flags).order_by(flags.c.route))
    }


def _storable(text: str) -> str:
    """What every database takes. PostgreSQL refuses NUL, and a kill that has happened must come into the history."""
    return text.replace("\0", "\N{REPLACEMENT CHARACTER}")


def _row(stored: StoredFlag) -> dict[str, Any]:
    flag = stored.flag
    return {
        "route": flag.route,
        "stage": flag.stage.value,
        "weight": flag.weight,
        "cohorts": list(flag.cohorts),
        "present": stored.present,
    }
