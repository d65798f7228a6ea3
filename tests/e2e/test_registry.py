"""Services register themselves, get traffic, and are forgotten when a lease lapses; a dead control takes nothing."""

import contextlib
import os
import signal
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from support import processes
from support.gateway import Gateway, paused, place, serving, sole
from support.raw_http import wait_until
from support.stub_upstream import stub_upstream

HERE = Path(__file__).parent


@contextlib.contextmanager
def service(gateway: Gateway, instance: str, folder: Path) -> Iterator[processes.Running]:
    port = processes.free_port()
    admin = f"http://127.0.0.1:{gateway.place.admin}"
    command = [sys.executable, str(HERE / "registered_service.py"), "--port", str(port)]
    command += ["--gateway", admin, "--instance", instance]
    with processes.running(instance, command, log=folder / f"{instance}.log", ready=f"http://127.0.0.1:{port}/") as it:
        yield it


@pytest.fixture(name="gateway")
def gateway_with_a_registry(tmp_path: Path) -> Iterator[Gateway]:
    with stub_upstream("monolith", tmp_path) as monolith, place(tmp_path) as here:
        config = f"""\
monolith: {monolith.url}
gateway: {{workers: 2}}
upstreams:
  catalog: {{discovery: registry}}
routes:
  - {{name: products, match: {{prefix: /products}}, service: catalog, stage: service}}
"""
        with serving(here, config) as running:
            yield running


def asked(gateway: Gateway) -> str:
    """Who answers; the status if nobody does."""
    answer = httpx.get(f"{gateway.url}/products", trust_env=False)
    return str(answer.json()) if answer.status_code == 200 else str(answer.status_code)


def settles(gateway: Gateway, *who: str) -> None:
    wait_until(lambda: {asked(gateway) for _ in range(12)} == set(who), f"{who} answer")


def instances(gateway: Gateway) -> list[str]:
    return [item["instance"] for item in sole(gateway.command("registry", "list", "--json"))["items"]]


def test_services_come_and_go_by_themselves(gateway: Gateway, tmp_path: Path) -> None:
    assert asked(gateway) == "503"
    with service(gateway, "one", tmp_path) as one:
        settles(gateway, "one")
        with service(gateway, "two", tmp_path):
            settles(gateway, "one", "two")
            assert instances(gateway) == ["one", "two"]
            one.signal(signal.SIGKILL)
            # In the meantime its breaker and a retry at the other bridge the gap: nobody sees an error.
            answers = set()
            wait_until(lambda: answers.add(asked(gateway)) or instances(gateway) == ["two"], "its lease has lapsed")
            assert answers <= {"one", "two"}
            assert {asked(gateway) for _ in range(20)} == {"two"}
        wait_until(lambda: instances(gateway) == [], "the other has left by itself")
    assert "the lease of one has lapsed" in gateway.process.output()


def test_a_dead_control_takes_nobody_away_and_knows_them_again(gateway: Gateway, tmp_path: Path) -> None:
    with service(gateway, "one", tmp_path):
        settles(gateway, "one")
        os.kill(gateway.roster().control_pid, signal.SIGKILL)
        assert {asked(gateway) for _ in range(20)} == {"one"}
        gateway.wait_for_control()
        assert {asked(gateway) for _ in range(20)} == {"one"}
        assert instances(gateway) == ["one"]


def test_a_worker_that_starts_without_control_knows_who_is_registered(gateway: Gateway, tmp_path: Path) -> None:
    with service(gateway, "one", tmp_path):
        settles(gateway, "one")
        before = gateway.roster()
        with paused(before.control_pid):
            for slot in before.slots:
                os.kill(slot.pid, signal.SIGKILL)
            wait_until(lambda: gateway.is_anew(before), "both workers are replaced")
            assert {asked(gateway) for _ in range(20)} == {"one"}
        gateway.wait_for_control()
        settles(gateway, "one")


def test_what_cannot_be_registered_is_refused(gateway: Gateway) -> None:
    def put(upstream: str, instance: str, **body: object) -> int:
        return gateway.admin.put(f"/registry/{upstream}/{instance}", json=body).status_code

    assert put("catalog", "i", address="127.0.0.1:1", lease=5) == 200
    assert put("catalog", "i", address="127.0.0.1:1", lease=5) == 200
    assert put("monolith", "i", address="127.0.0.1:1") == 409
    assert put("nothing", "i", address="127.0.0.1:1") == 409
    for address in ("0.0.0.0:1", "169.254.169.254:80", "127.0.0.1:0", "127.0.0.1", "http://a:1", "a b:1"):
        assert put("catalog", "i", address=address) == 422
    assert put("catalog", "i", address="127.0.0.1:1", lease=0.1) == 422
    assert put("catalog", "-i", address="127.0.0.1:1") == 422
    assert gateway.admin.delete("/registry/catalog/i").status_code == 204
    assert gateway.admin.delete("/registry/catalog/i").status_code == 404
    for number in range(256):
        assert put("catalog", f"i{number}", address=f"127.0.0.1:{number + 1}") == 200
    assert put("catalog", "more", address="127.0.0.1:1") == 409
