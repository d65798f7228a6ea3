"""What is written is reported, whoever writes it and however; what cannot be followed is said."""

import asyncio
import threading
from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import (
    Column,
    Engine,
    Integer,
    MetaData,
    Table,
    delete,
    func,
    insert,
    select,
    text,
    update,
)
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from strangler_kit.effects import call, recording, unrecorded

from .conftest import NOON, Base, Book, Loan, Message, Shelf
from .recorded import by_flush, reported, short, upsert

books = Book.__table__


def test_rows_that_the_database_deletes_itself_are_reported(shop: Engine) -> None:
    report = reported(shop, lambda session: session.execute(delete(Book).where(Book.id == 1)))
    assert short(report) == [
        ("delete", "books", 1, "a", None),
        ("delete", "loans", 1, "x", 1, None),
        ("delete", "loans", 1, "y", 1, None),
    ]


def test_they_are_also_if_their_parent_was_changed_before(shop: Engine) -> None:
    def change_and_delete(session: Session) -> None:
        by_flush(session)
        session.execute(delete(Book).where(Book.id == 1))

    report = reported(shop, change_and_delete)
    assert [row["key"]["reader"] for row in report["rows"] if row["table"] == "loans"] == ["x", "y"]


def test_nothing_is_reported_of_what_was_rolled_back(shop: Engine) -> None:
    def partly(session: Session) -> None:
        by_flush(session)
        session.flush()
        nested = session.begin_nested()
        session.execute(delete(Loan))
        session.execute(insert(Shelf).values(id=9, label="nine"))
        session.execute(update(Book).where(Book.id == 1).values(title="z"))
        nested.rollback()

    assert short(reported(shop, partly)) == [("update", "books", 1, "a", "a!"), ("update", "books", 2, "b", "b!")]
    with recording() as found, Session(shop) as session:
        session.execute(delete(Loan))
        session.rollback()
        session.execute(delete(Loan).where(Loan.reader == "x"))
    assert found.report()["rows"] == []
    assert found.complete


@pytest.mark.parametrize("url", [pytest.param("postgresql", marks=pytest.mark.postgresql)], indirect=True)
def test_nothing_is_reported_of_a_commit_that_failed(shop: Engine) -> None:
    notes = Table("notes", MetaData(), Column("id", Integer, primary_key=True), Column("book", Integer))
    with shop.begin() as connection:
        notes.create(connection)
        deferred = "FOREIGN KEY (book) REFERENCES books (id) DEFERRABLE INITIALLY DEFERRED"
        connection.execute(text(f"ALTER TABLE notes ADD {deferred}"))
    with recording() as found, shop.connect() as connection:
        connection.execute(insert(notes).values(id=1, book=99))
        with pytest.raises(IntegrityError):
            connection.commit()
        connection.rollback()
        connection.execute(insert(notes).values(id=2, book=1))
        connection.commit()
    assert [row["key"] for row in found.report()["rows"]] == [{"id": 2}]
    assert found.complete


def test_a_row_that_was_left_as_it_was_is_none_that_was_written(shop: Engine) -> None:
    def back_and_forth(session: Session) -> None:
        session.execute(update(Book).values(title=Book.title))
        session.execute(update(Book).values(lent=True))
        session.execute(update(Book).values(lent=False))
        session.execute(insert(Shelf).values(id=5, label="five"))
        session.execute(delete(Shelf).where(Shelf.id == 5))

    assert short(reported(shop, back_and_forth)) == []


def test_several_transactions_are_one_request(shop: Engine) -> None:
    report = reported(
        shop,
        lambda session: session.execute(update(Book).where(Book.id == 2).values(title="first")),
        lambda session: session.execute(insert(Shelf).values(id=7, label="seven")),
        lambda session: session.execute(update(Book).where(Book.id == 2).values(title="second")),
        lambda session: session.execute(update(Shelf).where(Shelf.id == 7).values(label="eight")),
        lambda session: session.execute(delete(Loan).where(Loan.reader == "x")),
    )
    assert short(report) == [
        ("update", "books", 2, "b", "second"),
        ("insert", "shelves", 7, None, "eight"),
        ("delete", "loans", 1, "x", 1, None),
    ]


