"""Real workers that are killed: their waiting connections are served, and flips go on."""

import os
import signal
import socket
import time
from pathlib import Path

from support.stub_upstream import stub_upstream

from .conftest import CONFIG, Gateway, serving


def worker(gateway: Gateway) -> dict[str, int]:
    found: dict[str, int] = gateway.run("status", "--json").document["workers"][0]
    return found


def test_connections_that_wait_for_a_killed_worker_are_served_by_the_next(tmp_path: Path) -> None:
    with stub_upstream("monolith", tmp_path) as monolith, stub_upstream("service", tmp_path) as service:
        config = tmp_path / "strangler.yaml"
        config.write_text(CONFIG.format(monolith=monolith.url, service=service.url))
        with serving(tmp_path, config, "--workers", "1") as gateway:
            gateway.run("flip", "catalog", "service", "--reason", "ready")
            before = worker(gateway)
            os.kill(before["pid"], signal.SIGSTOP)
            host, port = gateway.url.removeprefix("http://").split(":")
            waiting = [socket.create_connection((host, int(port)), timeout=20) for _ in range(50)]
            for connection in waiting:
                connection.sendall(b"GET /api/products/7 HTTP/1.1\r\nHost: shop\r\nConnection: close\r\n\r\n")
            os.kill(before["pid"], signal.SIGKILL)
            for connection in waiting:
                with connection:
                    assert connection.recv(12) == b"HTTP/1.1 200"
            deadline = time.monotonic() + 10
            while not (after := worker(gateway))["ready"]:
                assert time.monotonic() < deadline
                time.sleep(0.05)
            assert after["pid"] != before["pid"]
            assert after["restarts"] == 1
            flipped = gateway.run("flip", "catalog", "monolith", "--reason", "back", "--json")
            assert (flipped.status, flipped.document["acknowledged"]) == (0, [0])
