"""Every import contract of the root pyproject.toml holds, and each has been seen failing for one forbidden import."""

import os
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from architecture.tree import ROOT

LINT = Path(sys.executable).with_name("lint-imports")
SOURCES = (
    "monolith/src",
    "extracted/chassis/src",
    "extracted/catalog/src",
    "strangler-gateway/src",
    "strangler-gateway/kit/src",
)
CONTRACTS = {
    contract["id"]: contract["name"]
    for contract in tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
}
MODULES = ROOT / "monolith/src/shop/modules"

# Contract, the file that offends, and the import that must not be in it.
OFFENCES = [
    ("members", "strangler-gateway/src/strangler/config/loading.py", "chassis.logs"),
    ("members", "strangler-gateway/src/strangler/cli/up.py", "shop.cli"),
    ("members", "strangler-gateway/src/strangler/routing/bucket.py", "strangler_kit.bucket"),
    ("shop-alone", "monolith/src/shop/application.py", "strangler.model.flag"),
    ("services-alone", "extracted/catalog/src/catalog_service/service.py", "shop.kernel.money"),
    ("chassis-knows-no-service", "extracted/chassis/src/chassis/logs.py", "catalog_service.settings"),
    ("kit-alone", "strangler-gateway/kit/src/strangler_kit/bucket.py", "strangler.routing.bucket"),
    ("shop-layers", "monolith/src/shop/kernel/clock.py", "shop.modules.catalog.public"),
    ("shop-layers", "monolith/src/shop/modules/orders/service.py", "shop.web.problems"),
    ("shop-faces", "monolith/src/shop/web/flask_app/catalog.py", "shop.web.django_app.exchange"),
    ("shop-catalog-door", "monolith/src/shop/modules/orders/service.py", "shop.modules.catalog.models"),
    ("shop-catalog-door", "monolith/src/shop/web/flask_app/catalog.py", "shop.modules.catalog.service"),
    ("shop-inventory-door", "monolith/src/shop/modules/orders/service.py", "shop.modules.inventory.repository"),
    ("shop-customers-door", "monolith/src/shop/modules/orders/service.py", "shop.modules.customers.models"),
    ("shop-orders-door", "monolith/src/shop/modules/payments/service.py", "shop.modules.orders.models"),
    ("shop-payments-door", "monolith/src/shop/modules/orders/service.py", "shop.modules.payments.models"),
    ("shop-notifications-door", "monolith/src/shop/modules/orders/service.py", "shop.modules.notifications.service"),
    ("rooms", "strangler-gateway/src/strangler/model/flag.py", "strangler.routing.evaluator"),
    ("rooms", "strangler-gateway/src/strangler/dataplane/pipeline.py", "strangler.control.publisher"),
    ("pure", "strangler-gateway/src/strangler/routing/bucket.py", "asyncio"),
    ("rooms", "strangler-gateway/src/strangler/telemetry/meters.py", "strangler.routing.bucket"),
    ("pure", "strangler-gateway/src/strangler/telemetry/families/control.py", "time"),
    ("comparing", "strangler-gateway/src/strangler/shadow/answer.py", "time"),
    ("ports", "strangler-gateway/src/strangler/policies/guard.py", "redis"),
    ("rooms", "strangler-gateway/src/strangler/config/templates.py", "strangler.adapters.limit_store"),
    ("adapters", "strangler-gateway/src/strangler/dataplane/rate_limiting.py", "redis"),
    ("request-path", "strangler-gateway/src/strangler/dataplane/pipeline.py", "fastapi"),
    ("request-path", "strangler-gateway/src/strangler/dataplane/session_table.py", "sqlalchemy"),
]


class Copy:
    """A copy of the sources in which imports can be planted."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        shutil.copy(ROOT / "pyproject.toml", folder)
        for source in SOURCES:
            shutil.copytree(ROOT / source, folder / source, ignore=shutil.ignore_patterns("__pycache__", "*.egg-info"))

    def broken(self) -> set[str]:
        """The names of the contracts that do not hold."""
        environment = {
            **os.environ,
            "PYTHONPATH": os.pathsep.join(str(self._folder / source) for source in SOURCES),
            "COLUMNS": "500",
            "NO_COLOR": "1",
        }
        run = subprocess.run(
            [LINT, "--no-logo", "--cache-dir", self._folder / "cache"],
            cwd=self._folder, env=environment, capture_output=True, text=True, check=False,
        )  # fmt: skip
        kept = set(re.findall(r"^(.*) KEPT", run.stdout, re.MULTILINE))
        broken = set(re.findall(r"^(.*) BROKEN", run.stdout, re.MULTILINE))
        assert kept | broken == set(CONTRACTS.values()), run.stdout + run.stderr
        assert bool(broken) is bool(run.returncode), run.stdout
        return broken

    def broken_with(self, path: str, module: str) -> set[str]:
        """The same, with ``import module`` at the end of a file."""
        file = self._folder / path
        before = file.read_text(encoding="utf-8")
        file.write_text(f"{before}\nimport {module}\n", encoding="utf-8")
        try:
            return self.broken()
        finally:
            file.write_text(before, encoding="utf-8")


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Copy:
    return Copy(tmp_path_factory.mktemp("sources"))


def test_every_contract_holds(copy: Copy) -> None:
    assert copy.broken() == set()


@pytest.mark.parametrize(("contract", "path", "module"), OFFENCES)
def test_a_forbidden_import_breaks_its_contract_and_no_other(contract: str, path: str, module: str, copy: Copy) -> None:
    assert copy.broken_with(path, module) == {CONTRACTS[contract]}


def test_each_contract_has_been_seen_failing() -> None:
    assert {contract for contract, _, _ in OFFENCES} == set(CONTRACTS)


def test_every_file_of_a_module_of_the_shop_is_behind_its_door() -> None:
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
    behind = {name for contract in contracts for name in contract.get("protected_modules", ())}
    inside = {
        f"shop.modules.{file.parent.name}.{file.stem}"
        for file in MODULES.glob("*/*.py")
        if file.name not in {"__init__.py", "public.py"}
    }
    assert behind == inside
