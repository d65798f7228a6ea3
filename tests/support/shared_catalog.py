"""A shop, and two catalog services that shadow its writes: one on its database, one on a copy."""

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from contract.client import Client
from contract.implementations import SHADOW_SECRET, Site, serve_catalog, serve_shop
from contract.keys import token
from contract.world import World
from contract.world import build as build_world
from sqlalchemy import Engine, create_engine, make_url, select, text

import shop.application  # noqa: F401 - so that all tables are known
from shop.kernel.database import Base
from strangler_kit.effects import RowChange
from strangler_kit.layouts import Catalogue
from strangler_kit.restoring import restore
from support.shadowed_writes import Asker, Seen

TABLES = [Base.metadata.tables[name] for name in ("catalog_categories", "catalog_products")]
OTHERS = ("outbox_messages", "notifications_notifications", "idempotency_keys")
"""Tables in which a shadowed write must leave nothing either."""
Rows = dict[str, list[tuple[Any, ...]]]


@dataclass(frozen=True, slots=True)
class SharedCatalog:
    """All that a proof needs. Clients are by caller."""

    secret: str
    asker: Asker
    shop: dict[str, Client]
    beside: dict[str, Client]
    """The service on the shop's database."""
    apart: dict[str, Client]
    """The service on the copy."""
    live: Engine
    copy: Engine
    world: World

    def follow(self, seen: Seen) -> None:
        """Bring the copy up to what the monolith has just done."""
        rows = [_after(row) for row in reversed(seen.report["rows"])]
        with self.copy.begin() as connection:
            restore(connection, rows, Catalogue())

    def rows(self, engine: Engine) -> Rows:
        """Every row of the catalog, as the database writes it."""
        with engine.connect() as connection:
            return {
                table.name: [tuple(row) for row in connection.execute(text(f"SELECT * FROM {table.name} ORDER BY id"))]
                for table in TABLES
            }

    def others(self) -> dict[str, int]:
        """How many rows the tables of others have."""
        with self.live.connect() as connection:
            return {name: connection.scalar(text(f"SELECT count(*) FROM {name}")) or 0 for name in OTHERS}


@contextlib.contextmanager
def shared_catalog(
    site: Site, framework: str, live: str, copy: str, shadow_share: float = 1.0
) -> Iterator[SharedCatalog]:
    """Serve the shop on ``live`` and services on ``live`` and ``copy``, which is filled from the other."""
    apart = Site(_folder(site.folder / "apart"), site.new_database)
    with contextlib.ExitStack() as stack:
        shop = stack.enter_context(serve_shop(site, framework, live))
        clients = {who: stack.enter_context(client) for who, client in _clients(shop.url).items()}
        world = build_world(clients["staff"])
        engines = []
        for url in (live, copy):
            engines.append(_engine(url))
            stack.callback(engines[-1].dispose)
        _fill(*engines)
        beside = stack.enter_context(serve_catalog(site, shop.url, live, shadow_share))
        other = stack.enter_context(serve_catalog(apart, shop.url, copy, shadow_share))
        yield SharedCatalog(
            SHADOW_SECRET,
            Asker(SHADOW_SECRET),
            clients,
            {who: stack.enter_context(client) for who, client in _clients(beside.url).items()},
            {who: stack.enter_context(client) for who, client in _clients(other.url).items()},
            *engines,
            world,
        )


def _clients(url: str) -> dict[str, Client]:
    anonymous = Client(url)
    return {
        "anonymous": anonymous,
        "staff": anonymous.bearing(token(1, roles=("staff",))),
        "customer": anonymous.bearing(token(2)),
    }


def _folder(path: Path) -> Path:
    path.mkdir()
    return path


def _engine(url: str) -> Engine:
    parsed = make_url(url)
    return create_engine(parsed.set(drivername="postgresql+psycopg") if parsed.drivername == "postgresql" else parsed)


def _fill(live: Engine, copy: Engine) -> None:
    Base.metadata.create_all(copy, tables=TABLES)
    with live.connect() as source, copy.begin() as target:
        for table in TABLES:
            rows = [row._asdict() for row in source.execute(select(table))]
            target.execute(table.insert(), rows)
            if copy.dialect.name == "postgresql":
                target.execute(text(f"SELECT setval('{table.name}_id_seq', {max(row['id'] for row in rows)})"))


def _after(row: dict[str, Any]) -> RowChange:
    after = None if row["after"] is None else {**(row["before"] or {}), **row["after"]}
    return RowChange(row["table"], row["key"], after, None)
