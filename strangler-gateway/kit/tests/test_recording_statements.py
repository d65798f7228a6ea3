"""Whichever statement writes rows, it is reported with what they were and what they are."""

from collections.abc import Callable

import pytest
from sqlalchemy import Engine, bindparam, delete, insert, literal, select, update
from sqlalchemy.orm import Session

from .conftest import NOON, Book, Loan, Shelf
from .recorded import by_flush, reported, short, upsert

books, shelves = Book.__table__, Shelf.__table__


def by_bulk_update(session: Session) -> None:
    session.execute(update(Book).where(Book.id < 3).values(title=Book.title + "!"))


def by_core(session: Session) -> None:
    session.connection().execute(books.update().where(books.c.id < 3).values(title=books.c.title + "!"))


def by_executemany(session: Session) -> None:
    statement = books.update().where(books.c.id == bindparam("which")).values(title=bindparam("new"))
    session.connection().execute(statement, [{"which": 1, "new": "a!"}, {"which": 2, "new": "b!"}])


def by_primary_keys(session: Session) -> None:
    session.execute(update(Book), [{"id": 1, "title": "a!"}, {"id": 2, "title": "b!"}])


def by_mappings(session: Session) -> None:
    session.bulk_update_mappings(Book, [{"id": 1, "title": "a!"}, {"id": 2, "title": "b!"}])  # type: ignore[arg-type]


def by_returning(session: Session) -> None:
    statement = books.update().where(books.c.id < 3).values(title=books.c.title + "!").returning(books.c.title)
    assert sorted(session.connection().scalars(statement)) == ["a!", "b!"]


def by_subquery(session: Session) -> None:
    some = select(Loan.book_id).where(Loan.reader == "x").union(select(literal(2)))
    session.execute(update(Book).where(Book.id.in_(some)).values(title=Book.title + "!"))


def by_update_from(session: Session) -> None:
    statement = books.update().where(books.c.shelf_id == shelves.c.id, shelves.c.label == "one", books.c.id < 3)
    session.connection().execute(statement.values(title=books.c.title + "!"))


def by_upsert_on_the_key(session: Session) -> None:
    statement = upsert(session, Book).values([{"id": 1, "title": "a!"}, {"id": 2, "title": "b!"}])
    session.execute(statement.on_conflict_do_update(index_elements=["id"], set_={"title": statement.excluded.title}))


def by_upsert_on_another_column(session: Session) -> None:
    statement = upsert(session, Book).on_conflict_do_update(
        index_elements=[Book.title], set_={"title": Book.title + "!"}
    )
    session.execute(statement, [{"title": "a"}, {"title": "b"}])


UPDATES = (
    by_flush, by_bulk_update, by_core, by_executemany, by_primary_keys, by_mappings, by_returning, by_subquery,
    by_update_from, by_upsert_on_the_key, by_upsert_on_another_column,
)  # fmt: skip


@pytest.mark.parametrize("act", UPDATES, ids=lambda act: act.__name__)
def test_rows_that_are_updated_are_reported(act: Callable[[Session], None], shop: Engine) -> None:
    assert short(reported(shop, act)) == [("update", "books", 1, "a", "a!"), ("update", "books", 2, "b", "b!")]
    with Session(shop) as session:
        assert session.scalars(select(Book.title).order_by(Book.id)).all() == ["a!", "b!", "c"]


def add_by_flush(session: Session) -> None:
    session.add_all([Book(title="d"), Book(title="e")])


def add_by_core(session: Session) -> None:
    for title in ("d", "e"):
        done = session.connection().execute(books.insert().values(title=title))
        assert done.inserted_primary_key is not None
        assert done.inserted_primary_key[0] > 3


def add_by_executemany(session: Session) -> None:
    done = session.connection().execute(books.insert(), [{"title": "d"}, {"title": "e"}])
    assert done.rowcount == 2


def add_by_bulk_insert(session: Session) -> None:
    session.execute(insert(Book), [{"title": "d"}, {"title": "e"}])


def add_by_bulk_save(session: Session) -> None:
    session.bulk_save_objects([Book(title="d"), Book(title="e")])


