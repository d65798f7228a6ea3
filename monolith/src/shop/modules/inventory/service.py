"""Inventory's use cases. Rows are locked in one order everywhere: reservations by id, then stock by SKU."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from shop.kernel.caller import Caller
from shop.kernel.errors import InsufficientStock, NotFound, ReservationState
from shop.kernel.pages import Page, PageRequest
from shop.kernel.unit_of_work import Transactions, UnitOfWork
from shop.modules.inventory import repository
from shop.modules.inventory.models import (
    ACTIVE,
    CONFIRMED,
    EXPIRED,
    RELEASED,
    Adjustment,
    Reservation,
    ReservationItem,
    Stock,
)
from shop.modules.inventory.schemas import NewAdjustment, NewReservation

CHECKOUT_TTL = timedelta(minutes=15)


@dataclass(frozen=True, slots=True)
class StockLevel:
    sku: str
    on_hand: int
    reserved: int

    @property
    def available(self) -> int:
        return self.on_hand - self.reserved


class Inventory:
    """What is there, what is held for whom, and how it changes."""

    def __init__(self, transactions: Transactions) -> None:
        self._transactions = transactions

    def list_stock(self, request: PageRequest) -> Page[StockLevel]:
        with self._transactions.reading() as work:
            page = repository.stock_page(work.session, request)
            return Page(_levels(work, page.items), page.total, page.page, page.page_size)

    def get_stock(self, sku: str) -> StockLevel:
        with self._transactions.reading() as work:
            return _levels(work, [_stock(work.session, sku)])[0]

    def list_adjustments(self, sku: str, request: PageRequest) -> Page[Adjustment]:
        with self._transactions.reading() as work:
            _stock(work.session, sku)
            return repository.adjustments(work.session, sku, request)

    def adjust(self, sku: str, new: NewAdjustment) -> Adjustment:
        with self._transactions.writing() as work:
            _release_expired(work, [sku])
            return self.adjust_within(work, sku, new.delta, new.reason)

    def adjust_within(self, work: UnitOfWork, sku: str, delta: int, reason: str) -> Adjustment:
        """Change the stock on hand, in the caller's transaction."""
        repository.ensure_stock(work.session, sku)
        on_hand = repository.change_on_hand(work.session, sku, delta)
        if on_hand is None:
            raise InsufficientStock(sku)
        adjustment = Adjustment(sku=sku, delta=delta, reason=reason, on_hand=on_hand, created_at=work.now)
        work.session.add(adjustment)
        work.session.flush()
        return adjustment

    def reserve(self, caller: Caller, new: NewReservation) -> Reservation:
        with self._transactions.writing() as work:
            return self.reserve_within(work, caller.id, new.quantities(), timedelta(seconds=new.ttl_seconds))

    def reserve_within(
        self, work: UnitOfWork, owner_id: int, quantities: Mapping[str, int], ttl: timedelta = CHECKOUT_TTL
    ) -> Reservation:
        """Hold these quantities, all or none, in the caller's transaction. Raises InsufficientStock."""
        _release_expired(work, quantities)
        for sku, quantity in sorted(quantities.items()):
            if not repository.claim(work.session, sku, quantity):
                raise InsufficientStock(sku)
        reservation = Reservation(
            owner_id=owner_id,
            state=ACTIVE,
            expires_at=work.now + ttl,
            created_at=work.now,
            items=[ReservationItem(sku=sku, quantity=quantity) for sku, quantity in sorted(quantities.items())],
        )
        work.session.add(reservation)
        work.session.flush()
        return reservation

    def get_reservation(self, caller: Caller, reservation_id: int) -> Reservation:
        with self._transactions.reading() as work:
            return _as_of(_reservation(work.session, caller, reservation_id), work.now)

    def confirm(self, caller: Caller, reservation_id: int) -> Reservation:
        with self._transactions.writing() as work:
            reservation = _reservation(work.session, caller, reservation_id, lock=True)
            self.confirm_within(work, reservation)
            return reservation

    def confirm_within(self, work: UnitOfWork, reservation: Reservation) -> None:
        """Let what is held leave the stock, in the caller's transaction."""
        if _closes(reservation, CONFIRMED, work.now):
            quantities = _quantities(reservation)
            repository.lock_stock(work.session, quantities)
            repository.take_out(work.session, quantities)

    def release(self, caller: Caller, reservation_id: int) -> Reservation:
        with self._transactions.writing() as work:
            reservation = _reservation(work.session, caller, reservation_id, lock=True)
            if _closes(reservation, RELEASED, work.now):
                quantities = _quantities(reservation)
                repository.lock_stock(work.session, quantities)
                repository.free(work.session, quantities)
            return reservation


def _closes(reservation: Reservation, state: str, now: datetime) -> bool:
    """Move an active reservation to `state`. False when it is there already.

    Raises ReservationState when it cannot go there.
    """
    current = _state(reservation, now)
    if current == state:
        return False
    if current != ACTIVE:
        message = f"Reservation {reservation.id} is {current}."
        raise ReservationState(message)
    reservation.state = state
    return True


def _release_expired(work: UnitOfWork, skus: Iterable[str]) -> None:
    """Give back what expired reservations on these SKUs hold, and lock the stock that this transaction touches."""
    wanted = set(skus)
    expired = repository.expired_reservations(work.session, wanted, work.now)
    freed = Counter[str]()
    for reservation in expired:
        freed.update(_quantities(reservation))
    repository.lock_stock(work.session, wanted | set(freed))
    repository.mark_expired(expired)
    repository.free(work.session, freed)


def _levels(work: UnitOfWork, rows: Iterable[Stock]) -> list[StockLevel]:
    rows = list(rows)
    expired = repository.held_by_expired(work.session, [row.sku for row in rows], work.now)
    return [StockLevel(row.sku, row.on_hand, row.reserved - expired.get(row.sku, 0)) for row in rows]


def _stock(session: Session, sku: str) -> Stock:
    stock = repository.stock(session, sku)
    if stock is None:
        message = f"There is no stock of {sku}."
        raise NotFound(message)
    return stock


def _reservation(session: Session, caller: Caller, reservation_id: int, *, lock: bool = False) -> Reservation:
    reservation = repository.reservation(session, reservation_id, lock=lock)
    if reservation is None or not caller.may_see(reservation.owner_id):
        message = f"There is no reservation {reservation_id}."
        raise NotFound(message)
    return reservation


def _state(reservation: Reservation, now: datetime) -> str:
    return EXPIRED if reservation.state == ACTIVE and reservation.expires_at <= now else reservation.state


def _as_of(reservation: Reservation, now: datetime) -> Reservation:
    """The reservation as it stands at `now`. The transaction only reads: nothing of this is written."""
    reservation.state = _state(reservation, now)
    return reservation


def _quantities(reservation: Reservation) -> dict[str, int]:
    return {item.sku: item.quantity for item in reservation.items}
