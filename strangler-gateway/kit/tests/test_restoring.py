"""Rows come back exactly as they were, whatever was done to them and by which statements; and only for a moment."""

import itertools
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, Engine, delete, insert, select, text, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session
from sqlalchemy.orm.exc import StaleDataError

from strangler_kit.effects import RowChange, before_images, decode, recording
from strangler_kit.layouts import Catalogue
from strangler_kit.restoring import NotRestored, restore

from .conftest import NOON, Base, Book, Loan, Shelf

State = dict[str, list[tuple[Any, ...]]]
_fresh = itertools.count()


def state(connection: Connection) -> State:
    """All rows: what SQLite holds itself, by type and value, or the text that PostgreSQL makes of each row."""
    found = {}
    for table in Base.metadata.sorted_tables:
        columns = ", ".join(f"typeof({column.name}), quote({column.name})" for column in table.columns)
        read = columns if connection.dialect.name == "sqlite" else f"CAST({table.name} AS TEXT)"
        keys = ", ".join(column.name for column in table.primary_key)
        rows = connection.execute(text(f"SELECT {read} FROM {table.name} ORDER BY {keys}"))
        found[table.name] = [tuple(row) for row in rows]
    return found


Act = Callable[[Session, int, int], object]


def _add(session: Session, some: int, other: int) -> None:
    session.add(Book(title=f"t{some}", shelf_id=other % 3 or None, price=Decimal(some) / 8, cover=bytes([other])))
    session.flush()


def _change(session: Session, some: int, other: int) -> None:
    for book in session.scalars(select(Book).where(Book.id <= some).order_by(Book.id)):
        book.title, book.details, book.weight = f"f{next(_fresh)}", {"n": other}, other / 7


def _upsert(session: Session, some: int, other: int) -> None:
    dialect = sqlite if session.get_bind().dialect.name == "sqlite" else postgresql
    common = {"added": NOON, "price": 1, "weight": 1, "lent": True}
    rows = [{"title": f"t{number}", **common} for number in (some, other + 10)]
    changes = {"pages": Book.pages + 1, "seen": None}
    session.execute(dialect.insert(Book).values(rows).on_conflict_do_update(index_elements=["title"], set_=changes))


ACTS: dict[str, Act] = {
    "add": _add,
    "add many": lambda s, some, other: s.execute(insert(Book), [{"title": f"t{some}"}, {"title": f"t{other}"}]),
    "add from select": lambda s, some, other: s.execute(
        insert(Shelf).from_select(["label"], select(Book.title).where(Book.id <= some))
    ),
    "change by flush": _change,
    "change in bulk": lambda s, some, other: s.execute(
        update(Book).where(Book.id > some).values(price=Book.price + 1, lent=~Book.lent, seen=NOON.replace(tzinfo=None))
    ),
    "change many": lambda s, some, other: s.execute(
        update(Book), [{"id": some, "pages": other}, {"id": other, "cover": None}]
    ),
    "upsert": _upsert,
    "delete in bulk": lambda s, some, other: s.execute(delete(Book).where(Book.id.between(some, other))),
    "delete by returning": lambda s, some, other: s.execute(
        delete(Loan).where(Loan.book_id > some).returning(Loan.reader)
    ).all(),
    "delete shelves": lambda s, some, other: s.execute(delete(Shelf).where(Shelf.id == some)),
    "lend": lambda s, some, other: s.execute(insert(Loan).values(book_id=some, reader=f"r{other}")),
}
numbers = st.integers(1, 6)
steps = st.tuples(st.sampled_from(sorted(ACTS)), numbers, numbers, st.sampled_from(["keep", "keep", "keep", "undo"]))
requests = st.lists(st.lists(steps, min_size=1, max_size=5), min_size=1, max_size=3)


def seed(engine: Engine) -> None:
    with Session(engine) as session, session.begin():
        for table in reversed(Base.metadata.sorted_tables):
            session.execute(delete(table))
        session.add_all(Shelf(id=number, label=f"s{number}") for number in (1, 2, 3))
        session.flush()
        for number in range(1, 5):
            session.add(Book(id=number, title=f"t{number}", shelf_id=1, details={"a": [1.5]}, cover=b"\0", weight=0.1))
        session.flush()
        session.add_all(Loan(book_id=1, reader=f"r{number}") for number in (1, 2))
        if engine.dialect.name == "postgresql":
            session.execute(text("SELECT setval('books_id_seq', 4), setval('shelves_id_seq', 3)"))


