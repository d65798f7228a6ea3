"""The catalog's own tables. What is searched and sorted by is kept folded, so that both databases agree on it."""

from datetime import datetime

from sqlalchemy import ForeignKey, String, Text
from sqlalchemy.orm import Mapped, mapped_column, validates

from shop.kernel.database import Base, Id, ordered_string
from shop.kernel.money import Money
from shop.kernel.text import fold


class Category(Base):
    __tablename__ = "catalog_categories"
    __table_args__ = {"sqlite_autoincrement": True}  # noqa: RUF012 - SQLAlchemy reads it as a class attribute

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    name: Mapped[str] = mapped_column(String(100))
    name_key: Mapped[str] = mapped_column(ordered_string(400))
    slug: Mapped[str] = mapped_column(String(64), unique=True)
    version: Mapped[int] = mapped_column(default=1)
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]

    @validates("name")
    def _fold_name(self, _key: str, name: str) -> str:
        self.name_key = fold(name)
        return name


class Product(Base):
    __tablename__ = "catalog_products"
    __table_args__ = {"sqlite_autoincrement": True}  # noqa: RUF012 - SQLAlchemy reads it as a class attribute

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    sku: Mapped[str] = mapped_column(ordered_string(64), unique=True)
    name: Mapped[str] = mapped_column(String(200))
    description: Mapped[str] = mapped_column(Text)
    name_key: Mapped[str] = mapped_column(ordered_string())
    search_text: Mapped[str] = mapped_column(ordered_string())
    category_id: Mapped[int | None] = mapped_column(Id, ForeignKey("catalog_categories.id"), index=True)
    price_minor: Mapped[int] = mapped_column(Id)
    currency: Mapped[str] = mapped_column(String(3))
    active: Mapped[bool]
    version: Mapped[int] = mapped_column(default=1)
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]

    @property
    def price(self) -> Money:
        return Money(self.price_minor, self.currency)

    @price.setter
    def price(self, price: Money) -> None:
        self.price_minor, self.currency = price.minor, price.currency

    def index_text(self) -> None:
        """Refresh what is derived from the texts. To be called after they change."""
        self.name_key = fold(self.name)
        self.search_text = "\n".join(fold(part) for part in (self.name, self.description, self.sku))
