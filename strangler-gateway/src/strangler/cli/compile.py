"""``strangler compile``: translate the data plane to C, so that a request costs less; a gateway runs without it too."""

import importlib.util
import shutil
import subprocess
import sys
import sysconfig
import tempfile
import time
from pathlib import Path
from typing import Annotated

import typer

from strangler.cli.failures import Failed
from strangler.cli.screen import say
from strangler.supervisor import compiled

_SETUP = """
import sys
from mypyc.build import mypycify
from setuptools import setup
options = ["--ignore-missing-imports", "--no-warn-unused-configs", "--config-file=", "--cache-dir=mypy-cache"]
setup(name="strangler-compiled", ext_modules=mypycify(options + sys.argv[1:], opt_level="3"),
      script_args=["--quiet", "build_ext", "--inplace"])
"""
_TRY = "import strangler.dataplane.worker, strangler.http1.request as m; assert not m.__file__.endswith('.py')"


def compile_data_plane(
    remove: Annotated[bool, typer.Option("--remove", help="Forget what was compiled; run the sources.")] = False,
) -> None:
    """Compile the modules that every request passes through; gateways started from now on use them.

    Needs a C compiler and the extra `compiled` (`pip install 'strangler[compiled]'`), takes about half a minute, and
    counts until the package changes.
    """
    if remove:
        shutil.rmtree(compiled.home(), ignore_errors=True)
        say("Workers run the sources as they are.")
        return
    if compiled.find():
        say(f"The data plane is compiled already: {compiled.find()}")
        return
    _check_tools()
    began = time.monotonic()
    folder = build(compiled.home())
    say(f"Compiled {len(compiled.sources())} modules in {time.monotonic() - began:.0f} s: {folder}")
    say("Gateways use them from their next start on; `strangler compile --remove` goes back.")


def build(home: Path) -> Path:
    """Build below ``home``, whole or not at all; builds of other sources are removed. Raises ``Failed``."""
    target = home / compiled.key()
    try:
        home.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=home, prefix="building-") as scratch:
            work = Path(scratch) / "work"
            shutil.copytree(compiled.PACKAGE, work / "strangler", ignore=shutil.ignore_patterns("__pycache__"))
            modules = [f"strangler/{file.relative_to(compiled.PACKAGE)}" for file in compiled.sources()]
            _run(work, "-c", _SETUP, *modules)
            for rest in ("build", "mypy-cache"):
                shutil.rmtree(work / rest, ignore_errors=True)
            _run(work, "-c", _TRY)
            (work / compiled.BUILT).touch()
            for old in home.iterdir():
                if not old.name.startswith("building-"):
                    shutil.rmtree(old, ignore_errors=True)
            work.rename(target)
    except OSError as error:
        raise Failed(f"{home} cannot be written: {error.strerror or error}; the sources are run as they are") from None
    return target


def _check_tools() -> None:
    if not (shutil.which("cc") or shutil.which("gcc") or shutil.which("clang")):
        raise Failed("there is no C compiler; install gcc or clang. The gateway works without, and costs more CPU")
    if not Path(sysconfig.get_path("include"), "Python.h").exists():
        raise Failed("the headers of Python are missing; install them, as python3-dev where Python is the system's")
    for module in ("mypyc", "setuptools"):
        if importlib.util.find_spec(module) is None:
            raise Failed(f"{module} is not installed: pip install 'strangler[compiled]'")


def _run(folder: Path, *arguments: str) -> None:
    run = subprocess.run(  # noqa: S603 - our own interpreter on our own files
        [sys.executable, *arguments],
        cwd=folder, env=compiled.with_path(folder), capture_output=True, text=True, check=False,
    )  # fmt: skip
    if run.returncode:
        last = "\n".join((run.stdout + run.stderr).strip().splitlines()[-15:])
        raise Failed(f"the data plane could not be compiled; the sources are run as they are. It ended with:\n{last}")
