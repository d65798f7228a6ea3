"""All queries of the catalog."""

from collections.abc import Iterable
from typing import Any

from sqlalchemy import exists, select
from sqlalchemy.orm import Session

from shop.kernel.pages import Page, fetch_page
from shop.kernel.text import contains_pattern, fold
from shop.modules.catalog.models import Category, Product
from shop.modules.catalog.schemas import CategoryQuery, ProductQuery

_PRODUCT_COLUMNS = {
    "id": Product.id,
    "name": Product.name_key,
    "price": Product.price_minor,
    "created_at": Product.created_at,
}
_CATEGORY_COLUMNS = {"id": Category.id, "name": Category.name_key}


def products(session: Session, wanted: ProductQuery) -> Page[Product]:
    query = select(Product)
    if wanted.q:
        query = query.where(Product.search_text.like(contains_pattern(fold(wanted.q)), escape="\\"))
    if wanted.category_id is not None:
        query = query.where(Product.category_id == wanted.category_id)
    if wanted.active is not None:
        query = query.where(Product.active == wanted.active)
    if wanted.least is not None:
        query = query.where(Product.price_minor >= wanted.least)
    if wanted.most is not None:
        query = query.where(Product.price_minor <= wanted.most)
    return fetch_page(session, query, _order(_PRODUCT_COLUMNS, wanted.sort, Product.id), wanted.request)


def product(session: Session, product_id: int, *, lock: bool = False) -> Product | None:
    return session.get(Product, product_id, with_for_update=lock or None)


def products_by_id(session: Session, product_ids: Iterable[int]) -> dict[int, Product]:
    found = session.scalars(select(Product).where(Product.id.in_(list(product_ids))))
    return {product.id: product for product in found}


def sku_exists(session: Session, sku: str) -> bool:
    return bool(session.scalar(select(exists().where(Product.sku == sku))))


def categories(session: Session, wanted: CategoryQuery) -> Page[Category]:
    return fetch_page(session, select(Category), _order(_CATEGORY_COLUMNS, wanted.sort, Category.id), wanted.request)


def category(session: Session, category_id: int, *, lock: bool = False) -> Category | None:
    return session.get(Category, category_id, with_for_update=lock or None)


def category_exists(session: Session, category_id: int) -> bool:
    """Whether it is there; it then stays until the end of the transaction (PostgreSQL: FOR KEY SHARE)."""
    found = select(Category.id).where(Category.id == category_id).with_for_update(read=True, key_share=True)
    return session.scalar(found) is not None


def slug_exists(session: Session, slug: str) -> bool:
    return bool(session.scalar(select(exists().where(Category.slug == slug))))


def category_has_products(session: Session, category_id: int) -> bool:
    return bool(session.scalar(select(exists().where(Product.category_id == category_id))))


def _order(columns: dict[str, Any], sort: str, unique: Any) -> list[Any]:
    """The order for a sort option such as `-price`; the id always ends it, ascending."""
    column = columns[sort.removeprefix("-")]
    first = column.desc() if sort.startswith("-") else column.asc()
    return [first] if column is unique else [first, unique.asc()]
