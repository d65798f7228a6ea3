"""Each combination passes the contract before it is timed: the table that every implementation of the shop must honour.

A pass is kept beside the reports, with a digest of all that it depends on, so that nothing is judged twice.
"""

import hashlib
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from xml.etree import ElementTree as ET

from yardstick.frameworks.servers import Combination

ROOT = Path(__file__).parents[4]
"""Of the repository: the contract is no part of this package."""
COMBINATIONS = "CONTRACT_COMBINATIONS"
"""The environment variable that tells the contract's tests which combinations to judge in place of their own lines."""
_DEPENDS_ON = ("monolith/src", "extracted", "benchmarks/src/yardstick/frameworks", "tests/contract", "constraints.txt")
_WITHIN = 600


@dataclass(frozen=True, slots=True)
class Pass:
    """What the contract said of one combination."""

    combination: str
    passed: int
    failed: int
    seconds: float
    digest: str
    at: str
    said: str = ""
    """The end of the output, where something failed."""


def judge(combination: Combination, kept: Path) -> Pass:
    """What the contract says of it, now or when nothing was different. ``kept``: a folder."""
    digest = _digest()
    file = kept / f"contract-{combination}.json"
    try:
        found = Pass(**json.loads(file.read_text()))
    except (OSError, ValueError, TypeError):
        found = None
    if found is not None and found.digest == digest and not found.failed:
        return found
    found = _judged(combination, digest)
    kept.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps(asdict(found), indent=1) + "\n")
    return found


def _judged(combination: Combination, digest: str) -> Pass:
    began = time.monotonic()
    at = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    with tempfile.TemporaryDirectory() as folder:
        results = Path(folder) / "results.xml"
        command = [
            sys.executable,
            "-m",
            "pytest",
            "-q",
            "-p",
            "no:cacheprovider",
            f"--junitxml={results}",
            "tests/contract",
        ]
        environment = os.environ | {COMBINATIONS: str(combination)}
        done = subprocess.run(
            command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=_WITHIN, check=False
        )
        said = (done.stdout + done.stderr)[-3000:]
        counts = _counts(results)
    passed, failed = counts if counts is not None else (0, 1)
    failed = max(failed, int(done.returncode != 0))
    seconds = round(time.monotonic() - began, 1)
    return Pass(str(combination), passed, failed, seconds, digest, at, said if failed else "")


def _counts(results: Path) -> tuple[int, int] | None:
    """Passed, failed."""
    try:
        suites = list(ET.parse(results).getroot().iter("testsuite"))  # noqa: S314 - pytest wrote it just now
    except (OSError, ET.ParseError):
        return None
    total = sum(int(suite.get("tests", 0)) for suite in suites)
    failed = sum(int(suite.get("failures", 0)) + int(suite.get("errors", 0)) for suite in suites)
    skipped = sum(int(suite.get("skipped", 0)) for suite in suites)
    return total - failed - skipped, failed


def _digest() -> str:
    """Over names and contents of the files that decide what a combination answers."""
    digest = hashlib.sha256(sys.version.encode())
    for file in sorted(_files(_DEPENDS_ON)):
        digest.update(str(file.relative_to(ROOT)).encode() + b"\0" + file.read_bytes() + b"\0")
    return digest.hexdigest()[:16]


def _files(names: Iterable[str]) -> set[Path]:
    found: set[Path] = set()
    for name in names:
        place = ROOT / name
        found |= {place} if place.is_file() else {*place.rglob("*.py"), *place.rglob("*.toml")}
    return {file for file in found if ".venv" not in file.parts and "build" not in file.parts}
