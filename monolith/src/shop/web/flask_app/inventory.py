"""Inventory endpoints in Flask."""

from flask import Blueprint, Response

from shop.kernel.wire import PageAnswer, Paging
from shop.modules.inventory.public import (
    AdjustmentAnswer,
    NewAdjustment,
    NewReservation,
    ReservationAnswer,
    StockAnswer,
)
from shop.web.answers import created
from shop.web.flask_app.exchange import answer, query, shop, signed_in, staff, submitted

routes = Blueprint("inventory", __name__, url_prefix="/api")


@routes.get("/stock")
def list_stock() -> Response:
    return answer(PageAnswer[StockAnswer].of(shop().inventory.list_stock(query(Paging).request)))


@routes.get("/stock/<sku:sku>")
def get_stock(sku: str) -> Response:
    return answer(StockAnswer.of(shop().inventory.get_stock(sku)))


@routes.get("/stock/<sku:sku>/adjustments")
def list_adjustments(sku: str) -> Response:
    staff()
    return answer(PageAnswer[AdjustmentAnswer].of(shop().inventory.list_adjustments(sku, query(Paging).request)))


@routes.post("/stock/<sku:sku>/adjustments")
def adjust_stock(sku: str) -> Response:
    _, new = submitted(NewAdjustment, by=staff)
    return answer(AdjustmentAnswer.of(shop().inventory.adjust(sku, new)), 201, created(f"/api/stock/{sku}"))


@routes.post("/reservations")
def reserve_stock() -> Response:
    caller, new = submitted(NewReservation, by=signed_in)
    reservation = shop().inventory.reserve(caller, new)
    return answer(ReservationAnswer.of(reservation), 201, created(f"/api/reservations/{reservation.id}"))


@routes.get("/reservations/<id:reservation_id>")
def get_reservation(reservation_id: int) -> Response:
    return answer(ReservationAnswer.of(shop().inventory.get_reservation(signed_in(), reservation_id)))


@routes.post("/reservations/<id:reservation_id>/confirm")
def confirm_reservation(reservation_id: int) -> Response:
    return answer(ReservationAnswer.of(shop().inventory.confirm(signed_in(), reservation_id)))


@routes.post("/reservations/<id:reservation_id>/release")
def release_reservation(reservation_id: int) -> Response:
    return answer(ReservationAnswer.of(shop().inventory.release(signed_in(), reservation_id)))
