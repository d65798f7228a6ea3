"""Kills, `explain`, `status` and traffic while control is dead and its store cannot be read."""

import json
import os
import signal
import time
import urllib.request
from pathlib import Path

from strangler.supervisor.state_folder import StateFolder
from support.stub_upstream import stub_upstream

from .conftest import CONFIG, Gateway, serving


def arms(gateway: Gateway) -> set[str]:
    """Which stubs answer twenty requests."""
    found = set()
    for _ in range(20):
        request = urllib.request.Request(f"{gateway.url}/api/products/7", headers={"X-User": "u1"})
        with urllib.request.urlopen(request, timeout=10) as answer:
            found.add(json.load(answer)["arm"])
    return found


def control_and_store_die(gateway: Gateway) -> None:
    for database in gateway.state.glob("control.db*"):
        database.write_bytes(b"this is no database " * 1000)
    control = next(child for child in gateway.process.children() if "strangler.control" in child.cmdline())
    control.send_signal(signal.SIGKILL)
    deadline = time.monotonic() + 20
    while "it is started again in 0.5 s" not in gateway.process.output():
        assert time.monotonic() < deadline, gateway.process.output()
        time.sleep(0.05)


def test_a_kill_works_and_lasts_without_control_store_or_the_old_workers(tmp_path: Path) -> None:
    with stub_upstream("monolith", tmp_path) as monolith, stub_upstream("service", tmp_path) as service:
        config = tmp_path / "strangler.yaml"
        config.write_text(CONFIG.format(monolith=monolith.url, service=service.url))
        with serving(tmp_path, config) as gateway:
            assert gateway.run("flip", "catalog", "service", "--reason", "ready").status == 0
            control_and_store_die(gateway)
            assert arms(gateway) == {"service"}

            killed = gateway.run("kill", "catalog", "--reason", "errors", "--json")
            assert (killed.status, killed.document["missing"]) == (0, [])
            assert arms(gateway) == {"monolith"}

            status = gateway.run("status", "--json")
            assert (status.status, status.document["control"]) == (1, "lost")
            for worker in status.document["workers"]:
                os.kill(worker["pid"], signal.SIGKILL)
            assert arms(gateway) == {"monolith"}, "the new workers begin with the snapshot and the kills on disk"

            assert gateway.run("kill", "catalog", "--lift", "--reason", "mended").status == 0
            assert arms(gateway) == {"service"}
            refused = gateway.run("flip", "catalog", "monolith", "--reason", "impossible now")
            assert refused.status == 1
            assert "control does not answer" in refused.err
        assert not StateFolder(gateway.state).in_use()
