"""Inventory endpoints in Django."""

from django.http import HttpRequest, HttpResponse
from django.urls import path

from shop.kernel.wire import PageAnswer, Paging
from shop.modules.inventory.public import (
    AdjustmentAnswer,
    NewAdjustment,
    NewReservation,
    ReservationAnswer,
    StockAnswer,
)
from shop.web.answers import created
from shop.web.django_app.exchange import ApiView, answer, query, shop, signed_in, staff, submitted


class StockList(ApiView):
    def get(self, request: HttpRequest) -> HttpResponse:
        return answer(PageAnswer[StockAnswer].of(shop().inventory.list_stock(query(request, Paging).request)))


class Stock(ApiView):
    def get(self, _request: HttpRequest, sku: str) -> HttpResponse:
        return answer(StockAnswer.of(shop().inventory.get_stock(sku)))


class Adjustments(ApiView):
    def get(self, request: HttpRequest, sku: str) -> HttpResponse:
        staff(request)
        page = shop().inventory.list_adjustments(sku, query(request, Paging).request)
        return answer(PageAnswer[AdjustmentAnswer].of(page))

    def post(self, request: HttpRequest, sku: str) -> HttpResponse:
        _, new = submitted(request, NewAdjustment, by=staff)
        return answer(AdjustmentAnswer.of(shop().inventory.adjust(sku, new)), 201, created(f"/api/stock/{sku}"))


class Reservations(ApiView):
    def post(self, request: HttpRequest) -> HttpResponse:
        caller, new = submitted(request, NewReservation, by=signed_in)
        reservation = shop().inventory.reserve(caller, new)
        return answer(ReservationAnswer.of(reservation), 201, created(f"/api/reservations/{reservation.id}"))


class Reservation(ApiView):
    def get(self, request: HttpRequest, reservation_id: int) -> HttpResponse:
        return answer(ReservationAnswer.of(shop().inventory.get_reservation(signed_in(request), reservation_id)))


class Confirmation(ApiView):
    def post(self, request: HttpRequest, reservation_id: int) -> HttpResponse:
        return answer(ReservationAnswer.of(shop().inventory.confirm(signed_in(request), reservation_id)))


class Release(ApiView):
    def post(self, request: HttpRequest, reservation_id: int) -> HttpResponse:
        return answer(ReservationAnswer.of(shop().inventory.release(signed_in(request), reservation_id)))


urlpatterns = [
    path("api/stock", StockList.as_view()),
    path("api/stock/<sku:sku>", Stock.as_view()),
    path("api/stock/<sku:sku>/adjustments", Adjustments.as_view()),
    path("api/reservations", Reservations.as_view()),
    path("api/reservations/<id:reservation_id>", Reservation.as_view()),
    path("api/reservations/<id:reservation_id>/confirm", Confirmation.as_view()),
    path("api/reservations/<id:reservation_id>/release", Release.as_view()),
]
