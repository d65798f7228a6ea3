"""All queries of the payments."""

from sqlalchemy.orm import Session

from shop.modules.payments.models import Payment


def payment(session: Session, payment_id: int, *, lock: bool = False) -> Payment | None:
    return session.get(Payment, payment_id, with_for_update=lock or None)
