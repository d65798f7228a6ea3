"""Stands in for the comparator: reads what workers mirror and forgets it, so that their part is measured alone."""

import argparse
import contextlib
import os
import socket
import threading
from pathlib import Path

_AT_ONCE = 1 << 20


def serve(path: Path) -> None:
    """Take in everything until killed. It keeps away from the core that the worker is measured on."""
    others = set(range(os.cpu_count() or 1)) - os.sched_getaffinity(0)
    with contextlib.suppress(OSError):
        os.sched_setaffinity(0, others or os.sched_getaffinity(0))
    path.unlink(missing_ok=True)
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(str(path))
    listener.listen()
    while True:
        connection, _ = listener.accept()
        threading.Thread(target=_discard, args=(connection,), daemon=True).start()


def _discard(connection: socket.socket) -> None:
    room = bytearray(_AT_ONCE)
    with connection:
        while connection.recv_into(room):
            pass


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--state", type=Path, required=True)
    parser.add_argument("--control-wait", type=float, help="As the comparator is given it; of no meaning here.")
    serve(parser.parse_args().state / "comparator.sock")


if __name__ == "__main__":
    main()
