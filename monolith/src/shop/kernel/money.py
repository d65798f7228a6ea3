"""Exact money: whole minor units and a currency, never a float."""

from dataclasses import dataclass

CURRENCIES = ("EUR", "GBP", "USD")
"""All of them have two decimals, which the arithmetic here relies on."""


@dataclass(frozen=True, slots=True)
class Money:
    """An amount of at least zero: `minor` is in hundredths of the currency."""

    minor: int
    currency: str

    @property
    def amount(self) -> str:
        """The decimal text, always with two decimals: `12.90`."""
        return f"{self.minor // 100}.{self.minor % 100:02}"

    def times(self, quantity: int) -> "Money":
        return Money(self.minor * quantity, self.currency)


def minor_units(amount: str) -> int:
    """Hundredths of a decimal text that has been checked to be digits with at most two decimals: `12.5` is 1250."""
    whole, _, decimals = amount.partition(".")
    return int(whole) * 100 + int(decimals.ljust(2, "0"))


def total_of(amounts: list[Money]) -> Money | None:
    """The sum, or None when there is nothing to add or the currencies differ."""
    currencies = {money.currency for money in amounts}
    if len(currencies) != 1:
        return None
    return Money(sum(money.minor for money in amounts), currencies.pop())
