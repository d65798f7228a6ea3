"""Which files a change touches, as git says: both names of a renamed file, and deleted ones too."""

import subprocess
from pathlib import Path

from pipeline.members import ROOT

_NOTHING = "0" * 40
"""What some engines give as the commit before the first one of a branch."""


class NoComparison(Exception):
    """Git cannot say what has changed; the message says why, and what to do."""


def changed(base: str, head: str = "HEAD", root: Path = ROOT) -> list[str] | None:
    """Paths that differ between the last common commit of `base` and `head`, and `head`; None if there is no base."""
    if not base or base == _NOTHING:
        return None
    for name in (base, head):
        if _git(root, "rev-parse", "--verify", "--quiet", "--end-of-options", f"{name}^{{commit}}").returncode:
            raise NoComparison(f"git does not know the commit «{name}»{_advice(root)}")
    if _git(root, "merge-base", base, head).returncode:
        raise NoComparison(f"«{base}» and «{head}» have no common commit{_advice(root)}")
    # Without detection of renames a moved file counts at its old place and at its new one.
    listed = _git(root, "diff", "--name-only", "--no-renames", "-z", f"{base}...{head}")
    if listed.returncode:
        raise NoComparison(f"git diff failed: {listed.stderr.strip()}")
    return [path for path in listed.stdout.split("\0") if path]


def _advice(root: Path) -> str:
    if _git(root, "rev-parse", "--is-shallow-repository").stdout.strip() == "true":
        return ": this is a shallow clone; fetch its history first (git fetch --unshallow), or ask for `--all`"
    return "; name a commit of this history, or ask for `--all`"


def _git(root: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(["git", "-C", root, *arguments], capture_output=True, text=True, check=False)
