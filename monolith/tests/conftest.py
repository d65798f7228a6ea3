"""A shop on a fresh database, SQLite and PostgreSQL alike, with a clock that tests move."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psycopg
import pytest

from shop.application import Shop, build
from shop.kernel.caller import CUSTOMER, STAFF, Caller
from shop.kernel.settings import Settings
from support.postgresql import PostgreSQL, postgresql


@dataclass
class MovableClock:
    """Stands still until it is moved."""

    now: datetime = datetime(2026, 5, 17, 12, 0, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now

    def advance(self, **duration: float) -> None:
        self.now += timedelta(**duration)


@pytest.fixture(scope="session")
def database_server() -> Iterator[PostgreSQL]:
    with postgresql() as server:
        yield server


def emptied(server: PostgreSQL) -> str:
    """The server's one database for these tests, with nothing in it: sooner done than another database."""
    with psycopg.connect(server.url(), autocommit=True) as connection:
        connection.execute("DROP SCHEMA public CASCADE")
        connection.execute("CREATE SCHEMA public")
    return server.url()


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgresql)])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """An empty database of either kind."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'shop.db'}"
    return emptied(request.getfixturevalue("database_server"))


@pytest.fixture
def settings(database_url: str) -> Settings:
    """The cheapest argon2 that there is: what is tested is that passwords are checked, not how long it takes."""
    return Settings(DATABASE_URL=database_url, argon2_time_cost=1, argon2_memory_kib=8, argon2_parallelism=1)


@pytest.fixture
def clock() -> MovableClock:
    return MovableClock()


@pytest.fixture
def make_shop(settings: Settings, clock: MovableClock) -> Iterator[Callable[..., Shop]]:
    """Build shops on the same database: each is what another process would have."""
    shops: list[Shop] = []

    def make(**options: object) -> Shop:
        shop = build(settings, clock, **options)
        shop.database.create_schema()
        shops.append(shop)
        return shop

    yield make
    for shop in shops:
        shop.database.dispose()


@pytest.fixture
def shop(make_shop: Callable[..., Shop]) -> Shop:
    return make_shop()


@pytest.fixture
def staff() -> Caller:
    return Caller(1, frozenset({STAFF}))


@pytest.fixture
def customer() -> Caller:
    return Caller(2, frozenset({CUSTOMER}))
