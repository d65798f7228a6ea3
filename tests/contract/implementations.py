"""The table of everything that must honour the contract: one more implementation is one more line."""

import contextlib
import functools
import json
import os
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from contract.keys import SIGNING_KEY, key_set, pem
from support.gateway import place, serving
from support.processes import free_port, running

CATALOG = frozenset({"catalog"})
EVERYTHING = CATALOG | {"inventory", "customers", "orders", "payments", "notifications", "health"}
SEEDED_PRODUCTS = 30
SHADOW_SECRET = "what the gateway signs shadowed writes with"
LEAST_SHARE = 0.40  # of the catalog's requests, for each arm of a canary at 50 %
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


def served_by(served: Running, mark: str) -> Counter[str]:
    """Count the requests whose target holds `mark`, by the arm that wrote them down."""
    return Counter(
        {
            arm: sum(mark in json.loads(line)["target"] for line in path.read_text().splitlines())
            for arm, path in served.access_logs.items()
        }
    )


Start = Callable[[Site], AbstractContextManager[Running]]


@dataclass(frozen=True, slots=True)
class Implementation:
    """`modules` are those whose cases it must pass.

    Behind a gateway, `arms` are those that the catalog's traffic goes to: each must serve at least 40 % of it,
    or what chance leaves of a half where a process runs only a part of the cases.
    """

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
def serve_shop(site: Site, framework: str, database: str) -> Iterator[Running]:
    """Seed a database and serve it with one of the shop's faces."""
    port, access_log = free_port(), site.folder / "shop-access.log"
    env = _seeded(site, database)
    serve = _command("shop", "serve", "--framework", framework, "--port", port, "--access-log", access_log)
    url = f"http://127.0.0.1:{port}"
    with running(f"shop on {framework}", serve, log=site.folder / "shop.log", env=env, ready=f"{url}/readyz"):
        yield Running(url, {"monolith": access_log})


def _seeded(site: Site, database: str) -> dict[str, str]:
    """Seed a database, and return the environment in which it is served."""
    env = {
        "DATABASE_URL": database,
        "SHOP_SIGNING_KEY": pem(SIGNING_KEY),
        # The cheapest argon2 that there is: what is tested here is that passwords are checked, not how long it takes.
        "SHOP_ARGON2_TIME_COST": "1",
        "SHOP_ARGON2_MEMORY_KIB": "8",
        "SHOP_ARGON2_PARALLELISM": "1",
        "STRANGLER_SHADOW_SECRET": SHADOW_SECRET,
    }
    with running(
        "shop seed", _command("shop", "seed", "--products", SEEDED_PRODUCTS), log=site.folder / "seed.log", env=env
    ) as seed:
        assert seed.wait(60) == 0, seed.output()
    return env


@contextlib.contextmanager
def serve_combination(site: Site, name: str, database: str) -> Iterator[Running]:
    """Seed a database and serve it as a benchmark does: one implementation under one server."""
    from yardstick.frameworks.servers import named  # noqa: PLC0415 - the shop is also tested with no benchmarks there

    port, access_log, keys = free_port(), site.folder / "shop-access.log", site.folder / "jwks.json"
    keys.write_text(json.dumps(key_set(SIGNING_KEY)))
    combination = named(name)
    told = combination.environment(database, keys, pem(SIGNING_KEY), "http://127.0.0.1:1/")
    env = told | _seeded(site, database) | {"SHOP_ACCESS_LOG": str(access_log)}
    url = f"http://127.0.0.1:{port}"
    with running(name, combination.command(port), log=site.folder / "shop.log", env=env, ready=f"{url}/readyz"):
        yield Running(url, {"monolith": access_log})


def _command(name: str, *arguments: object) -> list[str]:
    return [str(_BIN / name), *map(str, arguments)]


@contextlib.contextmanager
def serve_catalog(site: Site, shop_url: str, database: str, shadow_share: float = 1.0) -> Iterator[Running]:
    """Serve the catalog of a shop's database. Tests have no other writers, and nobody to leave time to."""
    port, access_log = free_port(), site.folder / "catalog-access.log"
    env = {
        "DATABASE_URL": database,
        "CATALOG_JWKS": f"{shop_url}/.well-known/jwks.json",
        "STRANGLER_SHADOW_SECRET": SHADOW_SECRET,
        "CATALOG_SHADOW_SHARE": str(shadow_share),
    }
    serve = _command("catalog-service", "serve", "--port", port, "--access-log", access_log)
    url = f"http://127.0.0.1:{port}"
    with running("catalog service", serve, log=site.folder / "catalog.log", env=env, ready=f"{url}/readyz"):
        yield Running(url, {"service": access_log})


