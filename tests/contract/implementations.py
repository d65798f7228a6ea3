"""The table of everything that must honour the contract: one more implementation is one more line."""

import contextlib
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path

from contract.keys import SIGNING_KEY, pem
from support.processes import free_port, running

CATALOG = frozenset({"catalog"})
EVERYTHING = CATALOG | {"inventory", "customers", "orders", "payments", "notifications", "health"}
SEEDED_PRODUCTS = 30
_BIN = Path(sys.executable).parent


@dataclass(frozen=True, slots=True)
class Site:
    """Where an implementation may put its files, and how it gets a fresh PostgreSQL database."""

    folder: Path
    new_database: Callable[[str], str]


@dataclass(frozen=True, slots=True)
class Running:
    """A started implementation: the URL that cases are sent to, and the access log of each arm that may serve them."""

    url: str
    access_logs: dict[str, Path]


Start = Callable[[Site], AbstractContextManager[Running]]


@dataclass(frozen=True, slots=True)
class Implementation:
    """`modules` are those whose cases it must pass; `arms` must each serve at least 40 % of the catalog's."""

    name: str
    modules: frozenset[str]
    start: Start
    arms: tuple[str, ...] = ()

    def __str__(self) -> str:
        return self.name


def _sqlite(site: Site) -> str:
    return f"sqlite:///{site.folder / 'shop.db'}"


def _postgresql(site: Site) -> str:
    return site.new_database(site.folder.name.replace("-", "_"))


@contextlib.contextmanager
def _shop(site: Site, framework: str, database: str) -> Iterator[Running]:
    """Seed a database and serve it with one of the shop's faces."""
    port, access_log = free_port(), site.folder / "shop-access.log"
    env = {
        "DATABASE_URL": database,
        "SHOP_SIGNING_KEY": pem(SIGNING_KEY),
        # The cheapest argon2 that there is: what is tested here is that passwords are checked, not how long it takes.
        "SHOP_ARGON2_TIME_COST": "1",
        "SHOP_ARGON2_MEMORY_KIB": "8",
        "SHOP_ARGON2_PARALLELISM": "1",
    }
    with running(
        "shop seed", _shop_command("seed", "--products", SEEDED_PRODUCTS), log=site.folder / "seed.log", env=env
    ) as seed:
        assert seed.wait(60) == 0, seed.output()
    serve = _shop_command("serve", "--framework", framework, "--port", port, "--access-log", access_log)
    url = f"http://127.0.0.1:{port}"
    with running(f"shop on {framework}", serve, log=site.folder / "shop.log", env=env, ready=f"{url}/readyz"):
        yield Running(url, {"monolith": access_log})


def _shop_command(*arguments: object) -> list[str]:
    return [str(_BIN / "shop"), *map(str, arguments)]


def shop(framework: str, database: Callable[[Site], str]) -> Start:
    return lambda site: _shop(site, framework, database(site))


IMPLEMENTATIONS = (
    Implementation("flask-sqlite", EVERYTHING, shop("flask", _sqlite)),
    Implementation("flask-postgresql", EVERYTHING, shop("flask", _postgresql)),
    Implementation("django-sqlite", EVERYTHING, shop("django", _sqlite)),
    Implementation("django-postgresql", EVERYTHING, shop("django", _postgresql)),
    Implementation("fastapi-sqlite", EVERYTHING, shop("fastapi", _sqlite)),
    Implementation("fastapi-postgresql", EVERYTHING, shop("fastapi", _postgresql)),
)
