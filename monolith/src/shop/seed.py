"""Fill an empty shop for development: deterministic, with documented accounts (docs/reference/shop-api.md)."""

from datetime import UTC, datetime

from shop.application import build
from shop.kernel.caller import CUSTOMER, STAFF
from shop.kernel.errors import Duplicate
from shop.kernel.settings import Settings
from shop.modules.catalog.public import is_empty, seed_catalog
from shop.modules.customers.public import Registration
from shop.modules.inventory.public import seed_stock

OPENED = datetime(2026, 1, 1, tzinfo=UTC)
SEED_LOCK = 0x5EED
ACCOUNTS = (
    (Registration(email="staff@shop.example", password="staff-password", name="Staff"), STAFF),  # noqa: S106 - documented
    (Registration(email="customer@shop.example", password="customer-password", name="Customer"), CUSTOMER),  # noqa: S106
)


def seed(settings: Settings, products: int) -> bool:
    """Seed the shop. False when it has products already: nothing is changed then."""
    shop = build(settings, clock=lambda: OPENED)
    shop.database.create_schema()
    try:
        with shop.transactions.writing(lock=SEED_LOCK) as work:
            if not is_empty(work):
                return False
            seed_stock(work, seed_catalog(work, products))
        for registration, role in ACCOUNTS:
            try:
                shop.customers.register(registration, role)
            except Duplicate:  # left by a seed that was interrupted
                continue
        return True
    finally:
        shop.database.dispose()
