"""The orders' own tables. An order keeps what it sold as it was then: products change and go."""

from datetime import datetime

from sqlalchemy import ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column, relationship

from shop.kernel.database import Base, Id
from shop.kernel.money import Money

PLACED = "placed"
CANCELLED = "cancelled"


class CartItem(Base):
    __tablename__ = "orders_cart_items"

    customer_id: Mapped[int] = mapped_column(Id, primary_key=True, autoincrement=False)
    product_id: Mapped[int] = mapped_column(Id, primary_key=True, autoincrement=False)
    quantity: Mapped[int]


class Order(Base):
    __tablename__ = "orders_orders"
    __table_args__ = {"sqlite_autoincrement": True}  # noqa: RUF012 - SQLAlchemy reads it as a class attribute

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    customer_id: Mapped[int] = mapped_column(Id, index=True)
    status: Mapped[str] = mapped_column(String(16))
    total_minor: Mapped[int] = mapped_column(Id)
    currency: Mapped[str] = mapped_column(String(3))
    reservation_id: Mapped[int] = mapped_column(Id)
    payment_id: Mapped[int | None] = mapped_column(Id)
    """Null only inside the transaction that makes the order."""
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]
    items: Mapped[list["OrderItem"]] = relationship(lazy="selectin", order_by="OrderItem.product_id")

    @property
    def total(self) -> Money:
        return Money(self.total_minor, self.currency)


class OrderItem(Base):
    __tablename__ = "orders_order_items"

    order_id: Mapped[int] = mapped_column(Id, ForeignKey("orders_orders.id"), primary_key=True)
    product_id: Mapped[int] = mapped_column(Id, primary_key=True, autoincrement=False)
    sku: Mapped[str] = mapped_column(String(64))
    name: Mapped[str] = mapped_column(String(200))
    quantity: Mapped[int]
    unit_minor: Mapped[int] = mapped_column(Id)
    currency: Mapped[str] = mapped_column(String(3))

    @property
    def unit_price(self) -> Money:
        return Money(self.unit_minor, self.currency)

    @property
    def total(self) -> Money:
        return self.unit_price.times(self.quantity)
