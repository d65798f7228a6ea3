"""The command ``ci/affected``: which members and suites a change since a commit affects, for a pipeline.

Exit status: 0 said, 2 it cannot be known (no common commit, a shallow clone, a workspace that cannot be read).
"""

import argparse
import json
import os
import sys
from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path

from pipeline.changes import NoComparison, changed
from pipeline.generated import circleci, gitlab
from pipeline.members import ROOT, WorkspaceIsWrong
from pipeline.selection import Selection, everything, read, select

GENERATED = {"gitlab": gitlab, "circleci": circleci}


def affected(base: str | None, root: Path = ROOT) -> Selection:
    """What the commits since `base` affect; all, where there is no base."""
    workspace = read(root)
    paths = changed(base, root=root) if base is not None else None
    found = everything(workspace) if paths is None else select(paths, workspace)
    # Pipelines build images with a step that a repository may do without.
    return found if os.access(root / "ci" / "images", os.X_OK) else replace(found, images=())


def outputs(found: Selection) -> str:
    """Lines `name=JSON`, as GitHub Actions reads a job's outputs."""
    values = {
        "tests": found.tests,
        "isolation": found.isolation,
        "images": found.images,
        "benchmarks": found.benchmarks,
    }
    return "".join(f"{name}={json.dumps(value)}\n" for name, value in values.items())


def main(arguments: Sequence[str] | None = None) -> int:
    """Parse, ask, print."""
    parser = argparse.ArgumentParser(
        prog="ci/affected", description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    since = parser.add_mutually_exclusive_group(required=True)
    since.add_argument(
        "--base", metavar="COMMIT", help="what the change is compared with; empty or zeros: no such commit"
    )
    since.add_argument("--all", action="store_true", help="everything, whatever has changed")
    form = parser.add_mutually_exclusive_group()
    form.add_argument("--github", action="store_true", help="outputs of a job, to $GITHUB_OUTPUT if that is set")
    form.add_argument("--gitlab", action="store_true", help="a child pipeline")
    form.add_argument("--circleci", action="store_true", help="a configuration to continue with")
    form.add_argument("--list", choices=("tests", "isolation", "images"), help="names, one a line")
    options = parser.parse_args(arguments)
    try:
        found = affected(None if options.all else options.base)
    except (NoComparison, WorkspaceIsWrong) as error:
        sys.stderr.write(f"affected: {error}\n")
        return 2
    for name, why in found.because.items():
        sys.stderr.write(f"{name}: {why}\n")
    generated = next((make for name, make in GENERATED.items() if getattr(options, name)), None)
    if options.github:
        _to_github(outputs(found))
    elif generated:
        sys.stdout.write(json.dumps(generated(found), indent=2) + "\n")
    elif options.list:
        sys.stdout.writelines(f"{name}\n" for name in getattr(found, options.list))
    else:
        sys.stdout.write(json.dumps(asdict(found)) + "\n")
    return 0


def _to_github(lines: str) -> None:
    sys.stdout.write(lines)
    if file := os.environ.get("GITHUB_OUTPUT"):
        with Path(file).open("a", encoding="utf-8") as output:
            output.write(lines)
