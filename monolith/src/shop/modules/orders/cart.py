"""The cart as it is shown: what was put in, at today's prices."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from shop.kernel.money import Money, total_of
from shop.modules.catalog.public import Quote
from shop.modules.orders.models import CartItem


@dataclass(frozen=True, slots=True)
class CartLine:
    """One product in a cart. `quote` is None when the product is gone."""

    product_id: int
    quantity: int
    quote: Quote | None

    @property
    def sku(self) -> str | None:
        return self.quote.sku if self.quote else None

    @property
    def name(self) -> str | None:
        return self.quote.name if self.quote else None

    @property
    def unit_price(self) -> Money | None:
        return self.quote.price if self.quote else None

    @property
    def total(self) -> Money | None:
        return self.quote.price.times(self.quantity) if self.quote else None

    @property
    def orderable(self) -> bool:
        return self.quote is not None and self.quote.active


@dataclass(frozen=True, slots=True)
class Cart:
    items: tuple[CartLine, ...]

    @property
    def total(self) -> Money | None:
        """Over what can be ordered; None when that is nothing, or of several currencies."""
        return total_of([line.total for line in self.items if line.orderable and line.total])


def cart_of(items: Iterable[CartItem], quotes: Mapping[int, Quote]) -> Cart:
    return Cart(tuple(CartLine(item.product_id, item.quantity, quotes.get(item.product_id)) for item in items))
