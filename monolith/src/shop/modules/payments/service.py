"""The payments' use cases. The provider is asked last in a transaction, with a key of its own: if the commit should
fail after the card was charged, the same request charges it no second time."""

from dataclasses import dataclass
from typing import ClassVar

from sqlalchemy.orm import Session

from shop.kernel.caller import Caller
from shop.kernel.errors import FieldError, NotFound, RefundExceedsPayment, ValidationFailed
from shop.kernel.idempotency import Attempt, Outcome, once
from shop.kernel.money import Money
from shop.kernel.outbox import Event, publish
from shop.kernel.unit_of_work import Transactions, UnitOfWork
from shop.modules.payments import repository
from shop.modules.payments.models import Payment, Refund
from shop.modules.payments.provider import CardProvider
from shop.modules.payments.schemas import NewRefund, RefundAnswer


@dataclass(frozen=True, slots=True)
class PaymentRefunded(Event):
    topic: ClassVar[str] = "payment.refunded"
    order_id: int
    customer_id: int
    amount: str
    currency: str

    @property
    def aggregate(self) -> str:
        return f"order-{self.order_id}"


class Payments:
    """Money in and out."""

    def __init__(self, transactions: Transactions, provider: CardProvider) -> None:
        self._transactions = transactions
        self._provider = provider

    def require_known(self, card_token: str) -> None:
        if not self._provider.knows(card_token):
            raise ValidationFailed(FieldError("payment_token", "Input should be a card token that the provider knows"))

    def charge_within(
        self, work: UnitOfWork, *, order_id: int, owner_id: int, amount: Money, card_token: str, key: str
    ) -> int:
        """Charge a card in the caller's transaction; the payment's id. Raises PaymentDeclined."""
        payment = Payment(
            order_id=order_id,
            owner_id=owner_id,
            reference="",
            amount_minor=amount.minor,
            refunded_minor=0,
            currency=amount.currency,
            created_at=work.now,
        )
        work.session.add(payment)
        work.session.flush()
        payment.reference = self._provider.charge(card_token, amount, key)
        return payment.id

    def get(self, caller: Caller, payment_id: int) -> Payment:
        with self._transactions.reading() as work:
            payment = _payment(work.session, payment_id)
            if not caller.may_see(payment.owner_id):
                raise _unknown(payment_id)
            return payment

    def refund(self, caller: Caller, payment_id: int, key: str, new: NewRefund) -> Outcome[RefundAnswer]:
        with self._transactions.writing() as work:
            payment = _payment(work.session, payment_id, lock=True)

            def act() -> RefundAnswer:
                amount = payment.refundable if new.minor is None else Money(new.minor, payment.currency)
                refund = self._refund(work, payment, amount, f"refund-{payment_id}-{key}")
                publish(
                    work, PaymentRefunded(payment.order_id, payment.owner_id, refund.amount.amount, refund.currency)
                )
                return RefundAnswer.of(refund)

            return once(work, Attempt(f"refund-{payment_id}", caller.id, key, new), RefundAnswer, act)

    def refund_rest_within(self, work: UnitOfWork, payment_id: int) -> None:
        """Give back all that is left, in the caller's transaction."""
        payment = _payment(work.session, payment_id, lock=True)
        if payment.refundable.minor:
            self._refund(work, payment, payment.refundable, f"cancel-{payment_id}")

    def _refund(self, work: UnitOfWork, payment: Payment, amount: Money, key: str) -> Refund:
        if not 0 < amount.minor <= payment.refundable.minor:
            left = payment.refundable
            message = f"Only {left.amount} {left.currency} of payment {payment.id} can be refunded."
            raise RefundExceedsPayment(message)
        payment.refunded_minor += amount.minor
        refund = Refund(payment_id=payment.id, amount_minor=amount.minor, currency=amount.currency, created_at=work.now)
        work.session.add(refund)
        work.session.flush()
        self._provider.refund(payment.reference, amount, key)
        return refund


def _payment(session: Session, payment_id: int, *, lock: bool = False) -> Payment:
    payment = repository.payment(session, payment_id, lock=lock)
    if payment is None:
        raise _unknown(payment_id)
    return payment


def _unknown(payment_id: int) -> NotFound:
    return NotFound(f"There is no payment {payment_id}.")
