"""Rows as they are in the database, read past whatever an application's types make of them. Needs SQLAlchemy."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import (
    Column,
    Connection,
    Dialect,
    FromClause,
    Select,
    String,
    Table,
    and_,
    cast,
    or_,
    select,
    type_coerce,
)
from sqlalchemy import types as sqltypes
from sqlalchemy.sql.elements import ColumnElement

from strangler_kit.effects import Columns
from strangler_kit.values import Value, told, told_by_sqlite

RawKey = tuple[Any, ...]
"""Of a row: what the driver returns for the columns of its primary key."""

_CHUNK = 500
_AS_THE_DRIVER_READS_THEM = (
    sqltypes.Integer, sqltypes.String, sqltypes.Boolean, sqltypes.Numeric, sqltypes.Float, sqltypes.DateTime,
    sqltypes.Date, sqltypes.Time, sqltypes.Uuid, sqltypes.LargeBinary,
)  # fmt: skip
"""Types whose values drivers return without loss. Others are read as the text that the database makes of them."""


class NoKey(Exception):
    """The table has no primary key, so that its rows cannot be told apart."""


@dataclass(frozen=True, slots=True)
class Image:
    """One row."""

    raw: RawKey
    key: Columns
    values: Columns
    """The other columns."""


@dataclass(frozen=True, slots=True)
class Shape:
    """How the rows of one table are read on one kind of database."""

    table: Table
    name: str
    key: tuple[Column[Any], ...]
    read: tuple[ColumnElement[Any], ...]
    """All columns, those of the key first."""
    names: tuple[str, ...]
    types: tuple[sqltypes.TypeEngine[Any], ...]
    """As the database has them, without what an application puts around them."""
    kinds: tuple[str, ...]
    sqlite: bool

    def image(self, row: Sequence[Any]) -> Image:
        """What a row of ``read`` says. Raises ``NoValue``."""
        values = [
            told_by_sqlite(value, kind) if self.sqlite else told(value)
            for value, kind in zip(row, self.kinds, strict=True)
        ]
        cut = len(self.key)
        return Image(
            tuple(row[:cut]), dict(zip(self.names[:cut], values, strict=False)),
            dict(zip(self.names[cut:], values[cut:], strict=True)),
        )  # fmt: skip

    def key_of(self, raw: RawKey) -> Columns:
        """The key that an image of the row has. Raises ``NoValue``."""
        found: list[Value] = [
            told_by_sqlite(value, kind) if self.sqlite else told(value)
            for value, kind in zip(raw, self.kinds, strict=False)
        ]
        return dict(zip(self.names, found, strict=False))

    def raw_of(self, values: Sequence[Any], dialect: Dialect) -> RawKey:
        """What the driver is given for a key in the types of the application."""
        return tuple(_bound(column, value, dialect) for column, value in zip(self.key, values, strict=True))

    def having(self, keys: Sequence[RawKey]) -> Iterator[Select[Any]]:
        """Queries that find the rows with these keys."""
        for start in range(0, len(keys), _CHUNK):
            yield select(*self.read).where(self.among(self.table, keys[start : start + _CHUNK]))

    def among(self, table: FromClause, keys: Sequence[RawKey]) -> ColumnElement[bool]:
        """The condition that a row of the table, or of an alias of it, has one of these keys."""
        columns = [
            _read(table.c[column.key], kind, sqlite=self.sqlite)
            for column, kind in zip(self.key, self.types, strict=False)
        ]
        if len(columns) == 1:
            return columns[0].in_([raw[0] for raw in keys])
        return or_(*(and_(*(column == value for column, value in zip(columns, raw, strict=True))) for raw in keys))


def shape_of(table: Table, dialect: Dialect) -> Shape:
    """How its rows are read. Raises ``NoKey``."""
    key = tuple(table.primary_key.columns)
    if not key:
        raise NoKey(f"table {table.name} has no primary key")
    columns = (*key, *(column for column in table.columns if not column.primary_key))
    types = tuple(_plain(column, dialect) for column in columns)
    sqlite = dialect.name == "sqlite"
    return Shape(
        table,
        f"{table.schema}.{table.name}" if table.schema else table.name,
        key,
        tuple(_read(column, kind, sqlite=sqlite) for column, kind in zip(columns, types, strict=True)),
        tuple(column.name for column in columns),
        types,
        tuple(map(_kind, types)),
        sqlite,
    )


def images(
    connection: Connection, shape: Shape, query: Select[Any], given: Mapping[str, Any] | None = None
) -> list[Image]:
    """The rows that the query finds, each once. Raises what the driver raises, and ``NoValue``."""
    found: dict[RawKey, Image] = {}
    for row in connection.execute(query, given or {}):
        image = shape.image(row)
        found.setdefault(image.raw, image)
    return list(found.values())


def _plain(column: Column[Any], dialect: Dialect) -> sqltypes.TypeEngine[Any]:
    kind = column.type.dialect_impl(dialect)
    while isinstance(kind, sqltypes.TypeDecorator):
        kind = kind.impl_instance
    return kind


def _read(column: ColumnElement[Any], kind: sqltypes.TypeEngine[Any], *, sqlite: bool) -> ColumnElement[Any]:
    if sqlite or isinstance(kind, _AS_THE_DRIVER_READS_THEM):
        return type_coerce(column, sqltypes.NullType())
    return cast(column, String)


def _kind(found: sqltypes.TypeEngine[Any]) -> str:
    if isinstance(found, sqltypes.Boolean):
        return "boolean"
    if isinstance(found, sqltypes.DateTime):
        return "instant" if found.timezone else "time"
    return ""


def _bound(column: Column[Any], value: Any, dialect: Dialect) -> Any:
    process = column.type.dialect_impl(dialect).bind_processor(dialect)
    return value if process is None else process(value)
