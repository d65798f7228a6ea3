"""The port to a card processor, a sandbox that stands in for one, and a report of what either is asked."""

import hashlib
from typing import Protocol

from shop.kernel.errors import PaymentDeclined
from shop.kernel.money import Money
from strangler_kit.effects import call


class CardProvider(Protocol):
    """Whoever moves the money. The same idempotency key never moves it twice."""

    def knows(self, card_token: str) -> bool:
        """Whether the token stands for a card at all."""
        ...

    def charge(self, card_token: str, amount: Money, idempotency_key: str) -> str:
        """Take the money; the provider's reference. Raises PaymentDeclined."""
        ...

    def refund(self, reference: str, amount: Money, idempotency_key: str) -> None:
        """Give some of a charge back."""
        ...


class SandboxProvider:
    """Moves nothing. Its tokens say what will happen."""

    _DECLINED = {  # noqa: RUF012 - a constant
        "tok_declined": "The card was declined.",
        "tok_insufficient_funds": "The card has insufficient funds.",
        "tok_expired_card": "The card has expired.",
    }

    def knows(self, card_token: str) -> bool:
        return card_token == "tok_ok" or card_token in self._DECLINED  # noqa: S105 - a sandbox token, no secret

    def charge(self, card_token: str, amount: Money, idempotency_key: str) -> str:
        if card_token in self._DECLINED:
            raise PaymentDeclined(self._DECLINED[card_token])
        charged = f"{idempotency_key} {amount.minor} {amount.currency}"
        return "ch_" + hashlib.sha256(charged.encode()).hexdigest()[:24]

    def refund(self, reference: str, amount: Money, idempotency_key: str) -> None:
        """The sandbox has nothing to give back."""


class ReportedProvider:
    """Tells the kit of what moves money, so that a service which takes over can be seen to ask for the same."""

    def __init__(self, provider: CardProvider) -> None:
        self._provider = provider

    def knows(self, card_token: str) -> bool:
        return self._provider.knows(card_token)

    def charge(self, card_token: str, amount: Money, idempotency_key: str) -> str:
        call("payments.charge", {"card": card_token, **_asked(amount, idempotency_key)})
        return self._provider.charge(card_token, amount, idempotency_key)

    def refund(self, reference: str, amount: Money, idempotency_key: str) -> None:
        call("payments.refund", {"reference": reference, **_asked(amount, idempotency_key)})
        self._provider.refund(reference, amount, idempotency_key)


def _asked(amount: Money, idempotency_key: str) -> dict[str, object]:
    return {"minor": amount.minor, "currency": amount.currency, "key": idempotency_key}
