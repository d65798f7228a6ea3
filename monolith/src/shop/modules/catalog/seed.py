"""A catalog to develop against: the same on every machine, for any number of products."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

from sqlalchemy import func, insert, select

from shop.kernel.text import fold
from shop.kernel.unit_of_work import UnitOfWork
from shop.modules.catalog.models import Category, Product

OPENED = datetime(2026, 1, 1, tzinfo=UTC)
_KINDS = {
    "Chairs": ("chair", "armchair", "stool", "rocking chair"),
    "Tables": ("table", "desk", "side table", "workbench"),
    "Lamps": ("lamp", "lantern", "reading light"),
    "Shelves": ("shelf", "bookcase", "cabinet"),
    "Kitchen": ("kettle", "pan", "teapot", "carafe"),
    "Textiles": ("blanket", "cushion", "curtain", "towel"),
    "Garden": ("bench", "planter", "watering can"),
    "Tools": ("hammer", "plane", "chisel", "saw"),
    "Paper": ("notebook", "sketchbook", "envelope set"),
    "Café": ("crème brûlée dish", "espresso cup", "café tray"),
    "Toys": ("train", "kite", "puzzle"),
    "Outdoors": ("tent", "hammock", "rucksack"),
}
_MATERIALS = ("oak", "ash", "walnut", "steel", "brass", "linen", "wool", "cork", "glass", "clay", "copper", "felt")
_MANNERS = ("Plain", "Folding", "Heavy", "Light", "Small", "Tall", "Old", "Quiet", "Bright", "Round", "Narrow", "Étude")


def is_empty(work: UnitOfWork) -> bool:
    """Whether the catalog has no product yet."""
    return not work.session.scalar(select(func.count()).select_from(Product))


def seed_catalog(work: UnitOfWork, products: int) -> list[str]:
    """Fill an empty catalog; returns the SKUs, in the order of their ids."""
    work.session.execute(insert(Category), list(_category_rows()))
    category_ids = list(work.session.scalars(select(Category.id).order_by(Category.id)))
    rows = list(_product_rows(products, category_ids))
    if rows:
        work.session.execute(insert(Product), rows)
    return [row["sku"] for row in rows]


def _category_rows() -> Iterator[dict[str, Any]]:
    for name in _KINDS:
        slug = fold(name).replace("é", "e")
        yield {
            "name": name,
            "name_key": fold(name),
            "slug": slug,
            "version": 1,
            "created_at": OPENED,
            "updated_at": OPENED,
        }


def _product_rows(count: int, category_ids: list[int]) -> Iterator[dict[str, Any]]:
    random = Random(2026)  # noqa: S311 - sample data
    kinds = list(_KINDS.values())
    for number in range(1, count + 1):
        group = random.randrange(len(kinds))
        material, thing = random.choice(_MATERIALS), random.choice(kinds[group])
        name = f"{random.choice(_MANNERS)} {material} {thing}"
        description = f"A {thing} of {material}, number {number} of our workshop."
        sku = f"SKU-{number:06}"
        made = OPENED + timedelta(minutes=number)
        yield {
            "sku": sku,
            "name": name,
            "description": description,
            "name_key": fold(name),
            "search_text": "\n".join(fold(part) for part in (name, description, sku)),
            "category_id": category_ids[group],
            "price_minor": random.randrange(200, 50_000),
            "currency": "EUR",
            "active": random.random() < 0.97,
            "version": 1,
            "created_at": made,
            "updated_at": made,
        }
