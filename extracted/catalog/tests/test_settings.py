"""Settings come from the environment; the database's URL is the shop's, by another driver."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from catalog_service.application import build
from catalog_service.settings import Settings
from chassis.database import Database

COMMAND = Path(sys.executable).with_name("catalog-service")


@pytest.mark.parametrize(
    ("url", "used"),
    [
        ("sqlite:///shop.db", "sqlite+aiosqlite:///shop.db"),
        ("sqlite+pysqlite:////var/shop.db", "sqlite+aiosqlite:////var/shop.db"),
        ("postgresql://u:p@db:5432/shop", "postgresql+psycopg://u:p@db:5432/shop"),
        ("postgres://u@db/shop", "postgresql+psycopg://u@db/shop"),
        ("postgresql+psycopg2://u@db/shop?host=/run", "postgresql+psycopg://u@db/shop?host=%2Frun"),
    ],
)
def test_the_database_is_reached_without_blocking(url: str, used: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", url)
    assert Settings().async_database_url.render_as_string(hide_password=False) == used


def test_variables_have_the_service_s_name(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("CATALOG_PORT", "9000")
    monkeypatch.setenv("CATALOG_JWKS", str(tmp_path / "keys.json"))
    found = Settings()
    assert (found.port, found.jwks) == (9000, (tmp_path / "keys.json").as_uri())


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("CATALOG_PORT", "70000"),
        ("CATALOG_JWKS", "ftp://x/y"),
        ("CATALOG_LOG_LEVEL", "loud"),
        ("CATALOG_SHADOW_SHARE", "2"),
    ],
)
def test_a_wrong_variable_is_named_in_a_line(variable: str, value: str) -> None:
    env = {**os.environ, variable: value}
    done = subprocess.run([COMMAND, "serve"], capture_output=True, text=True, env=env, check=False)
    (line,) = done.stderr.splitlines()
    assert (done.returncode, line.startswith(f"{variable}: "), value in line) == (2, True, True), line


def test_the_command_tells_its_version() -> None:
    assert subprocess.run([COMMAND, "version"], capture_output=True, text=True, check=True).stdout == "0.1.0\n"


def test_the_database_hears_what_shadows_may_have(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    told: dict[str, Any] = {}

    def database(*given: Any, **named: Any) -> Database:
        told.update(named)
        return Database(*given, **named)

    monkeypatch.setenv("CATALOG_SHADOW_SHARE", "0.25")
    monkeypatch.setenv("DATABASE_URL", f"sqlite:///{tmp_path / 'catalog.db'}")
    monkeypatch.setattr("catalog_service.application.Database", database)
    build(Settings())
    assert told["shadow_share"] == 0.25
