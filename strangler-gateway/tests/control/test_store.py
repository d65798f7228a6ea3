"""The store on SQLite and on PostgreSQL: nothing without its audit row, one writer at a time, unavailable in time."""

import contextlib
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic.config import Config
from alembic.script import ScriptDirectory

from strangler.control.store import Change, ChangeKind, Store, StoredFlag, StoreUnavailable
from strangler.control.store.engine import open_engine
from strangler.control.store.schema import HEAD, MIGRATIONS
from strangler.control.store.tables import metadata
from strangler.model.flag import Flag, Stage

FLAG = StoredFlag(Flag("r", Stage.CANARY, 550, ("u1", "ü")), present=True)
CHANGE = Change(ChangeKind.FLIP, "maria", "because", "r", {"stage": "monolith"}, {"stage": "canary"})


@pytest.fixture
def store(store_url: str) -> Iterator[Store]:
    with contextlib.closing(Store(store_url)) as store:
        store.migrate()
        yield store


def change(store: Store, *, fail: bool = False) -> None:
    with store.writing() as writing:
        writing.bump()
        writing.put([FLAG])
        writing.record([CHANGE])
        if fail:
            raise RuntimeError("between the change and its commit")


def revision(store: Store) -> int:
    with store.writing() as writing:
        return writing.revision


def test_a_change_is_kept_with_its_audit_row(store: Store) -> None:
    change(store)
    assert store.flags() == {"r": FLAG}
    (row,) = store.history(None, 10)
    assert (row.author, row.action, row.route, row.before, row.after) == (
        "maria", "flip", "r", {"stage": "monolith"}, {"stage": "canary"},
    )  # fmt: skip
    assert (row.reason, row.revision) == ("because", 1)
    assert row.at.endswith("Z")


def test_a_change_by_an_author_that_no_column_could_hold_is_kept_all_the_same(store: Store) -> None:
    with store.writing() as writing:
        writing.record([Change(ChangeKind.KILL, "a" * 300, "because\0of", "r")])
    (row,) = store.history(None, 10)
    assert (row.author, row.reason) == ("a" * 200, "because\ufffdof")


def test_a_failure_before_the_commit_leaves_neither_change_nor_audit(store: Store) -> None:
    change(store)
    with pytest.raises(RuntimeError):
        change(store, fail=True)
    assert (revision(store), len(store.history(None, 10))) == (1, 1)


def test_an_audit_row_that_cannot_be_written_undoes_the_change(store: Store) -> None:
    engine = open_engine(store.url if store.url.startswith("sqlite") else str(store._engine.url))
    with engine.begin() as connection:
        connection.execute(sa.text("DROP TABLE audit"))
    engine.dispose()
    with pytest.raises((sa.exc.ProgrammingError, StoreUnavailable)):
        change(store)
    assert (revision(store), store.flags()) == (0, {})


def test_history_gives_the_newest_first_by_route_and_page(store: Store) -> None:
    with store.writing() as writing:
        writing.record(Change(ChangeKind.CONFIG, "a", str(number), f"r{number % 2}") for number in range(6))
    assert [row.reason for row in store.history(["r1"], 2)] == ["5", "3"]
    last = store.history(["r1"], 2)[-1].id
    assert [row.reason for row in store.history(["r1"], 2, before=last)] == ["1"]
    assert store.history([], 10) == []


def test_a_revision_is_counted_once_per_transaction_and_after_what_was_published(store: Store) -> None:
    with store.writing() as writing:
        assert (writing.bump(), writing.bump()) == (1, 1)
    with store.writing() as writing:
        assert writing.bump(at_least=57) == 58
    assert revision(store) == 58


def test_writers_wait_for_each_other_and_lose_no_revision(store: Store) -> None:
    threads = [threading.Thread(target=change, args=(store,)) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert revision(store) == 8
    assert sorted(row.revision for row in store.history(None, 10)) == list(range(1, 9))


def test_a_store_that_another_holds_is_unavailable_in_time_and_unchanged(store: Store, store_url: str) -> None:
    with contextlib.closing(Store(store_url)) as other, other.writing() as writing:
        writing.bump()
        began = time.monotonic()
        with pytest.raises(StoreUnavailable, match="is not available"):
            change(store)
        assert time.monotonic() - began < 8
    assert (revision(store), store.history(None, 10)) == (1, [])


def test_reading_goes_on_while_another_writes(store: Store, store_url: str) -> None:
    change(store)
    with contextlib.closing(Store(store_url)) as other, other.writing() as writing:
        writing.put([StoredFlag(Flag("r", Stage.SERVICE), present=True)])
        assert store.flags() == {"r": FLAG}


def test_more_flags_than_fit_into_one_statement_are_put_and_replaced(store: Store) -> None:
    many = [StoredFlag(Flag(f"r{number:04}"), present=True) for number in range(1201)]
    for _ in range(2):
        with store.writing() as writing:
            writing.put(many)
    assert len(store.flags()) == 1201


def test_migrations_lead_from_nothing_to_the_tables_that_the_code_knows(store: Store) -> None:
    inspector = sa.inspect(store._engine)
    assert set(inspector.get_table_names()) == {*metadata.tables, "alembic_version"}
    for name, table in metadata.tables.items():
        found = {column["name"]: column["nullable"] for column in inspector.get_columns(name)}
        assert found == {column.name: column.nullable for column in table.columns}
    assert {index["name"] for index in inspector.get_indexes("audit")} == {"audit_by_route"}


def test_migrating_again_keeps_what_is_there(store: Store) -> None:
    change(store)
    store.migrate()
    assert store.flags() == {"r": FLAG}


def test_a_store_of_a_newer_version_is_refused_by_name(store: Store) -> None:
    with store._engine.begin() as connection:
        connection.execute(sa.text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(StoreUnavailable, match="written by a newer version"):
        store.migrate()


def test_the_newest_migration_is_the_one_that_the_code_expects() -> None:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    assert ScriptDirectory.from_config(config).get_heads() == [HEAD]


def test_a_database_that_is_not_there_is_unavailable_and_its_password_is_not_told(tmp_path: Path) -> None:
    for url in ("postgresql://me:secret@127.0.0.1:1/x", f"sqlite:///{tmp_path}/no/such/folder/x.db"):
        with contextlib.closing(Store(url)) as store, pytest.raises(StoreUnavailable) as failed:
            store.migrate()
        assert "secret" not in str(failed.value)


def test_the_sqlite_store_survives_a_power_cut_and_lets_others_read(tmp_path: Path) -> None:
    with contextlib.closing(Store(f"sqlite:///{tmp_path / 'x.db'}")) as store, store._engine.connect() as connection:
        assert connection.execute(sa.text("PRAGMA journal_mode")).scalar() == "wal"
        assert connection.execute(sa.text("PRAGMA synchronous")).scalar() == 2
