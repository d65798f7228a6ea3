"""Brings a database to the newest migration."""

from pathlib import Path

import sqlalchemy as sa

from strangler.control.store.engine import StoreUnavailable, writing

HEAD = "0001"
"""The newest migration."""
MIGRATIONS = Path(__file__).parent / "migrations"

_LOCK = 7_310_254_411
"""The PostgreSQL advisory lock under which migrations run; any number that nobody else uses."""


def migrate(engine: sa.Engine) -> None:
    """Run the migrations that are missing, in one transaction. Raises ``StoreUnavailable`` for a newer database."""
    with engine.connect() as connection:
        found = _version(connection)
    if found == HEAD:
        return
    # Imported only when there is something to do: half a second of every start otherwise.
    from alembic import command  # noqa: PLC0415
    from alembic.config import Config  # noqa: PLC0415
    from alembic.util import CommandError  # noqa: PLC0415

    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    with writing(engine.connect()) as connection, connection.begin():
        if connection.dialect.name == "postgresql":
            connection.execute(sa.select(sa.func.pg_advisory_xact_lock(_LOCK)))
        config.attributes["connection"] = connection
        try:
            command.upgrade(config, "head")
        except CommandError as error:
            message = f"the store was written by a newer version (its schema is {found}, this version knows {HEAD})"
            raise StoreUnavailable(message) from error


def _version(connection: sa.Connection) -> str | None:
    if not sa.inspect(connection).has_table("alembic_version"):
        return None
    return connection.execute(sa.text("SELECT version_num FROM alembic_version")).scalar()
