"""Which cores the proxies and the load use, and what CPU time a tree of processes has used."""

import os
from dataclasses import dataclass

import psutil


@dataclass(frozen=True, slots=True)
class Cores:
    """The proxy has a core of its own; the load and the upstream share another, or have one each if there are three."""

    proxy: int
    load: int
    upstream: int

    @property
    def apart(self) -> bool:
        return self.proxy != self.load


def choose_cores() -> Cores:
    """Choose among the cores that this process may use."""
    usable = sorted(os.sched_getaffinity(0))
    return Cores(proxy=usable[0], load=usable[min(1, len(usable) - 1)], upstream=usable[min(2, len(usable) - 1)])


@dataclass(frozen=True, slots=True)
class CpuTime:
    """Seconds of CPU, user and system, since the start of each process."""

    tree: float
    """The process and all that it started."""
    data_plane: float
    """Those of them that carry requests; the same as ``tree`` where nothing else is told."""

    def since(self, earlier: "CpuTime") -> "CpuTime":
        return CpuTime(self.tree - earlier.tree, self.data_plane - earlier.data_plane)


def cpu_time(pid: int, data_plane: str = "") -> CpuTime:
    """Return the CPU time of a process and its living descendants.

    ``data_plane`` is a part of the command line of those that carry requests. Times come from ``/proc`` in steps of
    10 ms, which is 1 % of the second that a round takes.
    """
    root = psutil.Process(pid)
    tree = carrying = 0.0
    for process in (root, *root.children(recursive=True)):
        try:
            times = process.cpu_times()
            command = " ".join(process.cmdline()) if data_plane else ""
        except psutil.NoSuchProcess:
            continue
        used = times.user + times.system
        tree += used
        if data_plane in command:
            carrying += used
    return CpuTime(tree, carrying)
