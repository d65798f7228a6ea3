"""The notifications' use cases, and what is written about which event."""

from typing import Any

from shop.kernel.caller import Caller
from shop.kernel.errors import NotFound
from shop.kernel.outbox import Consumer, OutboxMessage
from shop.kernel.pages import Page
from shop.kernel.unit_of_work import Transactions, UnitOfWork
from shop.modules.customers.public import CustomerRegistered
from shop.modules.notifications import repository
from shop.modules.notifications.models import Notification
from shop.modules.notifications.schemas import NotificationQuery
from shop.modules.orders.public import OrderCancelled, OrderPlaced
from shop.modules.payments.public import PaymentRefunded

_TEXTS = {
    CustomerRegistered.topic: ("welcome", "Welcome, {name}", "Your account is ready."),
    OrderPlaced.topic: ("order_placed", "Order {order_id} is placed", "You have paid {total} {currency}."),
    OrderCancelled.topic: (
        "order_cancelled",
        "Order {order_id} is cancelled",
        "What you paid for it is on its way back to you.",
    ),
    PaymentRefunded.topic: ("payment_refunded", "A refund for order {order_id}", "You get {amount} {currency} back."),
}


class Notifications:
    """What customers are told."""

    def __init__(self, transactions: Transactions) -> None:
        self._transactions = transactions

    @property
    def consumer(self) -> Consumer:
        return Consumer("notifications", dict.fromkeys(_TEXTS, _notify))

    def list_own(self, caller: Caller, wanted: NotificationQuery) -> Page[Notification]:
        with self._transactions.reading() as work:
            return repository.notifications(work.session, caller.id, wanted)

    def mark_read(self, caller: Caller, notification_id: int) -> Notification:
        with self._transactions.writing() as work:
            notification = repository.notification(work.session, notification_id)
            if notification is None or notification.customer_id != caller.id:
                message = f"There is no notification {notification_id}."
                raise NotFound(message)
            notification.read_at = notification.read_at or work.now
            return notification


def _notify(work: UnitOfWork, message: OutboxMessage) -> None:
    kind, subject, body = _TEXTS[message.topic]
    facts: dict[str, Any] = message.data
    work.session.add(
        Notification(
            customer_id=facts["customer_id"],
            kind=kind,
            subject=subject.format(**facts),
            body=body.format(**facts),
            created_at=message.occurred_at,
        )
    )
