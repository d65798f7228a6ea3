"""Who listens on a port, as far as ``/proc`` tells this user: to name it in an error, never to act on it."""

import os
from pathlib import Path

_LISTEN = "0A"  # TCP_LISTEN in the kernel's include/net/tcp_states.h


def occupant(port: int) -> str:
    """`` by process 4711 (nginx)`` with its leading space, or nothing if it cannot be found out."""
    inodes = {f"socket:[{inode}]" for inode in _listening_inodes(port)}
    for folder in Path("/proc").glob("[0-9]*") if inodes else ():
        try:
            if any(os.readlink(fd) in inodes for fd in (folder / "fd").iterdir()):  # noqa: PTH115  # a socket is no path
                return f" by process {folder.name} ({(folder / 'comm').read_text().strip()})"
        except OSError:
            continue  # another user's, or gone
    return ""


def _listening_inodes(port: int) -> set[str]:
    inodes = set()
    for table in ("/proc/net/tcp", "/proc/net/tcp6"):
        try:
            lines = Path(table).read_text().splitlines()[1:]
        except OSError:
            continue
        for fields in map(str.split, lines):
            if fields[3] == _LISTEN and int(fields[1].rpartition(":")[2], 16) == port:
                inodes.add(fields[9])
    return inodes
