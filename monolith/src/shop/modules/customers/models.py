"""The customers' own tables."""

from datetime import datetime

from sqlalchemy import String, Text
from sqlalchemy.orm import Mapped, mapped_column

from shop.kernel.database import Base, Id


class Customer(Base):
    __tablename__ = "customers_customers"
    __table_args__ = {"sqlite_autoincrement": True}  # noqa: RUF012 - SQLAlchemy reads it as a class attribute

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    email: Mapped[str] = mapped_column(String(254), unique=True)
    name: Mapped[str] = mapped_column(String(100))
    password_hash: Mapped[str] = mapped_column(String(255))
    role: Mapped[str] = mapped_column(String(16))
    created_at: Mapped[datetime]

    @property
    def roles(self) -> list[str]:
        return [self.role]


class LoginSession(Base):
    """A signed-in browser. Only the digest of its token is kept: who reads this table can sign in as nobody."""

    __tablename__ = "customers_sessions"

    token_sha256: Mapped[str] = mapped_column(String(64), primary_key=True)
    customer_id: Mapped[int] = mapped_column(Id, index=True)
    expires_at: Mapped[datetime]
    created_at: Mapped[datetime]


class SigningKey(Base):
    """The key that signs tokens, made by whichever process starts first. There is one row, with id 1."""

    __tablename__ = "customers_signing_key"

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    private_pem: Mapped[str] = mapped_column(Text)
    created_at: Mapped[datetime]