@contextlib.contextmanager
def _catalog_behind_gateway(site: Site, database: str, flip: dict[str, Any]) -> Iterator[Running]:
    """Put the gateway in front of the shop and the catalog service, which share a database, and flip the catalog."""
    with (
        serve_shop(site, "flask", database) as monolith,
        serve_catalog(site, monolith.url, database) as service,
        place(site.folder) as here,
        serving(here, _CONFIG.format(monolith=monolith.url, service=service.url)) as gateway,
    ):
        flipped = gateway.flip("catalog", **flip)
        assert flipped["missing"] == [], flipped
        yield Running(gateway.url, monolith.access_logs | service.access_logs)


_CONFIG = """\
monolith: {monolith}
upstreams:
  catalog: {{endpoints: ["{service}"]}}
gateway: {{workers: 2}}
routes:
  - name: products
    match: {{path: /api/products}}
    module: catalog
    service: catalog
    sticky: &user ["header:X-User"]
    shadow: &alone {{sample: 0}} # A request that is mirrored would stand in the access logs of both arms.
  - name: product
    match: {{path: "/api/products/{{id}}"}}
    module: catalog
    service: catalog
    sticky: *user
    shadow: *alone
  - name: categories
    match: {{path: /api/categories}}
    module: catalog
    service: catalog
    sticky: *user
    shadow: *alone
  - name: category
    match: {{path: "/api/categories/{{id}}"}}
    module: catalog
    service: catalog
    sticky: *user
    shadow: *alone
"""


def catalog_behind_gateway(database: Callable[[Site], str], **flip: Any) -> Start:
    return lambda site: _catalog_behind_gateway(site, database(site), flip)


def shop(framework: str, database: Callable[[Site], str]) -> Start:
    return lambda site: serve_shop(site, framework, database(site))


def combination(name: str, database: Callable[[Site], str]) -> Start:
    return lambda site: serve_combination(site, name, database(site))


IMPLEMENTATIONS = (
    Implementation("flask-sqlite", EVERYTHING, shop("flask", _sqlite)),
    Implementation("flask-postgresql", EVERYTHING, shop("flask", _postgresql)),
    Implementation("django-sqlite", EVERYTHING, shop("django", _sqlite)),
    Implementation("django-postgresql", EVERYTHING, shop("django", _postgresql)),
    Implementation("fastapi-sqlite", EVERYTHING, shop("fastapi", _sqlite)),
    Implementation("fastapi-postgresql", EVERYTHING, shop("fastapi", _postgresql)),
    Implementation(
        "catalog-service-sqlite",
        CATALOG,
        catalog_behind_gateway(_sqlite, stage="service"),
        arms=("service",),
    ),
    Implementation(
        "catalog-canary-postgresql",
        CATALOG,
        catalog_behind_gateway(_postgresql, stage="canary", weight=50),
        arms=("monolith", "service"),
    ),
    Implementation("django-orm-sqlite", CATALOG, combination("django-orm-gunicorn-sqlite", _sqlite)),
    Implementation("django-orm-postgresql", CATALOG, combination("django-orm-gunicorn-postgresql", _postgresql)),
)


@functools.cache  # The same objects each time: one that is new would be started anew.
def chosen() -> tuple[Implementation, ...]:
    """All of them; or the combinations of a benchmark that is about to time them, where the environment names some."""
    names = os.environ.get("CONTRACT_COMBINATIONS", "").split()
    return tuple(map(_combined, names)) if names else IMPLEMENTATIONS


def _combined(name: str) -> Implementation:
    modules = CATALOG if name.startswith(("django-orm-", "catalog-service-")) else EVERYTHING
    database = _postgresql if name.endswith("-postgresql") else _sqlite
    if name.startswith("catalog-service-"):  # Tokens, and the rest of the world of its cases, come from a shop.
        return Implementation(name, modules, catalog_behind_gateway(database, stage="service"), ("service",))
    return Implementation(name, modules, combination(name, database))
