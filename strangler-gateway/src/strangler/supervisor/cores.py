"""How many cores this process may use: not those of the machine, but what affinity and the cgroup's quota leave."""

import math
import os
from collections.abc import Callable, Iterator
from pathlib import Path

SYS = Path("/sys/fs/cgroup")
PROC = Path("/proc/self/cgroup")


def available_cores(sys: Path = SYS, proc: Path = PROC) -> int:
    """At least 1. A quota of one and a half cores counts as two, so that none of it is left unused."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    quota = min(_quotas(sys, proc), default=math.inf)
    return max(1, cores if quota >= cores else math.ceil(quota))


def _quotas(sys: Path, proc: Path) -> Iterator[float]:
    """Cores by every quota that holds for this process: its own cgroup's and those above it."""
    try:
        lines = proc.read_text().splitlines()
    except OSError:
        return
    for line in lines:
        _, controllers, path = line.split(":", 2)
        if not controllers:
            yield from _upwards(sys, path, _of_version_2)
        elif "cpu" in controllers.split(","):
            yield from _upwards(sys / "cpu", path, _of_version_1)


def _upwards(root: Path, path: str, read: Callable[[Path], float]) -> Iterator[float]:
    """In a container the path may be the host's, and not there: then the root's quota is what holds."""
    folder = root / path.strip("/")
    for each in (folder, *folder.parents):
        if each.is_relative_to(root):
            try:
                yield read(each)
            except (OSError, ValueError, ZeroDivisionError):
                continue  # No quota, or nothing that can be read as one.


def _of_version_2(folder: Path) -> float:
    quota, period = (folder / "cpu.max").read_text().split()
    return math.inf if quota == "max" else int(quota) / int(period)


def _of_version_1(folder: Path) -> float:
    quota = int((folder / "cpu.cfs_quota_us").read_text())
    return math.inf if quota <= 0 else quota / int((folder / "cpu.cfs_period_us").read_text())
