"""Notification endpoints in Django."""

from django.http import HttpRequest, HttpResponse
from django.urls import path

from shop.kernel.wire import PageAnswer
from shop.modules.notifications.public import NotificationAnswer, NotificationQuery
from shop.web.django_app.exchange import ApiView, answer, query, shop, signed_in


class Notifications(ApiView):
    def get(self, request: HttpRequest) -> HttpResponse:
        page = shop().notifications.list_own(signed_in(request), query(request, NotificationQuery))
        return answer(PageAnswer[NotificationAnswer].of(page))


class Reading(ApiView):
    def post(self, request: HttpRequest, notification_id: int) -> HttpResponse:
        return answer(NotificationAnswer.of(shop().notifications.mark_read(signed_in(request), notification_id)))


urlpatterns = [
    path("api/notifications", Notifications.as_view()),
    path("api/notifications/<id:notification_id>/read", Reading.as_view()),
]
