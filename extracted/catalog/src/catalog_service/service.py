"""The use cases of the catalog: read, create, change and delete products and categories, one transaction each."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Row, Table
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection
from starlette.datastructures import Headers

from catalog_service import repository
from catalog_service.tables import categories, products
from catalog_service.text import fold, search_text
from catalog_service.wire import (
    Category,
    CategoryChanges,
    CategoryPage,
    CategoryQuery,
    Money,
    NewCategory,
    NewProduct,
    Product,
    ProductChanges,
    ProductPage,
    ProductQuery,
)
from chassis.conditional import check_if_match, etag
from chassis.database import Database
from chassis.problems import FieldError, Invalid, NotFound, Problem

Clock = Callable[[], datetime]
_NOUNS = {products.name: "product", categories.name: "category"}


class Duplicate(Problem):
    def __init__(self, detail: str) -> None:
        super().__init__(409, "duplicate", "Already exists", detail)


class CategoryInUse(Problem):
    def __init__(self, category_id: int) -> None:
        super().__init__(409, "category-in-use", "Category in use", f"Category {category_id} still has products.")


def _now() -> datetime:
    return datetime.now(UTC)


class Catalog:
    """Judges what it is asked against the database; raises problems that the client can be told."""

    def __init__(self, database: Database, clock: Clock = _now) -> None:
        self._database = database
        self._clock = clock

    async def check(self) -> None:
        """Return if the tables can be read. Raises what the driver raises, as long as the shop has not created them."""
        async with self._database.reading() as connection:
            await repository.find_categories(connection, CategoryQuery(page_size=1))

    async def product(self, product_id: int) -> Product:
        async with self._database.reading() as connection:
            return _product(await _known(connection, products, product_id))

    async def find_products(self, query: ProductQuery) -> ProductPage:
        async with self._database.reading() as connection:
            found = await repository.find_products(connection, query)
        items = [_product(row) for row in found.rows]
        return ProductPage(items=items, total=found.total, page=query.page, page_size=query.page_size)

    async def create_product(self, new: NewProduct) -> Product:
        now = self._clock()
        try:
            async with self._database.writing() as connection:
                await _check_category(connection, new.category_id)
                values = {
                    "sku": new.sku,
                    "name": new.name,
                    "description": new.description,
                    "category_id": new.category_id,
                    "price_minor": new.price.minor,
                    "currency": new.price.currency,
                    "active": new.active,
                    "name_key": fold(new.name),
                    "search_text": search_text(new.name, new.description, new.sku),
                    "version": 1,
                    "created_at": now,
                    "updated_at": now,
                }
                return _product(await repository.add(connection, products, values))
        except IntegrityError as error:
            raise Duplicate(f"A product with the SKU '{new.sku}' already exists.") from error

    async def change_product(self, product_id: int, changes: ProductChanges, headers: Headers) -> Product:
        async with self._database.writing() as connection:
            if "category_id" in changes.given:
                await _check_category(connection, changes.category_id)
            row = await _known(connection, products, product_id, to_change=True)
            check_if_match(headers, etag(row.version))
            values = _columns(changes)
            texts = {key: values.get(key, getattr(row, key)) for key in ("name", "description")}
            values |= {"name_key": fold(texts["name"]), "search_text": search_text(**texts, sku=row.sku)}
            return _product(await self._update(connection, products, row, values))

    async def delete_product(self, product_id: int, headers: Headers) -> None:
        async with self._database.writing() as connection:
            row = await _known(connection, products, product_id, to_change=True)
            check_if_match(headers, etag(row.version))
            await repository.remove(connection, products, product_id)

    async def category(self, category_id: int) -> Category:
        async with self._database.reading() as connection:
            return _category(await _known(connection, categories, category_id))

    async def find_categories(self, query: CategoryQuery) -> CategoryPage:
        async with self._database.reading() as connection:
            found = await repository.find_categories(connection, query)
        items = [_category(row) for row in found.rows]
        return CategoryPage(items=items, total=found.total, page=query.page, page_size=query.page_size)

    async def create_category(self, new: NewCategory) -> Category:
        now = self._clock()
        key = {"name_key": fold(new.name), "version": 1, "created_at": now, "updated_at": now}
        try:
            async with self._database.writing() as connection:
                return _category(await repository.add(connection, categories, {**new.model_dump(), **key}))
        except IntegrityError as error:
            raise Duplicate(f"A category with the slug '{new.slug}' already exists.") from error

    async def change_category(self, category_id: int, changes: CategoryChanges, headers: Headers) -> Category:
        try:
            async with self._database.writing() as connection:
                row = await _known(connection, categories, category_id, to_change=True)
                check_if_match(headers, etag(row.version))
                values = {**changes.given, "name_key": fold(changes.given.get("name", row.name))}
                return _category(await self._update(connection, categories, row, values))
        except IntegrityError as error:
            raise Duplicate(f"A category with the slug '{changes.slug}' already exists.") from error

    async def delete_category(self, category_id: int, headers: Headers) -> None:
        async with self._database.writing() as connection:
            row = await _known(connection, categories, category_id, to_change=True)
            check_if_match(headers, etag(row.version))
            if await repository.category_has_products(connection, category_id):
                raise CategoryInUse(category_id)
            await repository.remove(connection, categories, category_id)

    async def _update(
        self, connection: AsyncConnection, table: Table, row: Row[Any], values: Mapping[str, Any]
    ) -> Row[Any]:
        """Write what differs, as a new version; where nothing differs the row stays as it is."""
        if all(getattr(row, key) == value for key, value in values.items()):
            return row
        stamped = {**values, "version": row.version + 1, "updated_at": self._clock()}
        return await repository.change(connection, table, row.id, stamped)


async def _known(connection: AsyncConnection, table: Table, row_id: int, *, to_change: bool = False) -> Row[Any]:
    row = await repository.one(connection, table, row_id, to_change=to_change)
    if row is None:
        raise NotFound(f"There is no {_NOUNS[table.name]} {row_id}.")
    return row


async def _check_category(connection: AsyncConnection, category_id: int | None) -> None:
    if category_id is not None and not await repository.category_exists(connection, category_id):
        raise Invalid(FieldError("category_id", f"There is no category {category_id}."))


def _columns(changes: ProductChanges) -> dict[str, Any]:
    values = changes.given
    price = values.pop("price", None)
    return values if price is None else {**values, "price_minor": price.minor, "currency": price.currency}


def _product(row: Row[Any]) -> Product:
    return Product(
        id=row.id,
        sku=row.sku,
        name=row.name,
        description=row.description,
        category_id=row.category_id,
        price=Money.of(row.price_minor, row.currency),
        active=row.active,
        version=row.version,
        created_at=row.created_at,
        updated_at=row.updated_at,
    )


def _category(row: Row[Any]) -> Category:
    return Category(
        id=row.id,
        name=row.name,
        slug=row.slug,
        version=row.version,
        created_at=row.created_at,
        updated_at=row.updated_at,
    )
