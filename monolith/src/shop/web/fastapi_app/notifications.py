"""Notification endpoints in FastAPI."""

from typing import Annotated

from fastapi import Query

from shop.kernel.wire import PageAnswer
from shop.modules.notifications.public import NotificationAnswer, NotificationQuery
from shop.web.fastapi_app.exchange import SignedIn, TheShop, module_router, problems

router = module_router("notifications")


@router.get("/notifications", responses=problems(401, 422))
def list_notifications(
    wanted: Annotated[NotificationQuery, Query()], shop: TheShop, caller: SignedIn
) -> PageAnswer[NotificationAnswer]:
    return PageAnswer[NotificationAnswer].of(shop.notifications.list_own(caller, wanted))


@router.post("/notifications/{notification_id:id}/read", responses=problems(401, 403, 404))
def read_notification(notification_id: int, shop: TheShop, caller: SignedIn) -> NotificationAnswer:
    return NotificationAnswer.of(shop.notifications.mark_read(caller, notification_id))
