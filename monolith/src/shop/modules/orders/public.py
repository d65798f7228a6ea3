"""The orders' door."""

from shop.modules.orders.schemas import CartAnswer, CartChange, Checkout, OrderAnswer, OrderQuery
from shop.modules.orders.service import OrderCancelled, OrderPlaced, Orders

__all__ = [
    "CartAnswer",
    "CartChange",
    "Checkout",
    "OrderAnswer",
    "OrderCancelled",
    "OrderPlaced",
    "OrderQuery",
    "Orders",
]
