"""Inventory's wire models."""

from typing import Annotated

from pydantic import AfterValidator, Field
from pydantic_core import PydanticCustomError

from shop.kernel.wire import Answer, Body, Sku, Timestamp, text


def _not_zero(delta: int) -> int:
    if delta == 0:
        raise PydanticCustomError("zero", "Input should not be 0")
    return delta


class StockAnswer(Answer):
    sku: str
    on_hand: int
    reserved: int
    available: int


class NewAdjustment(Body):
    delta: Annotated[int, Field(ge=-1_000_000, le=1_000_000), AfterValidator(_not_zero)]
    reason: text(1, 200)


class AdjustmentAnswer(Answer):
    id: int
    sku: str
    delta: int
    reason: str
    on_hand: int
    created_at: Timestamp


class ReservationLine(Body):
    sku: Sku
    quantity: Annotated[int, Field(ge=1, le=10_000)]


def _each_sku_once(items: list[ReservationLine]) -> list[ReservationLine]:
    if len({item.sku for item in items}) != len(items):
        raise PydanticCustomError("repeated_sku", "A SKU should be there at most once")
    return items


class NewReservation(Body):
    items: Annotated[list[ReservationLine], Field(min_length=1, max_length=50), AfterValidator(_each_sku_once)]
    ttl_seconds: Annotated[int, Field(ge=1, le=3_600)] = 900

    def quantities(self) -> dict[str, int]:
        return {item.sku: item.quantity for item in self.items}


class ReservationLineAnswer(Answer):
    sku: str
    quantity: int


class ReservationAnswer(Answer):
    id: int
    state: str
    items: list[ReservationLineAnswer]
    expires_at: Timestamp
    created_at: Timestamp
