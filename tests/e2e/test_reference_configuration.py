"""The command beside the reference migration: its configuration is valid, and its monolith's document makes another."""

import json
import subprocess
from pathlib import Path
from typing import Any

from support.gateway import BIN

ROOT = Path(__file__).parents[2]
MODULES = {"catalog", "inventory", "customers", "orders", "payments", "notifications"}


def ran(*command: str | Path, folder: Path = ROOT) -> str:
    """What it printed; it ends well and complains of nothing."""
    done = subprocess.run(
        [BIN / command[0], *command[1:]], cwd=folder, capture_output=True, text=True, check=False, timeout=60
    )
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout


def test_the_configuration_of_the_reference_migration_is_valid() -> None:
    assert "valid" in ran("strangler", "check", "strangler.yaml")


def test_the_reference_monolith_gets_a_route_for_each_operation_in_its_six_modules(tmp_path: Path) -> None:
    document = ran("shop", "openapi")
    (tmp_path / "openapi.json").write_text(document)
    init = ["strangler", "init", "--monolith", "http://127.0.0.1:8001", "--openapi", "openapi.json", "--json"]
    made: dict[str, Any] = json.loads(ran(*init, folder=tmp_path))
    assert made["left_out"] == []
    operations = [item for path in json.loads(document)["paths"].values() for item in path]
    assert len(made["routes"]) == len(operations) >= 30
    assert set(made["modules"]) >= MODULES
    ran("strangler", "check", folder=tmp_path)
