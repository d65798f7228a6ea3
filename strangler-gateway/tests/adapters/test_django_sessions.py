"""The session table of a Django application, in SQLite and PostgreSQL: read, and never written."""

import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import quote

import psycopg
import pytest

from strangler.adapters.django_sessions import DjangoSessionTable, SessionsUnreadable
from support.postgresql import postgresql

TABLE = "CREATE TABLE django_session (session_key varchar(40) PRIMARY KEY, session_data text, expire_date {})"
ROW = "INSERT INTO django_session VALUES ('{}', 'data', '{}')"
END = 1_767_323_045.25
"""2026-01-02 03:04:05.25 UTC."""


def sqlite(folder: Path) -> tuple[str, Callable[[str], object]]:
    file = folder / "a # data%20base.db"
    connection = sqlite3.connect(file, isolation_level=None)
    connection.execute(TABLE.format("datetime"))
    connection.execute(ROW.format("key", "2026-01-02 03:04:05.250000"))
    return f"sqlite:///{quote(str(file))}", connection.execute


@pytest.fixture(name="server", scope="module")
def running_server() -> Iterator[str]:
    with postgresql() as server:
        url = server.create_database("sessions")
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute(TABLE.format("timestamptz"))
            connection.execute(ROW.format("key", "2026-01-02 04:04:05.25+01"))
        yield url


def test_a_row_of_sqlite_is_read_with_its_end_in_utc(tmp_path: Path) -> None:
    url, execute = sqlite(tmp_path)
    table = DjangoSessionTable(url, "django_session", 1.0)
    assert table.read("key") == ("data", END)
    assert table.read("other") is None
    execute("DELETE FROM django_session")
    assert table.read("key") is None
    table.close()


@pytest.mark.postgresql
def test_a_row_of_postgresql_is_read_with_its_end_whatever_its_zone(server: str) -> None:
    table = DjangoSessionTable(server, "django_session", 1.0)
    assert table.read("key") == ("data", END)
    assert table.read("' OR true --") is None
    table.close()


@pytest.mark.postgresql
def test_a_locked_table_is_waited_for_no_longer_than_allowed(server: str) -> None:
    table = DjangoSessionTable(server, "django_session", 0.5)
    with psycopg.connect(server) as connection:
        connection.execute("LOCK TABLE django_session IN ACCESS EXCLUSIVE MODE")
        with pytest.raises(SessionsUnreadable, match="OperationalError"):
            table.read("key")
    assert table.read("key") is not None
    table.close()


@pytest.mark.postgresql
def test_nothing_can_be_written_over_such_a_connection(server: str) -> None:
    table = DjangoSessionTable(server, "django_session", 1.0)
    with table._engine.connect() as connection, pytest.raises(Exception, match="read-only transaction"):
        connection.exec_driver_sql("DELETE FROM django_session")
    table.close()


def test_a_table_that_is_not_there_and_a_file_that_is_not_there_are_said_to_be_so(tmp_path: Path) -> None:
    url, _ = sqlite(tmp_path)
    for other, table in ((url, "sessions"), (f"sqlite:///{tmp_path}/none.db", "django_session")):
        with pytest.raises(SessionsUnreadable, match="cannot be read"):
            DjangoSessionTable(other, table, 1.0).read("key")
    assert not (tmp_path / "none.db").exists()


@pytest.mark.parametrize("url", ["not a url", "nosuch://u:secret@h/d"])
def test_a_url_that_is_none_is_refused_and_not_repeated(url: str) -> None:
    with pytest.raises(SessionsUnreadable) as refused:
        DjangoSessionTable(url, "django_session", 1.0)
    assert "secret" not in str(refused.value)
