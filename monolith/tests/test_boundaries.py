"""The shop's import contracts hold, and each of them fails when it is broken."""

import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
LINT = Path(sys.executable).parent / "lint-imports"
OFFENCES = {
    "shop-layers": ("kernel/clock.py", "import shop.modules.catalog.public"),
    "shop-faces": ("web/flask_app/health.py", "import shop.web.django_app.exchange"),
    "shop-catalog-door": ("modules/orders/service.py", "import shop.modules.catalog.repository"),
    "shop-inventory-door": ("modules/orders/service.py", "import shop.modules.inventory.models"),
    "shop-customers-door": ("web/identity.py", "import shop.modules.customers.tokens"),
    "shop-orders-door": ("modules/notifications/service.py", "import shop.modules.orders.models"),
    "shop-payments-door": ("application.py", "import shop.modules.payments.service"),
    "shop-notifications-door": ("modules/orders/service.py", "import shop.modules.notifications.models"),
}


def contracts() -> dict[str, dict[str, object]]:
    """The contracts of the shop alone, by id."""
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    listed = settings["tool"]["importlinter"]["contracts"]
    return {contract["id"]: contract for contract in listed if contract["id"] in OFFENCES}


def toml(value: object) -> str:
    if isinstance(value, list):
        return "[" + ", ".join(map(toml, value)) + "]"
    return str(value).lower() if isinstance(value, bool) else f'"{value}"'


def judge(folder: Path) -> tuple[int, str]:
    """Copy nothing, check the shop that stands in `folder`."""
    lines = ["[tool.importlinter]", 'root_packages = ["shop"]', "include_external_packages = true"]
    for contract in contracts().values():
        lines += ["[[tool.importlinter.contracts]]", *(f"{key} = {toml(value)}" for key, value in contract.items())]
    (folder / "pyproject.toml").write_text("\n".join(lines), encoding="utf-8")
    done = subprocess.run(
        [LINT, "--config", "pyproject.toml", "--no-cache"],
        cwd=folder,
        env={"PYTHONPATH": str(folder), "NO_COLOR": "1", "COLUMNS": "200", "PATH": ""},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    return done.returncode, done.stdout + done.stderr


@pytest.fixture
def copied(tmp_path: Path) -> Path:
    shutil.copytree(ROOT / "monolith" / "src" / "shop", tmp_path / "shop", ignore=shutil.ignore_patterns("__pycache__"))
    return tmp_path


def test_every_contract_of_the_shop_has_been_seen_to_fail(copied: Path) -> None:
    assert set(contracts()) == set(OFFENCES)
    assert judge(copied)[0] == 0
    for path, offence in OFFENCES.values():
        with (copied / "shop" / path).open("a", encoding="utf-8") as file:
            file.write(f"\n{offence}\n")
    code, output = judge(copied)
    broken = {name for name, contract in contracts().items() if f"{contract['name']} BROKEN" in output}
    assert code == 1, output
    assert broken == set(OFFENCES)
