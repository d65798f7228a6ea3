"""The applications of the frameworks in this process, on one seeded database."""

import itertools
import os
import platform
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from shop.application import build
from shop.kernel.settings import Settings
from shop.seed import seed
from yardstick.frameworks.calling import Call, calling_asgi, calling_wsgi
from yardstick.frameworks.endpoints import BY_NAME
from yardstick.frameworks.visitors import Issuer, Visitors
from yardstick.gate.turns import ENDS, Turns

PRODUCTS = 500
_ISSUER = Issuer()
_marks = itertools.count(1)


@pytest.fixture(scope="session")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    database = tmp_path_factory.mktemp("shop") / "shop.db"
    cheap = {"argon2_time_cost": 1, "argon2_memory_kib": 8, "argon2_parallelism": 1}  # Nobody logs in here.
    values: dict[str, Any] = {"DATABASE_URL": f"sqlite:///{database}", "signing_key": _ISSUER.private_pem, **cheap}
    found = Settings(**values)
    seed(found, PRODUCTS)
    return found


@pytest.fixture(scope="session")
def key_set(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("keys") / "jwks.json"
    file.write_text(_ISSUER.key_set)
    return file


@pytest.fixture(scope="session")
def turns() -> Turns:
    """Those that this process takes with one which does the same with other sources, if there is one."""
    return Turns.of(os.environ.get(ENDS))


@pytest.fixture
def visitors() -> Visitors:
    return Visitors(_ISSUER, PRODUCTS, mark=str(next(_marks)))


TIMED = ("plaintext", "json", "validate", "read", "list", "search", "create")
IMPLEMENTATIONS = ("flask", "django", "fastapi", "catalog-service")
"""Django's settings are global: one application of it per process."""


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    pairs = [(each, name) for each in IMPLEMENTATIONS for name in TIMED if each in BY_NAME[name].implementations]
    metafunc.parametrize(("implementation", "name"), pairs, indirect=["implementation"], scope="module")


def pytest_benchmark_generate_machine_info() -> dict[str, str] | None:
    """Little, where a process runs beside another: to ask all of the processor takes a second of both."""
    return {"system": platform.platform(), "python_version": platform.python_version()} if ENDS in os.environ else None


@pytest.fixture(scope="module")
def implementation(request: pytest.FixtureRequest) -> str:
    name: str = request.param
    return name


@pytest.fixture(scope="module")
def call(implementation: str, settings: Settings, key_set: Path) -> Iterator[Call]:
    """Asks the implementation."""
    if implementation == "catalog-service":
        from catalog_service.application import build as build_catalog  # noqa: PLC0415 - each loads its own framework
        from catalog_service.settings import Settings as CatalogSettings  # noqa: PLC0415

        values: dict[str, Any] = {"DATABASE_URL": settings.database_url, "jwks": str(key_set)}
        with calling_asgi(build_catalog(CatalogSettings(**values))) as found:
            yield found
        return
    shop = build(settings)
    try:
        if implementation == "fastapi":
            from yardstick.frameworks.apps.fastapi_app import create_app  # noqa: PLC0415

            with calling_asgi(create_app(shop)) as found:
                yield found
        elif implementation == "flask":
            from yardstick.frameworks.apps.flask_app import create_app as create_flask  # noqa: PLC0415

            with calling_wsgi(create_flask(shop)) as found:
                yield found
        else:
            from yardstick.frameworks.apps.django_app import create_application  # noqa: PLC0415

            with calling_wsgi(create_application(shop)) as found:
                yield found
    finally:
        shop.database.dispose()