def run(engine: Engine, transactions: list[list[tuple[str, int, int, str]]]) -> dict[str, Any]:
    """Run each list in a transaction, each step in a savepoint, and return what the header of the report says."""
    with recording() as found:
        for transaction in transactions:
            with Session(engine) as session, session.begin():
                for name, some, other, end in transaction:
                    nested = session.begin_nested()
                    try:
                        ACTS[name](session, some, other)
                        session.flush()
                    except (IntegrityError, StaleDataError):
                        nested.rollback()
                        continue
                    nested.rollback() if end == "undo" else nested.commit()
    return decode(found.header())


@settings(
    max_examples=60, deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],  # each example begins by emptying the tables
)  # fmt: skip
@given(transactions=requests)
def test_the_earlier_state_comes_back_and_goes_again(watched: Engine, transactions: list[Any]) -> None:
    seed(watched)
    with watched.connect() as connection:
        earlier = state(connection)
    report = run(watched, transactions)
    assert report["complete"], report
    with watched.connect() as connection:
        later = state(connection)
    changed = {(table, row) for table in earlier for row in set(earlier[table]).symmetric_difference(later[table])}
    assert bool(report["rows"]) == bool(changed), "whatever has changed is reported, and nothing else"
    with watched.connect() as connection:
        restore(connection, before_images(report), Catalogue())
        assert state(connection) == earlier
        connection.rollback()
    with watched.connect() as connection:
        assert state(connection) == later


def restored(engine: Engine, *rows: RowChange) -> State:
    with engine.connect() as connection:
        restore(connection, rows, Catalogue())
        return state(connection)


def test_a_database_of_its_own_gets_rows_that_it_lacks(engine: Engine) -> None:
    seed(engine)
    row = RowChange("shelves", {"id": 9}, {"label": "nine"}, None)
    assert len(restored(engine, row)["shelves"]) == 4


@pytest.mark.parametrize("url", [pytest.param("postgresql", marks=pytest.mark.postgresql)], indirect=True)
def test_a_row_that_is_made_in_a_copy_gets_a_key_of_its_own(engine: Engine) -> None:
    """The rows of a copy came with their keys, so that its sequences know nothing of them."""
    seed(engine)
    with engine.begin() as connection:
        connection.execute(insert(Shelf), [{"id": number, "label": f"copied {number}"} for number in range(4, 40)])
        connection.execute(text('CREATE SEQUENCE "odd:""name"'))
        connection.execute(text('CREATE TABLE notes (id BIGINT PRIMARY KEY DEFAULT nextval(\'"odd\\:""name"\'))'))
        connection.execute(text("INSERT INTO notes VALUES (7)"))
    with engine.connect() as connection:
        restore(connection, [RowChange(table, {"id": 99}, None, None) for table in ("shelves", "notes")], Catalogue())
        assert connection.scalar(insert(Shelf).values(label="made").returning(Shelf.id)) == 1040
        assert connection.scalar(text("INSERT INTO notes DEFAULT VALUES RETURNING id")) == 1008
        connection.rollback()
        restore(connection, [RowChange("shelves", {"id": 99}, None, None)], Catalogue())
        assert connection.scalar(insert(Shelf).values(label="made").returning(Shelf.id)) == 1041, "no value was wasted"


@pytest.mark.parametrize("url", [pytest.param("postgresql", marks=pytest.mark.postgresql)], indirect=True)
def test_a_key_that_has_come_meanwhile_is_told_from_other_values_that_are_taken(engine: Engine) -> None:
    seed(engine)
    catalogue = Catalogue()
    with engine.connect() as connection:
        restore(connection, [RowChange("shelves", {"id": 99}, None, None)], catalogue)
        for values, taken in (({"id": 1, "label": "x"}, True), ({"label": "s1"}, False)):
            with pytest.raises(IntegrityError) as error, connection.begin_nested():
                connection.execute(insert(Shelf).values(**values))
            assert catalogue.is_taken_key(error.value) is taken


