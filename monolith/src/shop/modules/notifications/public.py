"""The notifications' door."""

from shop.modules.notifications.schemas import NotificationAnswer, NotificationQuery
from shop.modules.notifications.service import Notifications

__all__ = ["NotificationAnswer", "NotificationQuery", "Notifications"]
