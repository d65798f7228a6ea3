"""Isolation: what is copied and installed, and one small member in an environment of its own for real."""

import os
import sys
from pathlib import Path

import pytest

from ci import workspace
from pipeline.isolation import Failed, Plan, check, copy, install, isolated_names, main, plan
from pipeline.members import ROOT

HATCH = '\n[build-system]\nrequires = ["hatchling"]\nbuild-backend = "hatchling.build"\n'


def planned(name: str) -> Plan:
    return plan(name)


def test_a_service_gets_its_folder_the_chassis_and_what_that_needs() -> None:
    todo = planned("catalog")
    assert todo.copied == ["extracted/catalog", "extracted/chassis", "strangler-gateway/kit"]
    assert todo.requirements == ["./extracted/catalog", "./extracted/chassis", "./strangler-gateway/kit", "pytest"]
    assert set(todo.strangers) == {"shop", "strangler", "yardstick"}


def test_all_that_somebody_installs_is_isolated() -> None:
    assert set(isolated_names()) >= {"catalog", "chassis", "kit", "monolith", "strangler-gateway"}


@pytest.mark.parametrize("name", isolated_names())
def test_a_plan_names_no_member_that_its_member_does_not_declare(name: str) -> None:
    todo = planned(name)
    assert not set(todo.strangers) & {package for each in (todo.member, *todo.needs) for package in each.imports}
    assert all((ROOT / folder).is_dir() for folder in todo.copied)


def test_the_copy_has_neither_other_members_nor_tests_of_what_is_only_installed(tmp_path: Path) -> None:
    copy(planned("catalog"), tmp_path)
    assert (tmp_path / "extracted/catalog/tests/conftest.py").is_file()
    assert (tmp_path / "extracted/chassis/src/chassis/logs.py").is_file()
    assert not (tmp_path / "extracted/chassis/tests").exists()
    assert not (tmp_path / "tests").exists()
    copy(planned("strangler-gateway"), tmp_path / "gateway")
    assert not (tmp_path / "gateway/strangler-gateway/kit/tests").exists()


ALONE = """\
import alone, pathlib, shutil, sys

def test_it() -> None:
    assert alone
    assert shutil.which("strangler") is None
    assert pathlib.Path(shutil.which("pytest")).parent == pathlib.Path(sys.executable).parent
"""


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A member without dependencies, and another that it may not know; pip fetches what builds them."""
    root = tmp_path / "repository"
    for folder, package in (("alone", "alone"), ("other", "other")):
        files = workspace.member(folder, package, package)
        text = files[f"{folder}/pyproject.toml"] + HATCH + '\n[dependency-groups]\ndev = ["pytest"]\n'
        workspace.write(root, {f"{folder}/pyproject.toml": text, f"{folder}/src/{package}/__init__.py": ""})
    workspace.write(root, {
        "constraints.txt": (ROOT / "constraints.txt").read_text(),
        "alone/tests/test_alone.py": ALONE,
    })  # fmt: skip
    return root


def test_a_member_passes_alone_and_does_not_once_it_needs_what_it_does_not_declare(
    root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHONPATH", str(root / "other" / "src"))  # must not help, nor must this one's programs
    active = tmp_path / "active"  # One that somebody has activated in their shell.
    workspace.write(active, {"pyvenv.cfg": "", "bin/strangler": "#!/bin/sh\n"})
    (active / "bin" / "strangler").chmod(0o755)
    monkeypatch.setenv("PATH", f"{active / 'bin'}:{Path(sys.executable).parent}:{os.environ['PATH']}")
    todo = plan("alone", root)
    install(todo, tmp_path, root)
    check(todo, tmp_path, ["-q"])
    workspace.write(tmp_path / "workspace", {"alone/tests/test_alone.py": "import other\n"})
    with pytest.raises(Failed, match="its own tests failed with status"):
        check(todo, tmp_path, ["-q"])
    (package,) = (tmp_path / "venv").glob("lib/python*/site-packages")
    workspace.write(package, {"other/__init__.py": ""})
    with pytest.raises(Failed, match="alone can import other, which it does not declare"):
        check(todo, tmp_path, ["-q"])


def test_an_unknown_member_is_an_error_that_names_the_others(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["catalogue", "--plan"]) == 2
    assert "there is no member «catalogue»; there are benchmarks, catalog" in capsys.readouterr().err
