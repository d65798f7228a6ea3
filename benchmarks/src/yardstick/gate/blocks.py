"""Blocks: one run of a benchmark suite in a process of its own, with the sources of one commit."""

import contextlib
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

_WITHIN = 900
_SOURCES = ("strangler-gateway/src", "strangler-gateway/kit/src", "monolith/src", "extracted/*/src")
"""Of what is judged. The benchmarks themselves are always the candidate's: both sides do the same."""


class GateError(RuntimeError):
    """Nothing can be judged; says why, and what to do."""


@dataclass(frozen=True, slots=True)
class Side:
    """One commit's sources."""

    name: str
    tree: Path
    environment: Mapping[str, str] = field(default_factory=dict)

    @property
    def path(self) -> str:
        """What its processes import first."""
        found = [place for pattern in _SOURCES for place in sorted(self.tree.glob(pattern))]
        return os.pathsep.join(map(str, found))


@contextlib.contextmanager
def checked_out(root: Path, commit: str) -> Iterator[Side]:
    """A commit in a folder beside, for the length of a ``with`` block. Raises ``GateError``."""
    base = _commit(root, commit)
    with tempfile.TemporaryDirectory(prefix="bench-gate-") as folder:
        tree = Path(folder) / "base"
        made = _git(root, "worktree", "add", "--detach", "--quiet", str(tree), base)
        if made.returncode:
            raise GateError(f"{commit} cannot be checked out: {made.stderr.strip()}")
        try:
            yield Side(commit, tree)
        finally:
            _git(root, "worktree", "remove", "--force", str(tree))


def _commit(root: Path, name: str) -> str:
    """The commit of a name; a branch of origin that is not here is fetched, since a pipeline has its own alone."""
    for is_last in (False, True):
        found = _git(root, "rev-parse", "--verify", "--quiet", f"{name}^{{commit}}")
        if not found.returncode:
            return found.stdout.strip()
        branch = name.removeprefix("origin/")
        if is_last or branch == name:
            break
        _git(root, "fetch", "--quiet", "--depth=1", "origin", f"+refs/heads/{branch}:refs/remotes/origin/{branch}")
    raise GateError(f"{name} is no commit here; fetch it: git fetch origin {name}")


def run(side: Side, root: Path, suite: Sequence[str]) -> dict[str, float]:
    """Run the suite of ``root`` once with the sources of a side; the median of each benchmark, in seconds.

    Raises ``GateError`` with the end of what was said if a test fails.
    """
    with tempfile.TemporaryDirectory(prefix="bench-gate-") as folder:
        results = Path(folder) / "results.json"
        command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "no:xdist"]
        command += [f"--benchmark-json={results}", *suite]
        path = os.pathsep.join((side.path, str(root / "benchmarks/src")))
        # What a pytest around this one says of itself is not for this one: it would measure nothing.
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}
        environment = inherited | {"PYTHONPATH": path, "PYTHONDONTWRITEBYTECODE": "1"} | side.environment
        done = subprocess.run(
            command, cwd=root, env=environment, capture_output=True, text=True, timeout=_WITHIN, check=False
        )
        if done.returncode or not results.exists():
            raise GateError(
                f"the benchmarks fail with the sources of {side.name}:\n{(done.stdout + done.stderr)[-3000:]}"
            )
        return medians(results.read_text())


def medians(document: str) -> dict[str, float]:
    """Of a report of pytest-benchmark, in seconds."""
    return {each["name"]: each["stats"]["median"] for each in json.loads(document)["benchmarks"]}


def _git(root: Path, *arguments: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(["git", *arguments], cwd=root, capture_output=True, text=True, check=False)
