"""The catalog's use cases."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from shop.kernel.errors import CategoryInUse, Duplicate, FieldError, NotFound, ValidationFailed
from shop.kernel.money import Money
from shop.kernel.pages import Page
from shop.kernel.unit_of_work import Transactions, UnitOfWork
from shop.modules.catalog import repository
from shop.modules.catalog.models import Category, Product
from shop.modules.catalog.schemas import (
    CategoryChange,
    CategoryQuery,
    NewCategory,
    NewProduct,
    ProductChange,
    ProductQuery,
)

Precondition = Callable[[int], None]
"""Is given the version that is about to be changed, and raises PreconditionFailed when that is not the one meant."""


@dataclass(frozen=True, slots=True)
class Quote:
    """What a product is and costs at the moment of asking."""

    product_id: int
    sku: str
    name: str
    price: Money
    active: bool


class Catalog:
    """Products and categories: lists, search, and changes."""

    def __init__(self, transactions: Transactions) -> None:
        self._transactions = transactions

    def list_products(self, wanted: ProductQuery) -> Page[Product]:
        with self._transactions.reading() as work:
            return repository.products(work.session, wanted)

    def get_product(self, product_id: int) -> Product:
        with self._transactions.reading() as work:
            return _product(work.session, product_id)

    def create_product(self, new: NewProduct) -> Product:
        with self._transactions.writing() as work:
            _require_category(work.session, new.category_id)
            if repository.sku_exists(work.session, new.sku):
                raise _sku_taken(new.sku)
            product = Product(
                sku=new.sku,
                name=new.name,
                description=new.description,
                category_id=new.category_id,
                price=new.price.money,
                active=new.active,
                created_at=work.now,
                updated_at=work.now,
            )
            product.index_text()
            work.session.add(product)
            _flush(work.session, _sku_taken(new.sku))
            return product

    def change_product(self, product_id: int, change: ProductChange, precondition: Precondition) -> Product:
        with self._transactions.writing() as work:
            if "category_id" in change.model_fields_set:
                _require_category(work.session, change.category_id)
            product = _product(work.session, product_id, lock=True)
            precondition(product.version)
            if _apply(product, change.values(), work):
                product.index_text()
            return product

    def delete_product(self, product_id: int, precondition: Precondition) -> None:
        with self._transactions.writing() as work:
            product = _product(work.session, product_id, lock=True)
            precondition(product.version)
            work.session.delete(product)

    def list_categories(self, wanted: CategoryQuery) -> Page[Category]:
        with self._transactions.reading() as work:
            return repository.categories(work.session, wanted)

    def get_category(self, category_id: int) -> Category:
        with self._transactions.reading() as work:
            return _category(work.session, category_id)

    def create_category(self, new: NewCategory) -> Category:
        with self._transactions.writing() as work:
            if repository.slug_exists(work.session, new.slug):
                raise _slug_taken(new.slug)
            category = Category(name=new.name, slug=new.slug, created_at=work.now, updated_at=work.now)
            work.session.add(category)
            _flush(work.session, _slug_taken(new.slug))
            return category

    def change_category(self, category_id: int, change: CategoryChange, precondition: Precondition) -> Category:
        with self._transactions.writing() as work:
            category = _category(work.session, category_id, lock=True)
            precondition(category.version)
            if _apply(category, change.values(), work):
                _flush(work.session, _slug_taken(category.slug))
            return category

    def delete_category(self, category_id: int, precondition: Precondition) -> None:
        with self._transactions.writing() as work:
            category = _category(work.session, category_id, lock=True)
            precondition(category.version)
            if repository.category_has_products(work.session, category_id):
                message = f"Category {category_id} still has products."
                raise CategoryInUse(message)
            work.session.delete(category)

    def quotes(self, work: UnitOfWork, product_ids: Iterable[int]) -> dict[int, Quote]:
        """What these products cost now, by id, in the caller's transaction. Products that are gone are missing."""
        found = repository.products_by_id(work.session, product_ids)
        return {
            product.id: Quote(product.id, product.sku, product.name, product.price, product.active)
            for product in found.values()
        }


def _product(session: Session, product_id: int, *, lock: bool = False) -> Product:
    product = repository.product(session, product_id, lock=lock)
    if product is None:
        message = f"There is no product {product_id}."
        raise NotFound(message)
    return product


def _category(session: Session, category_id: int, *, lock: bool = False) -> Category:
    category = repository.category(session, category_id, lock=lock)
    if category is None:
        message = f"There is no category {category_id}."
        raise NotFound(message)
    return category


def _require_category(session: Session, category_id: int | None) -> None:
    if category_id is not None and not repository.category_exists(session, category_id):
        raise ValidationFailed(FieldError("category_id", f"There is no category {category_id}."))


def _apply(target: Product | Category, values: dict[str, object], work: UnitOfWork) -> bool:
    """Set what differs; a new version only when something does."""
    changed = {name: value for name, value in values.items() if getattr(target, name) != value}
    for name, value in changed.items():
        setattr(target, name, value)
    if changed:
        target.version += 1
        target.updated_at = work.now
    return bool(changed)


def _flush(session: Session, taken: Duplicate) -> None:
    """Write now, so that a unique key which another transaction took meanwhile is reported as that."""
    try:
        session.flush()
    except IntegrityError as error:
        raise taken from error


def _sku_taken(sku: str) -> Duplicate:
    return Duplicate(f"A product with the SKU '{sku}' already exists.")


def _slug_taken(slug: str) -> Duplicate:
    return Duplicate(f"A category with the slug '{slug}' already exists.")
