"""All queries of the notifications."""

from sqlalchemy import select
from sqlalchemy.orm import Session

from shop.kernel.pages import Page, fetch_page
from shop.modules.notifications.models import Notification
from shop.modules.notifications.schemas import NotificationQuery


def notifications(session: Session, customer_id: int, wanted: NotificationQuery) -> Page[Notification]:
    query = select(Notification).where(Notification.customer_id == customer_id)
    if wanted.unread is not None:
        query = query.where(Notification.read_at.is_(None) if wanted.unread else Notification.read_at.is_not(None))
    return fetch_page(session, query, [Notification.id.desc()], wanted.request)


def notification(session: Session, notification_id: int) -> Notification | None:
    return session.get(Notification, notification_id, with_for_update=True)
