"""The payments' wire models."""

from typing import Annotated

from pydantic import AfterValidator
from pydantic_core import PydanticCustomError

from shop.kernel.money import minor_units
from shop.kernel.wire import Amount, Answer, Body, MoneyAnswer, Timestamp


def _above_zero(amount: str) -> str:
    if not minor_units(amount):
        raise PydanticCustomError("zero", "Input should be greater than 0")
    return amount


class PaymentAnswer(Answer):
    id: int
    order_id: int
    status: str
    amount: MoneyAnswer
    refunded: MoneyAnswer
    created_at: Timestamp


class NewRefund(Body):
    amount: Annotated[Amount, AfterValidator(_above_zero)] | None = None

    @property
    def minor(self) -> int | None:
        """Hundredths, or None for all that is left."""
        return None if self.amount is None else minor_units(self.amount)


class RefundAnswer(Answer):
    id: int
    payment_id: int
    amount: MoneyAnswer
    created_at: Timestamp
