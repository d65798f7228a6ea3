"""Transactions that are recorded, and their reports in short."""

from collections.abc import Callable
from typing import Any

from sqlalchemy import Engine, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from strangler_kit.effects import recording

from .conftest import Book


def upsert(session: Session, table: Any) -> Any:
    return (sqlite if session.get_bind().dialect.name == "sqlite" else postgresql).insert(table)


def reported(engine: Engine, *acts: Callable[[Session], object]) -> dict[str, Any]:
    """Run each act in a transaction of its own, and return the report of all."""
    with recording() as found:
        for act in acts:
            with Session(engine) as session, session.begin():
                act(session)
    return found.report()


def short(report: dict[str, Any]) -> list[tuple[Any, ...]]:
    """Operation, table, key, and the titles or numbers before and after: enough to tell rows apart."""
    assert report["complete"], report

    def value(columns: dict[str, Any] | None) -> Any:
        return columns and next((columns[name] for name in ("title", "label", "times") if name in columns), None)

    return [
        (row["operation"], row["table"], *row["key"].values(), value(row["before"]), value(row["after"]))
        for row in report["rows"]
    ]


def by_flush(session: Session) -> None:
    for book in session.scalars(select(Book).where(Book.id < 3)):
        book.title += "!"
