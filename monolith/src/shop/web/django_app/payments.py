"""Payment endpoints in Django."""

from django.http import HttpRequest, HttpResponse
from django.urls import path

from shop.modules.payments.public import NewRefund, PaymentAnswer
from shop.web.answers import created_once
from shop.web.django_app.exchange import ApiView, answer, shop, signed_in, staff, submitted_once


class Payment(ApiView):
    def get(self, request: HttpRequest, payment_id: int) -> HttpResponse:
        return answer(PaymentAnswer.of(shop().payments.get(signed_in(request), payment_id)))


class Refunds(ApiView):
    def post(self, request: HttpRequest, payment_id: int) -> HttpResponse:
        caller, key, new = submitted_once(request, NewRefund, by=staff)
        outcome = shop().payments.refund(caller, payment_id, key, new)
        return answer(outcome.answer, 201, created_once(f"/api/payments/{payment_id}", replayed=outcome.replayed))


urlpatterns = [
    path("api/payments/<id:payment_id>", Payment.as_view()),
    path("api/payments/<id:payment_id>/refunds", Refunds.as_view()),
]
