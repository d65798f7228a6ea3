"""All queries of the service. Each function works in the transaction of the connection that it is given."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Row, Select, Table, UnaryExpression, delete, func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from catalog_service.tables import categories, products
from catalog_service.text import fold
from catalog_service.wire import CategoryQuery, Paging, ProductQuery, minor_units

_PRODUCT_ORDER = {
    "id": products.c.id,
    "name": products.c.name_key,
    "price": products.c.price_minor,
    "created_at": products.c.created_at,
}
_CATEGORY_ORDER = {"id": categories.c.id, "name": categories.c.name_key}


@dataclass(frozen=True, slots=True)
class Found:
    """One page of rows, and how many there are on all pages."""

    rows: Sequence[Row[Any]]
    total: int


async def one(connection: AsyncConnection, table: Table, row_id: int, *, to_change: bool = False) -> Row[Any] | None:
    """Return the row, or None. `to_change` keeps others from changing it until the transaction ends."""
    query = select(table).where(table.c.id == row_id)
    return (await connection.execute(query.with_for_update() if to_change else query)).one_or_none()


async def add(connection: AsyncConnection, table: Table, values: Mapping[str, Any]) -> Row[Any]:
    """Insert a row and return it whole. Raises IntegrityError where a unique value exists."""
    return (await connection.execute(insert(table).values(values).returning(*table.c))).one()


async def change(connection: AsyncConnection, table: Table, row_id: int, values: Mapping[str, Any]) -> Row[Any]:
    """Set columns of a row and return it whole. Raises IntegrityError where a unique value exists."""
    statement = update(table).where(table.c.id == row_id).values(values).returning(*table.c)
    return (await connection.execute(statement)).one()


async def remove(connection: AsyncConnection, table: Table, row_id: int) -> None:
    await connection.execute(delete(table).where(table.c.id == row_id))


async def category_exists(connection: AsyncConnection, category_id: int) -> bool:
    """Say whether there is such a category, and keep it from being deleted until the transaction ends."""
    query = select(categories.c.id).where(categories.c.id == category_id).with_for_update(read=True, key_share=True)
    return (await connection.execute(query)).one_or_none() is not None


async def category_has_products(connection: AsyncConnection, category_id: int) -> bool:
    query = select(products.c.id).where(products.c.category_id == category_id).limit(1)
    return (await connection.execute(query)).one_or_none() is not None


async def find_products(connection: AsyncConnection, query: ProductQuery) -> Found:
    return await _page(
        connection, select(products).where(*_conditions(query)), _order(_PRODUCT_ORDER, query.sort), query
    )


async def find_categories(connection: AsyncConnection, query: CategoryQuery) -> Found:
    return await _page(connection, select(categories), _order(_CATEGORY_ORDER, query.sort), query)


def _conditions(query: ProductQuery) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = []
    if query.q:
        conditions.append(products.c.search_text.contains(fold(query.q), autoescape=True))
    if query.category_id is not None:
        conditions.append(products.c.category_id == query.category_id)
    if query.active is not None:
        conditions.append(products.c.active == query.active)
    if query.min_price is not None:
        conditions.append(products.c.price_minor >= minor_units(query.min_price))
    if query.max_price is not None:
        conditions.append(products.c.price_minor <= minor_units(query.max_price))
    return conditions


def _order(columns: Mapping[str, ColumnElement[Any]], sort: str) -> list[UnaryExpression[Any]]:
    """Turn `-price` into descending price, with ties in ascending order of id whatever the direction."""
    column = columns[sort.removeprefix("-")]
    first = column.desc() if sort.startswith("-") else column.asc()
    return [first] if sort in {"id", "-id"} else [first, columns["id"].asc()]


async def _page(
    connection: AsyncConnection, query: Select[Any], order: list[UnaryExpression[Any]], paging: Paging
) -> Found:
    total = (await connection.execute(select(func.count()).select_from(query.subquery()))).scalar_one()
    if paging.offset >= total:
        return Found((), total)
    page = query.order_by(*order).offset(paging.offset).limit(paging.page_size)
    return Found((await connection.execute(page)).all(), total)
