"""The compiled data plane: which modules it is made of, where it is kept, and whether it is that of these sources.

mypyc translates the modules that a request passes through to C, which halves what they cost. What it makes is kept
beside the environment's packages, under a key of the sources: sources that were changed since are run as they are.
"""

import hashlib
import os
import sys
import sysconfig
from functools import lru_cache
from pathlib import Path

PACKAGE = Path(__file__).parents[1]
"""The package ``strangler`` that this process runs."""
MODULES = (
    "http1/*.py",
    "policies/authentication.py",
    "policies/guard.py",
    "policies/identity.py",
    "policies/kept.py",
    "policies/onward.py",
    "policies/remembered.py",
    "policies/tokens.py",
    "resilience/retry.py",
    "routing/*.py",
    "upstream/balancer.py",
    "upstream/connection.py",
    "upstream/cork.py",
    "upstream/pool.py",
    "upstream/reads.py",
    "upstream/standing.py",
    "dataplane/active.py",
    "dataplane/answers.py",
    "dataplane/capture.py",
    "dataplane/counters.py",
    "dataplane/downstream.py",
    "dataplane/exchange.py",
    "dataplane/forwarded.py",
    "dataplane/forwarder.py",
    "dataplane/packing.py",
    "dataplane/phase.py",
    "dataplane/pipeline.py",
    "dataplane/waits.py",
)
"""Patterns below the package: what requests pass through. The rest is run as it is."""
BUILT = "built"
"""A file that is written last: a build without it was cut off."""


def sources(package: Path = PACKAGE) -> list[Path]:
    """The files to compile; a package's ``__init__`` has nothing that would gain by it."""
    found = (file for pattern in MODULES for file in package.glob(pattern))
    return sorted(file for file in found if file.name != "__init__.py")


@lru_cache(maxsize=1)
def key() -> str:
    """What a build must be of: every source of the package, this interpreter, this platform."""
    digest = hashlib.sha256(f"{sys.version} {sysconfig.get_platform()}".encode())
    for file in sorted(PACKAGE.rglob("*.py")):
        digest.update(f"{file.relative_to(PACKAGE)} {file.stat().st_size}\n".encode())
        digest.update(file.read_bytes())
    return digest.hexdigest()[:20]


def home() -> Path:
    """Where builds are kept: in the environment that the package is installed in."""
    return Path(sys.prefix) / "share" / "strangler" / "compiled"


def find() -> Path | None:
    """The folder to put before all others on the path of a worker; None to run the sources as they are.

    ``STRANGLER_COMPILED=off`` in the environment asks for the sources, so that a fault can be told from one of mypyc.
    """
    if os.environ.get("STRANGLER_COMPILED") == "off":
        return None
    folder = home() / key()
    return folder if (folder / BUILT).exists() else None


def environment() -> dict[str, str]:
    """The environment of a worker: this process's own, with the compiled modules before the others if there are any."""
    folder = find()
    return dict(os.environ) if folder is None else with_path(folder)


def with_path(folder: Path) -> dict[str, str]:
    """This process's environment with a folder that is searched for modules before all others."""
    further = os.environ.get("PYTHONPATH")
    path = os.pathsep.join((str(folder), further)) if further else str(folder)
    return {**os.environ, "PYTHONPATH": path}