def test_what_is_not_there_is_left_alone(engine: Engine) -> None:
    seed(engine)
    with engine.connect() as connection:
        earlier = state(connection)
    unknown = RowChange("elsewhere", {"id": 1}, {"x": 1}, None)
    column = RowChange("shelves", {"id": 1}, {"label": "s1", "colour": "red"}, None)
    assert restored(engine, unknown, column, RowChange("shelves", {"id": 77}, None, None)) == earlier


@pytest.mark.parametrize(
    ("row", "why"),
    [
        (RowChange("books", {"id": 9}, {"title": "t9"}, None), "NOT NULL|not-null"),
        (RowChange("shelves", {"id": 9}, {"label": "s1"}, None), "(?i)unique"),
        (RowChange("shelves", {"number": 9}, {"label": "s9"}, None), "another key"),
        (RowChange("shelves", {"id": 1}, {"label": "base64:?"}, None), "the form of no value"),
    ],
    ids=["a column that must be there", "a value that another row has", "a key that is none", "nonsense"],
)
def test_what_cannot_be_put_back_is_told(row: RowChange, why: str, engine: Engine) -> None:
    seed(engine)
    with pytest.raises(NotRestored, match=why):
        restored(engine, row)


def test_rows_that_have_exchanged_unique_values_are_given_up(engine: Engine) -> None:
    seed(engine)
    with pytest.raises(NotRestored):
        restored(
            engine,
            RowChange("shelves", {"id": 1}, {"label": "s2"}, None),
            RowChange("shelves", {"id": 2}, {"label": "s1"}, None),
        )


def test_the_order_of_the_report_need_not_be_that_of_the_keys(engine: Engine) -> None:
    """A parent after its child, and a unique value before it is free."""
    seed(engine)
    with Session(engine) as session, session.begin():
        session.execute(update(Shelf).where(Shelf.id == 2).values(label="x"))
        session.execute(update(Shelf).where(Shelf.id == 3).values(label="s2"))
        session.execute(delete(Loan))
        session.execute(delete(Book))
    with engine.connect() as connection:
        common = {"price": 1, "weight": 1, "lent": False, "added": "2026-05-17T12:00:00.000000Z", "pages": 1}
        rows = [
            RowChange("shelves", {"id": 3}, {"label": "s3"}, None),
            RowChange("shelves", {"id": 2}, {"label": "s2"}, None),
            RowChange("shelves", {"id": 8}, {"label": "s8"}, None),
            RowChange("books", {"id": 5}, {"title": "b", "shelf_id": 8, **common}, None),
            RowChange("loans", {"book_id": 5, "reader": "r"}, {"times": 1}, None),
        ]
        for order in (rows, rows[::-1]):
            savepoint = connection.begin_nested()
            restore(connection, order, Catalogue())
            assert connection.scalars(select(Shelf.label).order_by(Shelf.id)).all() == ["s1", "s2", "s3", "s8"]
            assert connection.scalars(select(Loan.book_id)).all() == [5]
            savepoint.rollback()


def test_a_trigger_with_an_idea_of_its_own_is_noticed(engine: Engine) -> None:
    seed(engine)
    with engine.begin() as connection:
        if engine.dialect.name == "sqlite":
            connection.execute(text(
                "CREATE TRIGGER t AFTER UPDATE ON shelves WHEN new.label <> 'own'"
                " BEGIN UPDATE shelves SET label = 'own' WHERE id = new.id; END"
            ))  # fmt: skip
        else:
            body = "BEGIN new.label = 'own'; RETURN new; END"
            connection.execute(text(f"CREATE FUNCTION own() RETURNS trigger LANGUAGE plpgsql AS $${body}$$"))
            connection.execute(text("CREATE TRIGGER t BEFORE UPDATE ON shelves FOR EACH ROW EXECUTE FUNCTION own()"))
    with pytest.raises(NotRestored, match="did not become what it was"):
        restored(engine, RowChange("shelves", {"id": 1}, {"label": "before"}, None))