def test_before_is_the_whole_row_and_after_what_changed(shop: Engine) -> None:
    (row,) = reported(shop, lambda session: session.execute(update(Book).where(Book.id == 1).values(pages=7)))["rows"]
    assert (row["key"], row["after"]) == ({"id": 1}, {"pages": 7})
    assert row["before"].keys() == {column.name for column in books.columns} - {"id"}


def test_values_have_one_form_whatever_the_application_makes_of_them(shop: Engine) -> None:
    added = datetime(2026, 5, 17, 14, 0, 0, 7, tzinfo=timezone(timedelta(hours=2)))
    values = {
        "title": "text:x", "price": Decimal("12.5"), "weight": 0.1, "lent": True, "cover": b"\x00\xff",
        "details": {"a": [1, None]}, "added": added, "seen": NOON.replace(tzinfo=None), "shelf_id": None,
    }  # fmt: skip
    (row,) = reported(shop, lambda session: session.add(Book(id=50, **values)))["rows"]
    details, price = row["after"].pop("details"), row["after"].pop("price")
    assert row["after"] == {
        "title": "text:text:x", "weight": 0.1, "lent": True, "cover": "base64:AP8=", "shelf_id": None, "pages": 100,
        "added": "2026-05-17T12:00:00.000007Z", "seen": "2026-05-17T12:00:00.000000",
    }  # fmt: skip
    assert details.replace(" ", "") == '{"a":[1,null]}'
    assert price == (12.5 if shop.dialect.name == "sqlite" else "12.5000")


def test_what_waits_in_the_outbox_is_an_event(shop: Engine) -> None:
    def act(session: Session) -> None:
        session.add(Message(topic="lent", payload='{"book": 1}'))
        session.flush()
        session.add(Message(topic="odd", payload="{"))
        session.flush()
        nested = session.begin_nested()
        session.execute(insert(Message).values(topic="never", payload="{}"))
        nested.rollback()

    report = reported(shop, act, lambda session: session.execute(update(Message).values(payload="sent")))
    assert (report["rows"], report["complete"]) == ([], True)
    assert report["events"] == [{"topic": "lent", "payload": {"book": 1}}, {"topic": "odd", "payload": "{"}]


def test_calls_are_told_in_their_order(shop: Engine) -> None:
    call("nobody.listens", {})
    with recording() as found:
        call("payments.charge", {"amount": "1.00"})
        with unrecorded():
            call("mail.send", {})
            with Session(shop) as session, session.begin():
                session.execute(delete(Loan))
        call("payments.charge", {"amount": "1.00"})
    report = found.report()
    assert report["calls"] == [{"name": "payments.charge", "arguments": {"amount": "1.00"}}] * 2
    assert report["rows"] == []


DARK: dict[str, Callable[[Session], object]] = {
    "SQL by hand": lambda session: session.execute(text("UPDATE books SET title = 'x' WHERE id = 1")),
    "SQL by hand to the driver": lambda session: session.connection().exec_driver_sql("DELETE FROM loans"),
    "a common table expression by hand": lambda session: session.execute(
        text("WITH few AS (SELECT 1) INSERT INTO shelves (id, label) SELECT 77, 'x' FROM few")
    ),
    "a key that changes": lambda session: session.execute(update(Shelf).where(Shelf.id == 2).values(id=3)),
    "a key that changes by the ORM": lambda session: setattr(session.get(Shelf, 2), "id", 3),
    "a table that is made": lambda session: Base.metadata.create_all(session.connection(), checkfirst=False),
    "values that the database makes": lambda session: session.execute(
        upsert(session, Book)
        .values(title=func.lower("A"))
        .on_conflict_do_update(index_elements=["title"], set_={"pages": 1})
    ),
}


