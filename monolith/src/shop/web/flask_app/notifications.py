"""Notification endpoints in Flask."""

from flask import Blueprint, Response

from shop.kernel.wire import PageAnswer
from shop.modules.notifications.public import NotificationAnswer, NotificationQuery
from shop.web.flask_app.exchange import answer, query, shop, signed_in

routes = Blueprint("notifications", __name__, url_prefix="/api/notifications")


@routes.get("")
def list_notifications() -> Response:
    page = shop().notifications.list_own(signed_in(), query(NotificationQuery))
    return answer(PageAnswer[NotificationAnswer].of(page))


@routes.post("/<id:notification_id>/read")
def read_notification(notification_id: int) -> Response:
    return answer(NotificationAnswer.of(shop().notifications.mark_read(signed_in(), notification_id)))