def add_by_many_values(session: Session) -> None:
    session.execute(insert(Book).values([{"title": "d"}, {"title": "e"}]))


def add_from_select(session: Session) -> None:
    source = (
        select(Book.title + "+", Book.added, Book.price, Book.weight, Book.lent).where(Book.id < 3).order_by(Book.id)
    )
    session.execute(insert(Book).from_select(["title", "added", "price", "weight", "lent"], source))
    session.execute(update(Book).where(Book.title == "a+").values(title="d"))
    session.execute(update(Book).where(Book.title == "b+").values(title="e"))


def add_with_returning(session: Session) -> None:
    made = session.execute(insert(Book).returning(Book.id, Book.title), [{"title": "d"}, {"title": "e"}]).all()
    assert [row.title for row in made] == ["d", "e"]
    assert len({row.id for row in made}) == 2


def add_with_returned_objects(session: Session) -> None:
    made = session.scalars(insert(Book).returning(Book), [{"title": "d"}, {"title": "e"}]).all()
    assert [(book.title, book.pages, book.added) for book in made] == [("d", 100, NOON), ("e", 100, NOON)]


def add_by_upsert(session: Session) -> None:
    statement = upsert(session, Book).values([{"title": "d"}, {"title": "e"}])
    session.execute(statement.on_conflict_do_update(index_elements=["title"], set_={"pages": 0}))


def add_unless_there(session: Session) -> None:
    statement = upsert(session, Book).on_conflict_do_nothing()
    done = session.execute(statement.values([{"title": "a"}, {"title": "d"}, {"title": "e"}]))
    assert done.rowcount == 2


def add_within_a_savepoint(session: Session) -> None:
    with session.begin_nested():
        add_by_flush(session)


ADDITIONS = (
    add_by_flush, add_by_core, add_by_executemany, add_by_bulk_insert, add_by_bulk_save, add_by_many_values,
    add_from_select, add_with_returning, add_with_returned_objects, add_by_upsert, add_unless_there,
    add_within_a_savepoint,
)  # fmt: skip


@pytest.mark.parametrize("act", ADDITIONS, ids=lambda act: act.__name__)
def test_rows_that_are_inserted_are_reported(act: Callable[[Session], None], shop: Engine) -> None:
    report = reported(shop, act)
    assert [(row[0], row[1], row[3], row[4]) for row in short(report)] == [
        ("insert", "books", None, "d"),
        ("insert", "books", None, "e"),
    ]
    with Session(shop) as session:
        found = {book.id: book.title for book in session.scalars(select(Book).where(Book.id > 3))}
    assert {row["key"]["id"]: row["after"]["title"] for row in report["rows"]} == found
    assert report["rows"][0]["after"]["pages"] == 100, "what the database itself fills in is there"


def remove_by_flush(session: Session) -> None:
    session.delete(session.get_one(Book, 2))
    session.delete(session.get_one(Book, 3))


def remove_by_bulk(session: Session) -> None:
    session.execute(delete(Book).where(Book.id > 1))


def remove_by_executemany(session: Session) -> None:
    session.connection().execute(books.delete().where(books.c.id == bindparam("which")), [{"which": 2}, {"which": 3}])


def remove_by_returning(session: Session) -> None:
    assert sorted(session.scalars(delete(Book).where(Book.id > 1).returning(Book.title))) == ["b", "c"]


def remove_in_two_steps(session: Session) -> None:
    session.execute(update(Book).where(Book.id > 1).values(title=Book.title + "?"))
    session.execute(delete(Book).where(Book.title.endswith("?")))


REMOVALS = (remove_by_flush, remove_by_bulk, remove_by_executemany, remove_by_returning, remove_in_two_steps)


@pytest.mark.parametrize("act", REMOVALS, ids=lambda act: act.__name__)
def test_rows_that_are_deleted_are_reported(act: Callable[[Session], None], shop: Engine) -> None:
    assert short(reported(shop, act)) == [("delete", "books", 2, "b", None), ("delete", "books", 3, "c", None)]
