"""Blocks: one run of a benchmark suite in a process of its own, with the sources of one commit, beside another's."""

import contextlib
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from yardstick.gate.turns import ENDS, Ends, two_ends

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


def side_by_side(
    first: Side, second: Side, root: Path, suite: Sequence[str]
) -> tuple[dict[str, float], dict[str, float]]:
    """Run the suite of ``root`` with the sources of either side, in a process each, which call by turns.

    Gives the median of each benchmark, in seconds. Raises ``GateError`` with the end of what was said if a test fails.
    """
    with tempfile.TemporaryDirectory(prefix="bench-gate-") as name, contextlib.ExitStack() as stack:
        with two_ends() as ends:
            blocks = [
                stack.enter_context(_begun(side, its, root, suite, Path(name) / str(number)))
                for number, (side, its) in enumerate(zip((first, second), ends, strict=True))
            ]
        one, other = (block.medians() for block in blocks)
        return one, other


@dataclass(frozen=True, slots=True)
class _Block:
    side: Side
    folder: Path
    process: "subprocess.Popen[bytes]"

    def medians(self) -> dict[str, float]:
        """Wait for them. Raises ``GateError``."""
        try:
            code = self.process.wait(_WITHIN)
        except subprocess.TimeoutExpired:
            raise GateError(f"the benchmarks with the sources of {self.side.name} take more than {_WITHIN} s") from None
        results = self.folder / "results.json"
        if code or not results.exists():
            said = (self.folder / "said").read_text(errors="replace")
            raise GateError(f"the benchmarks fail with the sources of {self.side.name}:\n{said[-3000:]}")
        return medians(results.read_text())


@contextlib.contextmanager
def _begun(side: Side, ends: Ends, root: Path, suite: Sequence[str], folder: Path) -> Iterator[_Block]:
    """A process that is not there any more behind the ``with`` block."""
    folder.mkdir()
    command = [sys.executable, "-m", "pytest", "-q"]
    command += [f"-pno:{name}" for name in ("cacheprovider", "xdist", "hypothesispytest")]  # Of no use here, and slow.
    command += [f"--benchmark-json={folder / 'results.json'}", f"--basetemp={folder / 'files'}", *suite]
    path = os.pathsep.join((side.path, str(root / "benchmarks/src")))
    # What a pytest around this one says of itself is not for this one: it would measure nothing.
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}
    told = {"PYTHONPATH": path, "PYTHONDONTWRITEBYTECODE": "1", ENDS: ends.named}
    with (folder / "said").open("wb") as said:
        process = subprocess.Popen(
            command,
            cwd=root,
            env={**inherited, **told, **side.environment},
            stdout=said,
            stderr=said,
            pass_fds=(ends.mine, ends.other),
        )
    try:
        yield _Block(side, folder, process)
    finally:
        process.kill()
        process.wait()


def medians(document: str) -> dict[str, float]:
    """Of a report of pytest-benchmark, in seconds."""
    return {each["name"]: each["stats"]["median"] for each in json.loads(document)["benchmarks"]}


def _git(root: Path, *arguments: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(["git", *arguments], cwd=root, capture_output=True, text=True, check=False)
