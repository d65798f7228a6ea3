"""Inventory's own tables: a stock row counts what is there and held; reservations say for whom and until when."""

from datetime import datetime

from sqlalchemy import ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column, relationship

from shop.kernel.database import Base, Id, ordered_string

ACTIVE = "active"
CONFIRMED = "confirmed"
RELEASED = "released"
EXPIRED = "expired"


class Stock(Base):
    __tablename__ = "inventory_stock"

    sku: Mapped[str] = mapped_column(ordered_string(64), primary_key=True)
    on_hand: Mapped[int] = mapped_column(Id)
    reserved: Mapped[int] = mapped_column(Id, default=0)
    """Includes reservations that have expired and have not been swept yet: see `repository.held_by_expired`."""


class Adjustment(Base):
    __tablename__ = "inventory_adjustments"
    __table_args__ = {"sqlite_autoincrement": True}  # noqa: RUF012 - SQLAlchemy reads it as a class attribute

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    sku: Mapped[str] = mapped_column(ordered_string(64), index=True)
    delta: Mapped[int]
    reason: Mapped[str] = mapped_column(String(200))
    on_hand: Mapped[int] = mapped_column(Id)
    created_at: Mapped[datetime]


class Reservation(Base):
    __tablename__ = "inventory_reservations"
    __table_args__ = (Index("inventory_reservations_expiry", "state", "expires_at"), {"sqlite_autoincrement": True})

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    owner_id: Mapped[int] = mapped_column(Id)
    state: Mapped[str] = mapped_column(String(16))
    expires_at: Mapped[datetime]
    created_at: Mapped[datetime]
    items: Mapped[list["ReservationItem"]] = relationship(lazy="selectin", order_by="ReservationItem.sku")


class ReservationItem(Base):
    __tablename__ = "inventory_reservation_items"

    reservation_id: Mapped[int] = mapped_column(ForeignKey("inventory_reservations.id"), primary_key=True)
    sku: Mapped[str] = mapped_column(ordered_string(64), primary_key=True, index=True)
    quantity: Mapped[int]
