"""Installs one member into a fresh environment, with its own folder and what it declares alone, and runs its tests.

1. A copy of the member's folder, of the members that it needs (to install them), and of the test support it declares.
2. A fresh virtual environment with these and their dependencies, in the versions of constraints.txt.
3. The other members must not be importable there.
4. The member's own tests, in the copy, with its own pyproject.toml alone.
"""

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from pipeline.members import ROOT, Member, WorkspaceIsWrong, distribution, members, named, needed_by

_LEFT_OUT = shutil.ignore_patterns(
    "__pycache__", "*.egg-info", "*.so", "*.pyc", ".pytest_cache", ".hypothesis", "build", "dist", ".venv"
)
_OF_THE_OUTSIDE = ("PYTHONPATH", "PYTHONHOME", "VIRTUAL_ENV", "PYTEST_ADDOPTS", "PIP_REQUIRE_VIRTUALENV")
"""What would bring the surrounding environment back in."""
_PROBE = "import importlib.util, sys; print(*(n for n in sys.argv[1:] if importlib.util.find_spec(n)))"


@dataclass(frozen=True, slots=True)
class Plan:
    """What is copied, installed, and must be absent."""

    member: Member
    needs: tuple[Member, ...]
    strangers: tuple[str, ...]
    """Import names of all members that it neither is nor needs."""

    @property
    def requirements(self) -> list[str]:
        """What pip is asked for, relative to the copy."""
        return [f"./{each.folder}" for each in (self.member, *self.needs)] + self.thirds

    @property
    def thirds(self) -> list[str]:
        """Requirements of its tests that are no members."""
        own = {each.distribution for each in self.needs}
        return [each for each in self.member.develops_with if distribution(each) not in own]

    @property
    def copied(self) -> list[str]:
        """Folders relative to the root."""
        return [each.folder for each in (self.member, *self.needs)] + list(self.member.test_support)


class Failed(Exception):
    """A step of the isolation did not succeed; the message says which."""


def plan(name: str, root: Path = ROOT) -> Plan:
    """What isolating a member means."""
    everyone = members(root)
    member = named(name, everyone)
    needs = needed_by(member, everyone, with_tests=True)
    known = {member.name, *(each.name for each in needs)}
    strangers = sorted(name for each in everyone if each.name not in known for name in each.imports)
    return Plan(member, tuple(needs), tuple(strangers))


def copy(todo: Plan, into: Path, root: Path = ROOT) -> None:
    """Make the copy: members that live within a copied one, and the tests of what is only installed, stay behind."""
    within = {each.folder for each in members(root)}
    for folder in todo.copied:
        own = folder in (todo.member.folder, *todo.member.test_support)

        def left_out(at: str, names: list[str], folder: str = folder, *, own: bool = own) -> set[str]:
            here = Path(at).relative_to(root).as_posix()
            nested = {name for name in names if f"{here}/{name}" in within and f"{here}/{name}" != folder}
            tests = {"tests"} if here == folder and not own else set()
            return set(_LEFT_OUT(at, names)) | nested | (tests & set(names))

        shutil.copytree(root / folder, into / folder, ignore=left_out, dirs_exist_ok=True)
    shutil.copy(root / "constraints.txt", into)


def install(todo: Plan, place: Path, root: Path = ROOT) -> None:
    """Make the copy and the environment below `place`."""
    workspace = place / "workspace"
    environment = _environment(place)
    started = time.monotonic()
    copy(todo, workspace, root)
    # A pip that is at hand installs into the new environment faster than one that is first put there.
    pip = (
        [sys.executable, "-m", "pip", "--python", _python(place)] if find_spec("pip") else [_python(place), "-m", "pip"]
    )
    bare = ["--without-pip"] if find_spec("pip") else []
    _run("making the environment", [sys.executable, "-m", "venv", *bare, place / "venv"], place, environment)
    _run("installing", [*pip, "install", "--quiet", "--quiet", *todo.requirements], workspace, environment)
    _say(f"{todo.member.name}: installed with {_names(todo.needs)} in {time.monotonic() - started:.0f} s")


