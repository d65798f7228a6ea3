"""The orders' wire models."""

from typing import Annotated, Literal

from pydantic import Field

from shop.kernel.wire import Answer, Body, MoneyAnswer, Paging, Timestamp, text


class CartChange(Body):
    quantity: Annotated[int, Field(ge=1, le=999)]


class CartLineAnswer(Answer):
    product_id: int
    quantity: int
    sku: str | None
    name: str | None
    unit_price: MoneyAnswer | None
    total: MoneyAnswer | None
    orderable: bool


class CartAnswer(Answer):
    items: list[CartLineAnswer]
    total: MoneyAnswer | None


class Checkout(Body):
    payment_token: text(1, 64)


class OrderLineAnswer(Answer):
    product_id: int
    sku: str
    name: str
    quantity: int
    unit_price: MoneyAnswer
    total: MoneyAnswer


class OrderAnswer(Answer):
    id: int
    customer_id: int
    status: str
    items: list[OrderLineAnswer]
    total: MoneyAnswer
    payment_id: int
    created_at: Timestamp
    updated_at: Timestamp


class OrderQuery(Paging):
    status: Literal["placed", "cancelled"] | None = None
