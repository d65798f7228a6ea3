"""The catalog's door."""

from shop.modules.catalog.schemas import (
    CategoryAnswer,
    CategoryChange,
    CategoryQuery,
    NewCategory,
    NewProduct,
    ProductAnswer,
    ProductChange,
    ProductQuery,
)
from shop.modules.catalog.seed import is_empty, seed_catalog
from shop.modules.catalog.service import Catalog, Precondition, Quote

__all__ = [
    "Catalog",
    "CategoryAnswer",
    "CategoryChange",
    "CategoryQuery",
    "NewCategory",
    "NewProduct",
    "Precondition",
    "ProductAnswer",
    "ProductChange",
    "ProductQuery",
    "Quote",
    "is_empty",
    "seed_catalog",
]
