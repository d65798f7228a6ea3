"""``strangler up`` as its user runs it: everything is there after one command, and gone after Ctrl-C."""

import contextlib
import os
import signal
import socket
import time
from collections.abc import Callable, Iterator

import psutil
import pytest

from e2e.reference import ALL_READY, copy
from support import processes
from support.gateway import BIN, Gateway, Place
from support.raw_http import wait_until

APPLICATIONS = ("shop", "catalog-service")


def test_one_command_starts_everything_and_ctrl_c_ends_it(here: Place, figure: Callable[[str], None]) -> None:
    _, env = copy(here, products=10_000, access_logs=False)
    for start in ("with 10,000 products to seed", "again"):
        with started(here, env) as up:
            began = time.monotonic()
            up.wait_ready(f"http://127.0.0.1:{here.listen}/api/products", 60)
            figure(f"started {start}: first request served after {time.monotonic() - began:.2f} s")
            wait_until(lambda up=up: ALL_READY in up.output(), "the applications are ready, too", 60)
            gateway = Gateway(here, up)
            with gateway.admin:
                gateway.wait_for_control()
                assert gateway.ask("/api/products")["total"] == 10_000
                assert gateway.flip("catalog", "service")["missing"] == []
                assert gateway.ask("/api/products/7")["id"] == 7, "the catalog service answers"
                gateway.flip("catalog", "monolith")
            family = gateway.family()
            running = {name for member in family for name in APPLICATIONS if name in " ".join(member.cmdline())}
            assert running == set(APPLICATIONS)

            os.killpg(up.pid, signal.SIGINT)  # what a terminal does on Ctrl-C: everybody in the group in front gets it
            assert up.wait(30) == 0
            _, left = psutil.wait_procs(family, timeout=0)
            assert left == []
            with pytest.raises(ConnectionRefusedError):
                socket.create_connection(("127.0.0.1", here.listen), timeout=5)


@contextlib.contextmanager
def started(here: Place, env: dict[str, str]) -> Iterator[processes.Running]:
    """Start it without waiting for anything."""
    log = here.folder / "up.log"
    log.unlink(missing_ok=True)
    command = [BIN / "strangler", "up", *here.options]
    with processes.running("strangler up", command, log=log, env=env, cwd=here.folder) as process:
        yield process
