"""A build counts for the sources that it was made of, and only when it is whole."""

import importlib
import inspect
import pkgutil
import sys
from pathlib import Path

import pytest

import strangler
from strangler.supervisor import compiled


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where builds are looked for, empty."""
    monkeypatch.setattr(sys, "prefix", str(tmp_path))
    return compiled.home()


def test_without_a_build_workers_have_the_environment_of_the_supervisor(home: Path) -> None:
    assert compiled.find() is None
    assert "compiled" not in compiled.environment().get("PYTHONPATH", "")


def test_a_build_that_was_cut_off_is_not_used(home: Path) -> None:
    (home / compiled.key()).mkdir(parents=True)
    assert compiled.find() is None


def test_a_build_of_other_sources_is_not_used(home: Path) -> None:
    (home / "0123456789").mkdir(parents=True)
    (home / "0123456789" / compiled.BUILT).touch()
    assert compiled.find() is None


def test_a_whole_build_stands_before_everything_else(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", "/elsewhere")
    folder = home / compiled.key()
    folder.mkdir(parents=True)
    (folder / compiled.BUILT).touch()
    assert compiled.environment()["PYTHONPATH"] == f"{folder}:/elsewhere"


def test_every_change_of_a_source_asks_for_another_build(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compiled, "PACKAGE", tmp_path)
    (tmp_path / "one.py").write_text("x = 1\n")
    keys = set()
    for text in ("x = 1\n", "x = 2\n"):
        (tmp_path / "one.py").write_text(text)
        compiled.key.cache_clear()
        keys.add(compiled.key())
    compiled.key.cache_clear()
    assert len(keys) == 2


def test_every_pattern_finds_its_modules() -> None:
    assert [pattern for pattern in compiled.MODULES if not list(compiled.PACKAGE.glob(pattern))] == []


def test_nothing_that_is_run_as_it_is_inherits_from_what_is_compiled() -> None:
    """Compiled classes do not let it, and say so only when the first object is made."""
    names = {
        "strangler." + ".".join(file.relative_to(compiled.PACKAGE).with_suffix("").parts) for file in compiled.sources()
    }
    heirs = [
        f"{module.name}.{name} inherits from {base.__module__}"
        for module in pkgutil.walk_packages(strangler.__path__, "strangler.")
        if module.name not in names and not module.name.endswith("__main__") and ".migrations." not in module.name
        for name, found in inspect.getmembers(importlib.import_module(module.name), inspect.isclass)
        for base in found.__mro__[1:]
        if found.__module__ == module.name and base.__module__ in names
    ]
    assert heirs == []
