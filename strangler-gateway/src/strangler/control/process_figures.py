"""What a process costs, as the kernel says: for the processes that have no line on which they would tell it."""

import contextlib
import os
from pathlib import Path


def resident(pid: int | str = "self") -> int:
    """Bytes of memory that it has resident; 0 if it is gone."""
    with contextlib.suppress(OSError):
        return int(Path(f"/proc/{pid}/statm").read_bytes().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    return 0


def cpu_seconds(pid: int) -> float:
    """Processor time that it has had, in user and system mode; 0 if it is gone."""
    with contextlib.suppress(OSError):
        behind_the_name = Path(f"/proc/{pid}/stat").read_bytes().rpartition(b")")[2].split()
        return sum(map(int, behind_the_name[11:13])) / os.sysconf("SC_CLK_TCK")
    return 0.0
