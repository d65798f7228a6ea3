"""``strangler compile``: what it builds is what a gateway runs, and whoever cannot build is told why."""

import json
import shutil
import sys
import sysconfig
from pathlib import Path

import psutil
import pytest

from strangler.cli.compile import build
from strangler.supervisor import compiled
from support.worker_rig import rig, upstream

from .conftest import strangler


@pytest.fixture(scope="module")
def built() -> Path:
    """The build of these sources; made now if there is none."""
    if shutil.which("cc") is None:
        pytest.fail("a C compiler is needed: apt-get install gcc")
    if compiled.find() is None:
        build(compiled.home())
    found = compiled.find()
    assert found is not None
    return found


@pytest.mark.timeout(300)
@pytest.mark.parametrize("is_compiled", [True, False])
def test_a_worker_runs_what_was_compiled(built: Path, tmp_path: Path, is_compiled: bool) -> None:
    with rig(tmp_path, upstream("monolith", 9), compiled=is_compiled) as worker:
        assert worker.process is not None
        mapped = {Path(each.path) for each in psutil.Process(worker.process.pid).memory_maps()}
        assert any(path.is_relative_to(built) for path in mapped) is is_compiled


@pytest.mark.timeout(300)
def test_version_says_whether_the_data_plane_is_compiled(built: Path) -> None:
    assert strangler("version", "--json").document["compiled"] is True


def test_a_second_call_has_nothing_to_do(built: Path) -> None:
    assert "compiled already" in strangler("compile").out


def test_without_a_compiler_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(sys, "prefix", str(tmp_path))
    monkeypatch.setenv("PATH", str(tmp_path))
    ran = strangler("compile")
    assert ran.status == 1
    assert "install gcc or clang" in ran.err


def test_without_the_headers_of_python_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(sys, "prefix", str(tmp_path))
    monkeypatch.setattr(sysconfig, "get_path", lambda _name: str(tmp_path))
    ran = strangler("compile")
    assert ran.status == 1
    assert "python3-dev" in ran.err


def test_a_failing_build_leaves_nothing_behind(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(sys, "prefix", str(tmp_path))
    compiler = tmp_path / "bin" / "cc"
    compiler.parent.mkdir()
    compiler.write_text("#!/bin/sh\nexit 1\n")
    compiler.chmod(0o755)
    monkeypatch.setenv("CC", str(compiler))
    ran = strangler("compile")
    assert ran.status == 1
    assert "could not be compiled" in ran.err
    assert list(compiled.home().iterdir()) == []


def test_remove_goes_back_to_the_sources(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(sys, "prefix", str(tmp_path))
    folder = compiled.home() / compiled.key()
    folder.mkdir(parents=True)
    (folder / compiled.BUILT).touch()
    assert json.loads(strangler("version", "--json").out)["compiled"] is True
    strangler("compile", "--remove")
    assert strangler("version", "--json").document["compiled"] is False
