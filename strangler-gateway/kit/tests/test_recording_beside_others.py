"""Recording changes nothing for the application: not what it waits for, not what fails, not what is left."""

import asyncio
import sqlite3
import threading
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import Column, Engine, Integer, MetaData, Table, event, insert, select, text, update
from sqlalchemy.exc import OperationalError
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.orm import Session

from strangler_kit.effects import recording
from strangler_kit.recording import Recorder

from .conftest import Base, Book, Shelf, open_engine

on_postgresql = pytest.mark.parametrize(
    "url", [pytest.param("postgresql", marks=pytest.mark.postgresql)], indirect=True
)
on_sqlite = pytest.mark.parametrize("url", ["sqlite"], indirect=True)


@pytest.fixture
def shelves(watched: Engine) -> Engine:
    with watched.begin() as connection:
        connection.execute(insert(Shelf), [{"id": number, "label": f"s{number}"} for number in (1, 2, 3)])
    return watched


@on_postgresql
def test_a_lock_that_is_not_had_fails_as_it_would_have(shelves: Engine) -> None:
    """The first read of a kind is made in a savepoint, later ones are not: both leave the error to the application."""
    change = update(Shelf).where(Shelf.id == 1).values(label="x")
    for _ in range(2):
        with shelves.connect() as other:
            other.execute(select(Shelf.id).where(Shelf.id == 1).with_for_update())
            with recording() as found, Session(shelves) as session:
                session.execute(text("SET LOCAL lock_timeout = '50ms'"))
                with pytest.raises(OperationalError, match="lock timeout"):
                    session.execute(change)
                session.rollback()
            assert found.report()["rows"] == []
        with recording() as found, Session(shelves) as session, session.begin():
            session.execute(update(Shelf).where(Shelf.id == 2).values(label=Shelf.label + "!"))
        assert len(found.report()["rows"]) == 1


@on_postgresql
def test_a_view_that_cannot_be_locked_can_still_be_written(shelves: Engine) -> None:
    view = Table("counts", MetaData(), Column("id", Integer, primary_key=True), Column("number", Integer))
    with shelves.begin() as connection:
        connection.execute(text("CREATE VIEW counts AS SELECT id, count(*) AS number FROM shelves GROUP BY id"))
        body = "BEGIN UPDATE shelves SET label = 'by the view' WHERE id = new.id; RETURN new; END"
        connection.execute(text(f"CREATE FUNCTION change() RETURNS trigger LANGUAGE plpgsql AS $${body}$$"))
        connection.execute(text("CREATE TRIGGER t INSTEAD OF UPDATE ON counts FOR EACH ROW EXECUTE FUNCTION change()"))
    with recording() as found, shelves.begin() as connection:
        connection.execute(update(view).where(view.c.id == 1).values(number=7))
    assert "cannot be read" in found.report()["why"]
    with shelves.connect() as connection:
        assert connection.scalar(select(Shelf.label).where(Shelf.id == 1)) == "by the view"


@on_sqlite
def test_a_writer_that_would_have_waited_for_another_still_does(shelves: Engine, url: str) -> None:
    """A transaction that begins by reading is refused to write if another has written since."""
    with closing(sqlite3.connect(url.removeprefix("sqlite:///"))) as connection:
        connection.execute("PRAGMA journal_mode=WAL")
    asked, reports = threading.Event(), []

    def change() -> None:
        with recording() as found, Session(shelves) as session, session.begin():
            asked.set()
            session.execute(update(Shelf).where(Shelf.id == 1).values(label=Shelf.label + " and mine"))
        reports.append(found.report())

    other = open_engine(url)
    with other.connect() as connection:
        connection.execute(update(Shelf).where(Shelf.id == 1).values(label="theirs"))
        thread = threading.Thread(target=change)
        thread.start()
        assert asked.wait(5)
        connection.commit()
    thread.join(10)
    other.dispose()
    (row,) = reports[0]["rows"]
    assert (row["before"], row["after"]) == ({"label": "theirs"}, {"label": "theirs and mine"})


@pytest.mark.parametrize("place", ["_before_change", "_before_insert", "_new_keys", "_result"])
def test_a_mistake_of_ours_fails_no_write(place: str, shelves: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    def mistaken(*_: object) -> None:
        raise AttributeError("we did not think of that")

    monkeypatch.setattr(Recorder, place, mistaken)
    with recording() as found, Session(shelves) as session, session.begin():
        session.execute(update(Shelf).where(Shelf.id == 1).values(label="x"))
        session.execute(insert(Shelf).values(id=9, label="y"))
    report = found.report()
    assert (report["complete"], report["why"]) == (False, "AttributeError: we did not think of that")
    with shelves.connect() as connection:
        assert {"x", "y"} <= set(connection.scalars(select(Shelf.label)))


def test_without_a_request_that_is_recorded_nothing_is_asked(shelves: Engine) -> None:
    asked: list[str] = []
    event.listen(shelves, "before_cursor_execute", lambda _c, _cursor, statement, *_: asked.append(statement))
    with Session(shelves) as session, session.begin():
        session.execute(update(Shelf).where(Shelf.id == 1).values(label="x"))
    assert [statement.partition(" ")[0] for statement in asked if statement != "BEGIN"] == ["UPDATE"]


@on_sqlite
def test_an_asynchronous_engine_is_watched_as_well(engine: Engine, tmp_path: Path) -> None:
    async def write() -> None:
        watched = create_async_engine(f"sqlite+aiosqlite:///{tmp_path / 'books.db'}")
        Recorder(watched.sync_engine)
        async with watched.begin() as connection:
            await connection.execute(insert(Shelf), [{"label": "a"}, {"label": "b"}])
        await watched.dispose()

    with recording() as found:
        asyncio.run(write())
    assert [row["after"] for row in found.report()["rows"]] == [{"label": "a"}, {"label": "b"}]


def test_what_a_recorded_application_leaves_is_what_it_would_have_left(url: str, watched: Engine) -> None:
    """Rows, and what an application is told about them: counts, keys, values by default."""

    def run() -> list[object]:
        with Session(watched) as session, session.begin():
            connection = session.connection()
            told: list[object] = [
                connection.execute(Shelf.__table__.insert(), [{"label": "a"}, {"label": "b"}]).rowcount,
                connection.execute(Shelf.__table__.insert().values([{"label": "c"}, {"label": "d"}])).rowcount,
                connection.execute(Shelf.__table__.insert().from_select(["label"], select(Shelf.label + "2"))).rowcount,
                connection.execute(Shelf.__table__.insert().inline(), {"label": "e"}).rowcount,
                connection.execute(Shelf.__table__.update().values(label=Shelf.label + "!")).rowcount,
                connection.execute(Shelf.__table__.delete().where(Shelf.label == "a!")).rowcount,
            ]
            book = Book(title="t")
            session.add(book)
            session.flush()
            told += [book.pages, session.scalars(select(Shelf.label).order_by(Shelf.id)).all()]
        Base.metadata.drop_all(watched)
        Base.metadata.create_all(watched)
        return told

    plain = run()
    with recording() as found:
        recorded = run()
    assert recorded[:6] == [2, 2, 4, 1, 9, 1]
    unknown = 4 if watched.dialect.name == "postgresql" else 0  # without RETURNING its driver counts no new rows
    assert recorded[unknown:] == plain[unknown:]
    assert not found.complete, "the tables were dropped"
