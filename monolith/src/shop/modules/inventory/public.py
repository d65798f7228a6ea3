"""Inventory's door."""

from shop.modules.inventory.schemas import (
    AdjustmentAnswer,
    NewAdjustment,
    NewReservation,
    ReservationAnswer,
    StockAnswer,
)
from shop.modules.inventory.seed import seed_stock
from shop.modules.inventory.service import Inventory, StockLevel

__all__ = [
    "AdjustmentAnswer",
    "Inventory",
    "NewAdjustment",
    "NewReservation",
    "ReservationAnswer",
    "StockAnswer",
    "StockLevel",
    "seed_stock",
]
