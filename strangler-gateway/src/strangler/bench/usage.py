"""What a server's processes have used: CPU time and memory of a process and all that it started."""

from dataclasses import dataclass

import psutil


@dataclass(frozen=True, slots=True)
class Usage:
    """Since the start of each process."""

    cpu_seconds: float
    """User and system. Times come from ``/proc`` in steps of 10 ms."""
    memory: int
    """Bytes: proportional set size, in which a page that n processes share counts 1/n for each; resident set size where
    the system has no such figure."""
    processes: int


def look(pid: int) -> Usage:
    """Look at a process and its living descendants. Raises ``psutil.NoSuchProcess`` if it is gone."""
    root = psutil.Process(pid)
    cpu, memory, processes = 0.0, 0, 0
    for process in (root, *root.children(recursive=True)):
        try:
            times, size = process.cpu_times(), process.memory_full_info()
        except psutil.NoSuchProcess:
            continue
        cpu += times.user + times.system
        memory += getattr(size, "pss", size.rss)
        processes += 1
    return Usage(cpu, memory, processes)
