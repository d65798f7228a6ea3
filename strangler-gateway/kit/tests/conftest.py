"""Databases of both kinds with a few tables of all sorts, and what an application's ORM makes of them."""

from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import psycopg
import pytest
from sqlalchemy import (
    JSON,
    BigInteger,
    DateTime,
    Dialect,
    Engine,
    ForeignKey,
    Integer,
    LargeBinary,
    Numeric,
    create_engine,
    event,
    make_url,
    text,
)
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column
from sqlalchemy.types import TypeDecorator

from strangler_kit.recording import Outbox, Recorder
from support.postgresql import PostgreSQL, postgresql

NOON = datetime(2026, 5, 17, 12, 0, tzinfo=UTC)
Id = BigInteger().with_variant(Integer, "sqlite")


class Instant(TypeDecorator[datetime]):
    """As many applications have it: aware in Python, UTC in the database."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        return value if value is None or dialect.name != "sqlite" else value.astimezone(UTC).replace(tzinfo=None)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        return value if value is None or dialect.name != "sqlite" else value.replace(tzinfo=UTC)


class Base(DeclarativeBase):
    type_annotation_map = {datetime: Instant(), dict[str, Any]: JSON}  # noqa: RUF012 - SQLAlchemy reads it so


class Shelf(Base):
    __tablename__ = "shelves"

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    label: Mapped[str] = mapped_column(unique=True)


class Book(Base):
    """A column of every kind."""

    __tablename__ = "books"
    __table_args__ = {"sqlite_autoincrement": True}  # noqa: RUF012 - as above

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    title: Mapped[str] = mapped_column(unique=True)
    shelf_id: Mapped[int | None] = mapped_column(ForeignKey("shelves.id"))
    price: Mapped[Decimal] = mapped_column(Numeric(12, 4), default=Decimal("1.5"))
    weight: Mapped[float] = mapped_column(default=0.1)
    lent: Mapped[bool] = mapped_column(default=False)
    cover: Mapped[bytes | None] = mapped_column(LargeBinary)
    details: Mapped[dict[str, Any] | None]
    added: Mapped[datetime] = mapped_column(default=NOON)
    seen: Mapped[datetime | None] = mapped_column(DateTime())
    pages: Mapped[int] = mapped_column(server_default="100")


class Loan(Base):
    """A key of two columns, and rows that go with their book."""

    __tablename__ = "loans"

    book_id: Mapped[int] = mapped_column(ForeignKey("books.id", ondelete="CASCADE"), primary_key=True)
    reader: Mapped[str] = mapped_column(primary_key=True)
    times: Mapped[int] = mapped_column(default=1)


class Message(Base):
    __tablename__ = "messages"

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    topic: Mapped[str]
    payload: Mapped[str]


@pytest.fixture(scope="session")
def database_server() -> Iterator[PostgreSQL]:
    with postgresql() as server:
        yield server


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgresql)])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """An empty database of either kind."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'books.db'}"
    server: PostgreSQL = request.getfixturevalue("database_server")
    with psycopg.connect(server.url(), autocommit=True) as connection:
        connection.execute("DROP SCHEMA public CASCADE")
        connection.execute("CREATE SCHEMA public")
    return server.url()


@pytest.fixture
def engine(url: str) -> Iterator[Engine]:
    """An engine with the tables in the database, which nothing watches."""
    found = open_engine(url)
    Base.metadata.create_all(found)
    yield found
    found.dispose()


def open_engine(url: str) -> Engine:
    """An engine as an application makes it, with transactions that are ones on SQLite too."""
    parsed = make_url(url)
    if parsed.drivername == "postgresql":
        parsed = parsed.set(drivername="postgresql+psycopg")
    engine = create_engine(parsed)
    if engine.dialect.name == "sqlite":
        event.listen(engine, "connect", _prepare)
        event.listen(engine, "begin", lambda connection: connection.exec_driver_sql("BEGIN"))
    return engine


def _prepare(connection: Any, _record: Any) -> None:
    connection.isolation_level = None
    connection.execute("PRAGMA foreign_keys=ON")


@pytest.fixture
def watched(engine: Engine) -> Engine:
    """The same engine, watched."""
    Recorder(engine, outbox=Outbox("messages"))
    return engine


@pytest.fixture
def shop(watched: Engine) -> Engine:
    """Two shelves, three books, two loans; written without being recorded."""
    with Session(watched) as session, session.begin():
        session.add_all([Shelf(id=1, label="one"), Shelf(id=2, label="two")])
        session.flush()
        session.add_all(Book(id=number, title=title, shelf_id=1) for number, title in ((1, "a"), (2, "b"), (3, "c")))
        session.flush()
        session.add_all([Loan(book_id=1, reader="x"), Loan(book_id=1, reader="y")])
        if watched.dialect.name == "postgresql":
            session.execute(text("SELECT setval('books_id_seq', 3), setval('shelves_id_seq', 2)"))
    return watched
