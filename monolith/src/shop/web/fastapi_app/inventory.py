"""Inventory endpoints in FastAPI."""

from typing import Annotated

from fastapi import Query, Response

from shop.kernel.wire import PageAnswer, Paging
from shop.modules.inventory.public import (
    AdjustmentAnswer,
    NewAdjustment,
    NewReservation,
    ReservationAnswer,
    StockAnswer,
)
from shop.web.answers import created
from shop.web.fastapi_app.exchange import SignedIn, Staff, TheShop, module_router, problems

router = module_router("inventory")
REFUSALS = problems(400, 401, 403, 409, 413, 415, 422)
CLOSING = problems(401, 403, 404, 409)


@router.get("/stock", responses=problems(422))
def list_stock(wanted: Annotated[Paging, Query()], shop: TheShop) -> PageAnswer[StockAnswer]:
    return PageAnswer[StockAnswer].of(shop.inventory.list_stock(wanted.request))


@router.get("/stock/{sku:sku}", responses=problems(404))
def get_stock(sku: str, shop: TheShop) -> StockAnswer:
    return StockAnswer.of(shop.inventory.get_stock(sku))


@router.get("/stock/{sku:sku}/adjustments", responses=problems(401, 403, 404, 422))
def list_adjustments(
    sku: str, wanted: Annotated[Paging, Query()], shop: TheShop, _: Staff
) -> PageAnswer[AdjustmentAnswer]:
    return PageAnswer[AdjustmentAnswer].of(shop.inventory.list_adjustments(sku, wanted.request))


@router.post("/stock/{sku:sku}/adjustments", status_code=201, responses=REFUSALS)
def adjust_stock(sku: str, new: NewAdjustment, response: Response, shop: TheShop, _: Staff) -> AdjustmentAnswer:
    response.headers.update(created(f"/api/stock/{sku}"))
    return AdjustmentAnswer.of(shop.inventory.adjust(sku, new))


@router.post("/reservations", status_code=201, responses=REFUSALS)
def reserve_stock(new: NewReservation, response: Response, shop: TheShop, caller: SignedIn) -> ReservationAnswer:
    reservation = shop.inventory.reserve(caller, new)
    response.headers.update(created(f"/api/reservations/{reservation.id}"))
    return ReservationAnswer.of(reservation)


@router.get("/reservations/{reservation_id:id}", responses=problems(401, 404))
def get_reservation(reservation_id: int, shop: TheShop, caller: SignedIn) -> ReservationAnswer:
    return ReservationAnswer.of(shop.inventory.get_reservation(caller, reservation_id))


@router.post("/reservations/{reservation_id:id}/confirm", responses=CLOSING)
def confirm_reservation(reservation_id: int, shop: TheShop, caller: SignedIn) -> ReservationAnswer:
    return ReservationAnswer.of(shop.inventory.confirm(caller, reservation_id))


@router.post("/reservations/{reservation_id:id}/release", responses=CLOSING)
def release_reservation(reservation_id: int, shop: TheShop, caller: SignedIn) -> ReservationAnswer:
    return ReservationAnswer.of(shop.inventory.release(caller, reservation_id))