@pytest.mark.parametrize("name", DARK)
def test_what_cannot_be_followed_is_said(name: str, shop: Engine) -> None:
    if name == "a table that is made":
        Base.metadata.drop_all(shop)
    report = reported(shop, DARK[name], by_flush if name != "a table that is made" else lambda _: None)
    assert (report["complete"], report["rows"]) == (False, [])
    assert report["why"]


@pytest.mark.parametrize(
    "statement",
    [
        "SELECT * FROM books",
        " select id from books WHERE title = 'b' ",
        "WITH few AS (SELECT 1 AS one) SELECT one FROM few",
        "VALUES (1)",
    ],
)
def test_sql_by_hand_that_only_reads_is_no_matter(statement: str, shop: Engine) -> None:
    assert short(reported(shop, lambda session: session.execute(text(statement)), by_flush)) != []


def test_what_commits_by_itself_is_said_to_be_unknown(shop: Engine) -> None:
    with recording() as found, shop.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(delete(Loan))
    assert not found.report()["complete"]


def test_a_transaction_that_is_still_open_is_said(shop: Engine) -> None:
    with recording() as found, Session(shop) as session:
        session.execute(delete(Loan))
        assert not found.report()["complete"]


def test_more_rows_than_are_reported_are_not_read(shop: Engine) -> None:
    with recording() as found:
        found.max_rows = 2
        with Session(shop) as session, session.begin():
            session.execute(update(Book).values(lent=True))
    assert "more rows" in found.report()["why"]
    for many in (lambda s: s.execute(insert(Shelf), [{"label": str(n)} for n in range(3)]),
                 lambda s: s.execute(insert(Shelf).from_select(["label"], select(Book.title)))):  # fmt: skip
        with recording() as found:
            found.max_rows = 2
            with Session(shop) as session, session.begin():
                many(session)
        assert not found.report()["complete"]


def test_a_statement_that_fails_leaves_nothing(shop: Engine) -> None:
    with recording() as found, Session(shop) as session:
        with pytest.raises(IntegrityError):
            session.execute(insert(Shelf).values(label="one"))
        session.rollback()
        session.execute(insert(Shelf).values(label="three"))
        session.commit()
    assert [row["after"] for row in found.report()["rows"]] == [{"label": "three"}]


def test_each_request_has_its_own(shop: Engine) -> None:
    """Threads of a server, and tasks of a loop; only one of each is recorded."""
    reports: dict[str, dict[str, Any]] = {}
    barrier = threading.Barrier(3)

    def act(number: int, *, watch: bool) -> None:
        barrier.wait()
        with recording() as found, Session(shop) as session, session.begin():
            if not watch:
                with unrecorded():
                    session.execute(update(Book).where(Book.id == number).values(pages=number))
            else:
                session.execute(update(Book).where(Book.id == number).values(pages=number))
        reports[str(number)] = found.report()

    threads = [threading.Thread(target=act, args=(number,), kwargs={"watch": number < 3}) for number in (1, 2, 3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)
    assert {name: [row["key"]["id"] for row in report["rows"]] for name, report in reports.items()} == {
        "1": [1], "2": [2], "3": [],
    }  # fmt: skip


def test_tasks_of_a_request_belong_to_it() -> None:
    async def request(name: str) -> list[Any]:
        async def ask() -> None:
            call(name, {})
            await asyncio.to_thread(call, f"{name} by a thread", {})

        with recording() as found:
            await asyncio.gather(ask(), ask())
        return sorted(told["name"] for told in found.report()["calls"])

    async def both() -> list[list[Any]]:
        return await asyncio.gather(request("a"), request("b"))

    assert asyncio.run(both()) == [["a", "a", "a by a thread", "a by a thread"],
                                   ["b", "b", "b by a thread", "b by a thread"]]  # fmt: skip
