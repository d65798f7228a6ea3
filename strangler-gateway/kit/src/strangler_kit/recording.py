"""Watch the engines of an application, so that the rows that a request writes are known. Needs SQLAlchemy.

Before a statement changes rows, they are read in its transaction by its own condition (and on PostgreSQL locked as it
will lock them); before the transaction commits, they are read again. What differs is the effect. So it does not matter
whether the ORM or Core wrote, in one statement or in many, nor what a savepoint took back.

What is not seen: statements past SQLAlchemy; other tables that a trigger writes; rows that a SELECT writes by calling a
function. What is seen and cannot be followed makes the report say that it is not complete.
"""

import json
import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext
from typing import Any

from sqlalchemy import (
    Connection,
    Delete,
    Engine,
    Insert,
    Select,
    Table,
    Update,
    and_,
    delete,
    event,
    false,
    or_,
    select,
)
from sqlalchemy.engine import CursorResult, ExceptionContext
from sqlalchemy.exc import DBAPIError, SQLAlchemyError
from sqlalchemy.sql.elements import ClauseElement

from strangler_kit.effects import Columns, Recording, Transaction, current, unrecorded
from strangler_kit.images import Image, NoKey, RawKey, Shape, images, shape_of
from strangler_kit.statements import (
    TOO_MANY,
    CannotFollow,
    Parameters,
    changes_key,
    check_reads_only,
    check_size,
    conflict_columns,
    followers,
    given_rows,
    table_of,
    text_reads_only,
)
from strangler_kit.touched import Outbox, Work
from strangler_kit.values import NoValue

__all__ = ["Outbox", "Recorder"]

_log = logging.getLogger(__name__)


