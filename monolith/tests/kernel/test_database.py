"""The database keeps what it is given, and its schema may be created by anyone first."""

from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta, timezone

import pytest
from sqlalchemy import text
from sqlalchemy.exc import StatementError

from shop.application import Shop, build
from shop.kernel.database import Database
from shop.kernel.settings import Settings
from shop.modules.customers.models import LoginSession


def test_times_come_back_aware_and_equal(shop: Shop) -> None:
    written = datetime(2026, 3, 29, 2, 30, 0, 123456, tzinfo=timezone(timedelta(hours=5, minutes=45)))
    with shop.transactions.writing() as work:
        work.session.add(LoginSession(token_sha256="x", customer_id=1, expires_at=written, created_at=written))
    with shop.transactions.reading() as work:
        read = work.session.get_one(LoginSession, "x").expires_at
    assert read == written
    assert read.utcoffset() == timedelta(0)


def test_a_time_without_offset_is_refused(shop: Shop) -> None:
    naive = datetime(2026, 1, 1)  # noqa: DTZ001 - the point of the test
    with pytest.raises(StatementError, match="without offset"), shop.transactions.writing() as work:
        work.session.add(LoginSession(token_sha256="x", customer_id=1, expires_at=naive, created_at=naive))


def test_many_processes_may_create_the_schema_at_once(settings: Settings) -> None:
    databases = [Database(settings.database_url) for _ in range(6)]
    with ThreadPoolExecutor(6) as pool:
        list(pool.map(Database.create_schema, databases))
    assert databases[0].answers()
    for database in databases:
        database.dispose()


def test_an_exception_leaves_nothing_behind(shop: Shop) -> None:
    now = shop.transactions.clock()

    def write_and_fail() -> None:
        with shop.transactions.writing() as work:
            work.session.add(LoginSession(token_sha256="x", customer_id=1, expires_at=now, created_at=now))
            work.session.flush()
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        write_and_fail()
    with shop.transactions.reading() as work:
        assert work.session.get(LoginSession, "x") is None


def test_writers_wait_for_each_other(shop: Shop) -> None:
    """Each reads, then writes what it read plus one: without BEGIN IMMEDIATE most would fail."""
    with shop.transactions.writing() as work:
        work.session.execute(text("CREATE TABLE counter (value INTEGER)"))
        work.session.execute(text("INSERT INTO counter VALUES (0)"))

    def count_up(_: int) -> None:
        with shop.transactions.writing(lock=7) as work:
            value = work.session.scalar(text("SELECT value FROM counter"))
            work.session.execute(text("UPDATE counter SET value = :value"), {"value": value + 1})

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(count_up, range(80)))
    with shop.transactions.reading() as work:
        assert work.session.scalar(text("SELECT value FROM counter")) == 80


def test_a_postgresql_url_means_psycopg() -> None:
    shop = build(Settings(DATABASE_URL="postgresql://nobody@/nowhere"))
    assert shop.database.engine.dialect.driver == "psycopg"
