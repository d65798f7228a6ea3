"""What a reader must know of the machine, and of how it was measured, to make sense of figures."""

import datetime as dt
import os
import platform
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Conditions:
    """Where, when and with what a report was made."""

    at: str
    """RFC 3339, UTC, to the second."""
    processor: str
    cores: int
    """That this process may use."""
    quota: str
    """Of the control group: ``200000 100000`` are two cores' time; empty where there is none."""
    kernel: str
    python: str
    load_average: float
    """Over the minute before."""
    commit: str
    """Of the folder in which it was made, with a + where something was changed since; empty outside a repository."""
    versions: Mapping[str, str] = field(default_factory=dict)
    """Of what was measured and measured with."""


def look(versions: Mapping[str, str] | None = None) -> Conditions:
    """Describe this machine, now."""
    return Conditions(
        at=dt.datetime.now(dt.UTC).isoformat(timespec="seconds"),
        processor=processor(),
        cores=len(os.sched_getaffinity(0)),
        quota=_read("/sys/fs/cgroup/cpu.max"),
        kernel=f"{platform.system()} {platform.release()} {platform.machine()}",
        python=f"{platform.python_implementation()} {platform.python_version()}",
        load_average=os.getloadavg()[0],
        commit=_commit(),
        versions=dict(versions or {}),
    )


def is_busy(conditions: Conditions) -> bool:
    """Whether something else takes so much of the machine that it will show."""
    return conditions.load_average > 0.25 * conditions.cores


def processor() -> str:
    """Its model, in the words of whoever made it."""
    for line in _read("/proc/cpuinfo").splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.processor() or "unknown"


def _read(path: str) -> str:
    try:
        return Path(path).read_text().strip()
    except OSError:
        return ""


def _commit() -> str:
    head = _git("rev-parse", "--short=12", "HEAD")
    return head + ("+" if head and _git("status", "--porcelain", "--untracked-files=no") else "")


def _git(*arguments: str) -> str:
    try:
        done = subprocess.run(["git", *arguments], capture_output=True, text=True, check=True, timeout=5)  # noqa: S603, S607
    except (OSError, subprocess.SubprocessError):
        return ""
    return done.stdout.strip()