def check(todo: Plan, place: Path, arguments: Sequence[str] = ()) -> None:
    """Look for members that must not be there, and run the tests; arguments go to pytest."""
    workspace = place / "workspace"
    environment = _environment(place)
    probe = [_python(place), "-c", _PROBE, *todo.strangers]
    found = _run("looking for others", probe, place, environment, read=True).split()
    if found:
        raise Failed(f"{todo.member.name} can import {', '.join(found)}, which it does not declare")
    started = time.monotonic()
    here = workspace / todo.member.folder
    support = "pythonpath=" + os.path.relpath(workspace / "tests", here)
    tests = [_python(place), "-m", "pytest", "--import-mode=importlib", "--rootdir=.", "-p", "no:cacheprovider"]
    chosen = [*arguments] if any(not each.startswith("-") for each in arguments) else ["tests", *arguments]
    _run("its own tests", [*tests, "-o", support, *chosen], here, environment)
    _say(f"{todo.member.name}: passes alone, tests took {time.monotonic() - started:.0f} s")


def _python(place: Path) -> str:
    return str(place / "venv" / "bin" / "python")


def _names(needs: Sequence[Member]) -> str:
    return ", ".join(each.name for each in needs) or "no other member"


def _environment(place: Path) -> dict[str, str]:
    # Programs of virtual environments, such as the one that this runs in, must not be found; those of the system may.
    path = [
        folder
        for folder in os.environ.get("PATH", os.defpath).split(os.pathsep)
        if not Path(folder, "..", "pyvenv.cfg").exists()
    ]
    kept = {name: value for name, value in os.environ.items() if name not in _OF_THE_OUTSIDE}
    pinned = str(place / "workspace" / "constraints.txt")
    # pip builds wheels in environments of their own, for which newer ones read another variable.
    return kept | {
        "PATH": os.pathsep.join([str(place / "venv" / "bin"), *path]),
        "PIP_CONSTRAINT": pinned,
        "PIP_BUILD_CONSTRAINT": pinned,
        "PIP_DISABLE_PIP_VERSION_CHECK": "1",
        "PYTHONDONTWRITEBYTECODE": "1",
    }


def _run(what: str, command: Sequence[str | Path], at: Path, environment: dict[str, str], *, read: bool = False) -> str:
    done = subprocess.run(
        command, cwd=at, env=environment, stdout=subprocess.PIPE if read else None, text=True, check=False
    )
    if done.returncode:
        raise Failed(f"{what} failed with status {done.returncode}")
    return done.stdout or ""


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def main(arguments: Sequence[str] | None = None) -> int:
    """``ci/isolation MEMBER... [-- ARGUMENTS OF PYTEST]``."""
    parser = argparse.ArgumentParser(
        prog="ci/isolation", description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument(
        "member", nargs="*", help="its folder's name; all members that are deployed or installed if left out"
    )
    parser.add_argument("--plan", action="store_true", help="only say what would be copied and installed")
    given = list(sys.argv[1:] if arguments is None else arguments)
    cut = given.index("--") if "--" in given else len(given)
    options = parser.parse_args(given[:cut])
    try:
        plans = [plan(name) for name in options.member or isolated_names()]
        for todo in plans:
            if options.plan:
                _say(
                    f"{todo.member.name}: copies {' '.join(todo.copied)}; installs {' '.join(todo.requirements)}; "
                    f"must not find {' '.join(todo.strangers)}"
                )
                continue
            with tempfile.TemporaryDirectory(prefix="isolation-") as place:
                install(todo, Path(place))
                check(todo, Path(place), given[cut + 1 :])
    except (Failed, WorkspaceIsWrong) as error:
        sys.stderr.write(f"isolation: {error}\n")
        return 2 if isinstance(error, WorkspaceIsWrong) else 1
    return 0


def isolated_names(root: Path = ROOT) -> list[str]:
    """Members that somebody installs alone: all but the benchmarks, which compare the others."""
    return [member.name for member in members(root) if member.name != "benchmarks"]
