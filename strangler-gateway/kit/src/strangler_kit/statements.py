"""What a statement writes, as far as that can be told before it runs. Needs SQLAlchemy."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import (
    BindParameter,
    Column,
    Connection,
    Delete,
    Insert,
    Table,
    TextClause,
    Update,
    literal,
    select,
)
from sqlalchemy.orm import FromStatement
from sqlalchemy.schema import ExecutableDDLElement, ForeignKeyConstraint
from sqlalchemy.sql import visitors
from sqlalchemy.sql.dml import UpdateBase
from sqlalchemy.sql.elements import ClauseElement
from sqlalchemy.sql.selectable import TextualSelect

Parameters = Mapping[str, Any]

_READS = re.compile(r"\s*(?:SELECT|VALUES|SHOW|EXPLAIN|PRAGMA|WITH|SET|BEGIN|LOCK|TABLE)\b", re.IGNORECASE)
_LOCKS = re.compile(r"\bFOR\s+(?:NO\s+KEY\s+)?UPDATE\b", re.IGNORECASE)
_WRITES = re.compile(
    r"\b(?:INSERT|UPDATE|DELETE|MERGE|REPLACE|INTO|TRUNCATE|CREATE|ALTER|DROP|COMMIT|ROLLBACK|COPY|CALL)\b",
    re.IGNORECASE,
)
_ACTIONS = frozenset(("CASCADE", "SET NULL", "SET DEFAULT"))
TOO_MANY = "more rows were written than are reported"


class CannotFollow(Exception):
    """What the statement writes cannot be told. The message says why."""


def text_reads_only(statement: str) -> bool:
    """Whether SQL that somebody wrote by hand looks as if it wrote nothing. In doubt it does."""
    return bool(_READS.match(statement)) and not _WRITES.search(_LOCKS.sub("", statement))


def writes_within(statement: ClauseElement) -> bool:
    """Whether a part of the statement, such as a common table expression, writes by itself."""
    return any(isinstance(part, UpdateBase) and part is not statement for part in visitors.iterate(statement))


def check_size(connection: Connection, statement: Insert, rows: int, most: int) -> None:
    """See to it that an INSERT makes at most ``most`` rows, of which ``rows`` are named. Raises ``CannotFollow``."""
    if statement.select is not None:
        some = select(literal(1)).select_from(statement.select.subquery()).limit(most + 1)
        rows = len(connection.execute(some).all())
    if rows > most:
        raise CannotFollow(TOO_MANY)


def check_reads_only(statement: Any) -> None:
    """See to it that a statement, which is no INSERT, UPDATE or DELETE, writes nothing. Raises ``CannotFollow``."""
    match statement:
        case ExecutableDDLElement():
            raise CannotFollow("the schema was changed")
        case str() | TextClause():
            text = str(statement)
        case TextualSelect(element=TextClause() as inner) | FromStatement(element=TextClause() as inner):
            text = str(inner)
        case ClauseElement():
            if writes_within(statement):
                raise CannotFollow("a SELECT has a part that writes")
            return
        case _:
            raise CannotFollow(f"a {type(statement).__name__} was executed")
    if not text_reads_only(text):
        raise CannotFollow(f"SQL by hand: {text[:60]}")


def table_of(statement: Insert | Update | Delete) -> Table:
    """The table that is written. Raises ``CannotFollow``."""
    if not isinstance(statement.table, Table):
        raise CannotFollow(f"{type(statement).__name__} of something that is no table")
    if writes_within(statement):
        raise CannotFollow(f"a statement on {statement.table.name} has another inside that writes too")
    # The ORM's statements hold a copy of the table with notes of its own.
    return statement.table.metadata.tables.get(statement.table.key, statement.table)


def changes_key(statement: Update, sets: Sequence[Parameters]) -> bool:
    """Whether an UPDATE sets a column of the primary key."""
    table = statement.table
    keys = {column.key for column in table.primary_key}
    ordered = [name for name, _ in getattr(statement, "_ordered_values", None) or ()]
    named = {getattr(name, "key", name) for name in (*(statement._values or ()), *ordered)}  # noqa: SLF001 - there is no other way to know
    return bool(keys & named) or any(keys & given.keys() for given in sets)


def given_rows(statement: Insert, sets: Sequence[Parameters]) -> list[dict[str, Any]]:
    """The values that an INSERT names, by the keys of columns, for each row. Expressions are left out."""
    rows: list[Mapping[Any, Any]] = [row for some in statement._multi_values for row in some]  # type: ignore[misc] # noqa: SLF001 - as above
    common = dict(statement._values or {})  # noqa: SLF001
    return [_plain_values({**common, **row}) for row in (rows or sets or [{}])]


def conflict_columns(statement: Insert) -> tuple[Column[Any], ...]:
    """The columns by which ON CONFLICT DO UPDATE finds the row that is there; none where no row that is there changes.

    Raises ``CannotFollow``.
    """
    clause = statement._post_values_clause  # noqa: SLF001 - as above
    table = table_of(statement)
    if clause is None or type(clause).__name__ == "OnConflictDoNothing":
        return ()
    if type(clause).__name__ != "OnConflictDoUpdate":
        raise CannotFollow(f"an INSERT into {table.name} has a clause that is not known here")
    elements = getattr(clause, "inferred_target_elements", None)
    if elements is None:
        name = getattr(clause, "constraint_target", None)
        every: list[Any] = [*table.constraints, *table.indexes]
        named = [found for found in every if found.name == name]
        elements = list(named[0].columns) if named else [None]
    names = [str(getattr(element, "key", element)) for element in elements]
    if any(name not in table.c for name in names):
        raise CannotFollow(f"ON CONFLICT on {table.name} names something else than columns")
    return tuple(table.c[name] for name in names)


def followers(table: Table, *, deleting: bool) -> list[ForeignKeyConstraint]:
    """The foreign keys through which the database itself writes other tables when rows of this one go or change."""
    return [
        constraint
        for other in table.metadata.tables.values()
        for constraint in other.foreign_key_constraints
        if constraint.referred_table is table
        and ((constraint.ondelete if deleting else constraint.onupdate) or "").upper() in _ACTIONS
    ]


def _plain_values(values: Mapping[Any, Any]) -> dict[str, Any]:
    found = {}
    for name, value in values.items():
        plain = value.effective_value if isinstance(value, BindParameter) else value
        if not isinstance(plain, ClauseElement) and not hasattr(plain, "__clause_element__"):
            found[str(getattr(name, "key", name))] = plain
    return found