class Recorder:
    """Watches one engine, and what is derived from it by ``execution_options``.

    Costs a request that is not recorded a look at a context variable per statement. ``outbox`` is where the
    application's events wait. For an ``AsyncEngine`` give its ``sync_engine``.
    """

    def __init__(self, engine: Engine, *, outbox: Outbox | None = None) -> None:
        self._dialect = engine.dialect
        self._outbox = outbox
        self._shapes: dict[Table, Shape] = {}
        self._proven: set[tuple[str, str]] = set()
        """Tables, and what is done to them, whose rows have been read before: it works."""
        event.listen(engine, "before_execute", self._before, retval=True)
        event.listen(engine, "after_execute", self._after)
        event.listen(engine, "before_cursor_execute", self._before_driver)
        event.listen(engine, "begin", self._begun)
        event.listen(engine, "commit", self.settle)
        event.listen(engine, "rollback", self._rolled_back)
        event.listen(engine, "prepare_twophase", self._prepared)
        event.listen(engine, "handle_error", self._failed)

    def settle(self, connection: Connection) -> None:
        """Read what the connection's transaction has written, and take it for committed.

        Happens by itself before a commit; a transaction that will be rolled back on purpose is settled by hand.
        """
        recording = current()
        work = recording.unfinished.pop(connection, None) if recording else None
        if recording is None or work is None or not work.touched or not recording.complete:
            return
        with _at_our_own_risk(recording):
            recording.committed(connection, self._result(connection, work))

    def _before(
        self, connection: Connection, statement: Any, multiparams: Any, params: Any, _options: Any
    ) -> tuple[Any, Any, Any]:
        recording = current()
        if recording is not None and recording.complete:
            with _at_our_own_risk(recording):
                statement = self._prepare(recording, connection, statement, multiparams or [params])
        return statement, multiparams, params

    def _before_driver(
        self, _connection: Connection, _cursor: Any, statement: str, _given: Any, context: Any, _many: Any
    ) -> None:
        """What goes to the driver without having been a statement of SQLAlchemy's (``exec_driver_sql``)."""
        recording = current()
        if recording is not None and context.compiled is None and not text_reads_only(statement):
            recording.give_up(f"SQL by hand: {statement[:60]}")

    def _prepare(
        self, recording: Recording, connection: Connection, statement: Any, sets: Sequence[Parameters]
    ) -> ClauseElement:
        if isinstance(statement, Insert | Update | Delete):
            if _is_autocommit(connection):
                raise CannotFollow("a statement was committed by itself (AUTOCOMMIT)")
            work: Work = recording.unfinished.setdefault(connection, Work(recording.max_rows))
            work.begin(self._shape(table_of(statement)))
            if isinstance(statement, Insert):
                return self._before_insert(connection, work, statement, sets)
            self._before_change(connection, work, statement, sets)
        else:
            check_reads_only(statement)
        return statement  # type: ignore[no-any-return]

    def _before_insert(
        self, connection: Connection, work: Work, statement: Insert, sets: Sequence[Parameters]
    ) -> ClauseElement:
        """Read the rows that ON CONFLICT would change, and see to it that the keys of new ones are returned."""
        shape = self._shape(table_of(statement))
        if statement._prefixes:  # noqa: SLF001 - INSERT OR REPLACE and its like have no other mark
            raise CannotFollow(f"an INSERT into {shape.name} has a prefix")
        rows = given_rows(statement, sets)
        check_size(connection, statement, len(rows), work.most)
        theirs = bool(statement._returning or statement._return_defaults)  # noqa: SLF001 - nothing else tells
        conflict = conflict_columns(statement)
        upsert = statement._post_values_clause is not None  # noqa: SLF001
        if upsert and not conflict and theirs and all(column.key in row for row in rows for column in shape.key):
            conflict = shape.key  # what was there already is not new, whatever is returned
        if conflict:
            if any(column.key not in row for row in rows for column in conflict):
                raise CannotFollow(f"ON CONFLICT on {shape.name} depends on values that the database makes")
            wanted = or_(*(and_(*(column == row[column.key] for column in conflict)) for row in rows))
            for image in self._read(connection, work, statement, shape, select(*shape.read).where(wanted)):
                work.touch(shape, image.raw, image.values)
        many = len(rows) > 1 or statement.select is not None or statement._inline  # noqa: SLF001
        if theirs or not (many or upsert) or not self._dialect.insert_returning:
            return statement
        work.own_returning = True
        return statement.returning(*shape.key)

    def _before_change(
        self, connection: Connection, work: Work, statement: Update | Delete, sets: Sequence[Parameters]
    ) -> None:
        """Read the rows that an UPDATE or DELETE will find."""
        shape = self._shape(table_of(statement))
        if isinstance(statement, Update) and changes_key(statement, sets):
            raise CannotFollow(f"a primary key of {shape.name} was changed")
        query = select(*shape.read)
        if (condition := statement.whereclause) is not None:
            query = query.where(condition)
        for given in sets:
            found = self._read(connection, work, statement, shape, query, given)
            work.expected += len(found)
            self._touch(connection, work, statement, shape, found)

    def _touch(
        self, connection: Connection, work: Work, statement: Update | Delete, shape: Shape, found: list[Image]
    ) -> None:
        """Remember rows, and those that the database will change because of them."""
        new = [image for image in found if (shape.name, image.raw) not in work.followed]
        work.followed |= {(shape.name, image.raw) for image in new}
        for image in new:
            work.touch(shape, image.raw, image.values)
        for constraint in followers(shape.table, deleting=isinstance(statement, Delete)) if new else ():
            assert isinstance(constraint.table, Table)
            child, parent = self._shape(constraint.table), shape.table.alias()
            joined = and_(*(key.parent == parent.c[key.column.key] for key in constraint.elements))
            gone = shape.among(parent, [image.raw for image in new])
            query = select(*child.read).join_from(child.table, parent, joined).where(gone)
            self._touch(connection, work, statement, child, self._read(connection, work, statement, child, query))

    def _after(
        self, connection: Connection, _statement: Any, _multi: Any, _params: Any, _options: Any, result: Any
    ) -> None:
        recording = current()
        work = recording.unfinished.get(connection) if recording else None
        if recording is None or work is None or work.written is None:
            return
        shape, work.written = work.written, None
        with _at_our_own_risk(recording):
            if result.context.isinsert:
                for raw in self._new_keys(work, shape, result):
                    work.touch(shape, raw, None)
            elif result.rowcount > work.expected:
                raise CannotFollow(f"a statement wrote {result.rowcount} rows of {shape.name}, not {work.expected}")

    def _new_keys(self, work: Work, shape: Shape, result: CursorResult[Any]) -> list[RawKey]:
        """The keys of the rows that an INSERT has made (or, ON CONFLICT, changed)."""
        context: Any = result.context
        if work.own_returning:
            rows = result.all()
            context._rowcount = len(rows)  # noqa: SLF001 - the application asked for no rows, and may ask for their number
            keys = [tuple(row) for row in rows]
        else:
            keys = _returned(shape, result) if result.returns_rows else []
            keys = keys or [tuple(row) for row in context.inserted_primary_key_rows if row is not None]
        if any(value is None for key in keys for value in key):
            raise CannotFollow(f"the keys of new rows of {shape.name} were not returned")
        return [shape.raw_of(key, self._dialect) for key in keys]

    def _result(self, connection: Connection, work: Work) -> Transaction:
        """Read again what was touched."""
        shapes = {touched.shape.name: touched.shape for touched in work.touched.values()}
        after: dict[tuple[str, str], Columns] = {}
        for name, shape in shapes.items():
            for query in shape.having([row.raw for row in work.touched.values() if row.shape.name == name]):
                found = self._read(connection, work, None, shape, query)
                after |= {(name, json.dumps(image.key)): image.values for image in found}
        if after.keys() - work.touched.keys():
            raise CannotFollow("a key has another form in the database than in the statement")
        return work.outcome(after, self._outbox)

    def _read(
        self, connection: Connection, work: Work, statement: Insert | Update | Delete | None, shape: Shape,
        query: Select[Any], given: Parameters | None = None,
    ) -> list[Image]:  # fmt: skip
        """Rows of one table, locked if a statement is about to write them. Raises ``CannotFollow``."""
        sqlite, kind = self._dialect.name == "sqlite", (shape.name, type(statement).__name__)
        proven = kind in self._proven or sqlite
        if statement is not None and not sqlite:
            query = query.with_for_update(of=shape.table, key_share=not isinstance(statement, Delete))
        try:
            if statement is not None and sqlite and not work.locked:
                # Takes the write lock now: a transaction that reads first may not be allowed to write any more.
                connection.execute(delete(shape.table).where(false()))
                work.locked = True
            # A view, for instance, may be written and yet not be locked: that must not end the transaction.
            with nullcontext() if proven else connection.begin_nested():
                found = images(connection, shape, query.limit(work.most + 1), given)
        except DBAPIError as error:
            if proven and getattr(error.orig, "sqlstate", None) is not None:
                raise  # the transaction is lost, by a deadlock for instance, and whoever began it must know
            raise CannotFollow(f"rows of {shape.name} cannot be read: {error.orig}") from error
        self._proven.add(kind)
        if len(found) > work.most:
            raise CannotFollow(TOO_MANY)
        return found

    def _shape(self, table: Table) -> Shape:
        found = self._shapes.get(table)
        if found is None:
            found = self._shapes[table] = shape_of(table, self._dialect)
        return found

    def _begun(self, connection: Connection) -> None:
        if recording := current():
            recording.begun(connection)

    def _rolled_back(self, connection: Connection) -> None:
        if recording := current():
            recording.unfinished.pop(connection, None)

    def _prepared(self, _connection: Connection, _xid: Any) -> None:
        if recording := current():
            recording.give_up("a transaction was committed in two phases")

    def _failed(self, failure: ExceptionContext) -> None:
        """A commit can fail after all, by a deferred constraint for instance."""
        recording = current()
        if recording is not None and failure.statement is None:
            recording.not_committed(failure.connection)


