"""Stock to develop against: the same on every machine."""

from collections.abc import Sequence
from random import Random

from sqlalchemy import insert

from shop.kernel.unit_of_work import UnitOfWork
from shop.modules.inventory.models import Stock


def seed_stock(work: UnitOfWork, skus: Sequence[str]) -> None:
    """Between 20 and 500 pieces of each."""
    random = Random(2026)  # noqa: S311 - sample data
    if skus:
        rows = [{"sku": sku, "on_hand": random.randrange(20, 500), "reserved": 0} for sku in skus]
        work.session.execute(insert(Stock), rows)
