"""All queries of the inventory."""

from collections.abc import Iterable, Mapping
from datetime import datetime

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from shop.kernel.database import insert_or
from shop.kernel.pages import Page, PageRequest, fetch_page
from shop.modules.inventory.models import ACTIVE, EXPIRED, Adjustment, Reservation, ReservationItem, Stock


def stock_page(session: Session, request: PageRequest) -> Page[Stock]:
    return fetch_page(session, select(Stock), [Stock.sku], request)


def stock(session: Session, sku: str) -> Stock | None:
    return session.get(Stock, sku)


def held_by_expired(session: Session, skus: Iterable[str], now: datetime) -> dict[str, int]:
    """Quantity per SKU that `Stock.reserved` still counts although its reservation has run out."""
    held = (
        select(ReservationItem.sku, func.sum(ReservationItem.quantity))
        .join(Reservation, Reservation.id == ReservationItem.reservation_id)
        .where(Reservation.state == ACTIVE, Reservation.expires_at <= now, ReservationItem.sku.in_(list(skus)))
        .group_by(ReservationItem.sku)
    )
    return {sku: int(quantity) for sku, quantity in session.execute(held)}


def expired_reservations(session: Session, skus: Iterable[str], now: datetime) -> list[Reservation]:
    """Reservations on these SKUs that have run out, locked in the order of their ids."""
    concerned = select(ReservationItem.reservation_id).where(ReservationItem.sku.in_(list(skus)))
    query = (
        select(Reservation)
        .where(Reservation.state == ACTIVE, Reservation.expires_at <= now, Reservation.id.in_(concerned))
        .order_by(Reservation.id)
        .with_for_update(of=Reservation)
        .execution_options(populate_existing=True)
    )
    return list(session.scalars(query))


def mark_expired(reservations: Iterable[Reservation]) -> None:
    for reservation in reservations:
        reservation.state = EXPIRED


def lock_stock(session: Session, skus: Iterable[str]) -> None:
    """Take the rows in SKU order, as everybody does: two transactions can then never wait for each other."""
    session.execute(select(Stock.sku).where(Stock.sku.in_(list(skus))).order_by(Stock.sku).with_for_update())


def free(session: Session, quantities: Mapping[str, int]) -> None:
    """Give reserved quantities back."""
    for sku, quantity in sorted(quantities.items()):
        session.execute(update(Stock).where(Stock.sku == sku).values(reserved=Stock.reserved - quantity))


def claim(session: Session, sku: str, quantity: int) -> bool:
    """Reserve in one conditional statement: nothing is sold twice however many ask at once."""
    enough = update(Stock).where(Stock.sku == sku, Stock.on_hand - Stock.reserved >= quantity)
    return session.execute(enough.values(reserved=Stock.reserved + quantity)).rowcount == 1


def take_out(session: Session, quantities: Mapping[str, int]) -> None:
    """Let reserved quantities leave the stock."""
    for sku, quantity in sorted(quantities.items()):
        leave = update(Stock).where(Stock.sku == sku)
        session.execute(leave.values(on_hand=Stock.on_hand - quantity, reserved=Stock.reserved - quantity))


def ensure_stock(session: Session, sku: str) -> None:
    """Make an empty stock row where there is none, whoever else does the same."""
    session.execute(insert_or(session, Stock).values(sku=sku, on_hand=0, reserved=0).on_conflict_do_nothing())


def change_on_hand(session: Session, sku: str, delta: int) -> int | None:
    """The new quantity on hand, or None when that would be less than what is reserved."""
    possible = update(Stock).where(Stock.sku == sku, Stock.on_hand + delta >= Stock.reserved)
    return session.scalar(possible.values(on_hand=Stock.on_hand + delta).returning(Stock.on_hand))


def adjustments(session: Session, sku: str, request: PageRequest) -> Page[Adjustment]:
    return fetch_page(session, select(Adjustment).where(Adjustment.sku == sku), [Adjustment.id.desc()], request)


def reservation(session: Session, reservation_id: int, *, lock: bool = False) -> Reservation | None:
    return session.get(Reservation, reservation_id, with_for_update=lock or None)