@contextmanager
def _at_our_own_risk(recording: Recording) -> Iterator[None]:
    """Whatever goes wrong within makes the report incomplete, and nothing else.

    But for a transaction that is lost by it: whoever began that must know.
    """
    try:
        with unrecorded():
            yield
    except DBAPIError:
        raise
    except (CannotFollow, NoKey, NoValue) as error:
        recording.give_up(str(error))
    except Exception as error:  # noqa: BLE001 - what we have not thought of must not fail an application's write
        _log.exception("what a request writes cannot be followed")
        recording.give_up(f"{type(error).__name__}: {error}")


def _returned(shape: Shape, result: CursorResult[Any]) -> list[tuple[Any, ...]]:
    """The keys in what the application asked to be returned, which it can still fetch afterwards."""
    rows = result.all()
    result._rewind(rows)  # noqa: SLF001 - as SQLAlchemy does where it needs what was returned itself
    try:
        return [tuple(row._mapping[column] for column in shape.key) for row in rows]  # noqa: SLF001 - public by its documentation
    except (KeyError, SQLAlchemyError):
        return []


def _is_autocommit(connection: Connection) -> bool:
    level = connection.get_execution_options().get("isolation_level")
    return (level or getattr(connection.dialect, "_on_connect_isolation_level", None)) == "AUTOCOMMIT"
