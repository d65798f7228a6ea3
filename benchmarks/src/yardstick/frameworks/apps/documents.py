"""What the endpoints of all three say and take: one text, one document, one model. No framework here."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

TEXT = "Hello, World!"
DOCUMENT = {
    "active": True,
    "category": {"id": 3, "name": "Chairs"},
    "id": 7,
    "name": "Oak chair",
    "price": {"amount": "12.90", "currency": "EUR"},
    "tags": ["new", "oak"],
}
"""Its keys stand in alphabetical order, in which Flask puts them anyway."""

Text = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200)]


class Strict(BaseModel):
    """Exact types, no unknown keys: the shop's rule for bodies."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)


class Price(Strict):
    cents: Annotated[int, Field(ge=0, le=10**12)]
    currency: Literal["EUR", "GBP", "USD"]


class Item(Strict):
    sku: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$")]
    name: Text
    quantity: Annotated[int, Field(ge=1, le=999)]
    price: Price


class Order(Strict):
    customer: Text
    express: bool = False
    items: Annotated[list[Item], Field(min_length=1, max_length=100)]


class Sum(BaseModel):
    """The answer to an order that is good."""

    cents: int
    items: int
    quantity: int


def add_up(order: Order) -> Sum:
    return Sum(
        cents=sum(item.price.cents * item.quantity for item in order.items),
        items=len(order.items),
        quantity=sum(item.quantity for item in order.items),
    )
