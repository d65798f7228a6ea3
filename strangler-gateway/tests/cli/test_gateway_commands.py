"""The commands that speak to a running gateway, on a real one."""

import json
import os
import re
import signal
import time
import urllib.request
from collections.abc import Iterator

import pytest

from .conftest import Gateway, strangler


@pytest.fixture(autouse=True)
def _flags_as_found(gateway: Gateway) -> Iterator[None]:
    yield
    assert gateway.run("flip", "catalog", "monolith", "--reason", "as found").status == 0
    assert gateway.run("kill", "catalog", "--lift", "--reason", "as found").status == 0


def arm(gateway: Gateway, user: str = "u1") -> str:
    """Which stub answers GET /api/products/7."""
    request = urllib.request.Request(f"{gateway.url}/api/products/7", headers={"X-User": user})
    with urllib.request.urlopen(request, timeout=10) as answer:
        found: str = json.load(answer)["arm"]
        return found


def test_status_shows_every_worker(gateway: Gateway) -> None:
    ran = gateway.run("status", "--json")
    assert ran.status == 0
    assert ran.document["control"] == ran.document["supervisor"] == "connected"
    assert [(worker["slot"], worker["ready"]) for worker in ran.document["workers"]] == [(0, True), (1, True)]
    text = gateway.run("status")
    assert "control connected" in text.out
    assert text.out.count("ready") == 2


def test_status_shows_the_last_minute(gateway: Gateway) -> None:
    assert arm(gateway) == "monolith"
    until_counted(gateway)
    line = re.compile(r"^last minute: [1-9]\d* requests · \d+ errors · p50 [\d.]+ ms · p99 [\d.]+ ms$", re.MULTILINE)
    assert line.search(gateway.run("status").out)


def until_counted(gateway: Gateway) -> None:
    """Workers report once a second."""
    deadline = time.monotonic() + 10
    while not gateway.run("status", "--json").document["traffic"]["requests"]:
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_a_flip_moves_traffic_before_it_returns_and_says_who_has_it(gateway: Gateway) -> None:
    assert arm(gateway) == "monolith"
    ran = gateway.run("flip", "catalog", "service", "--reason", "ready", "--author", "ada", "--json")
    assert ran.status == 0
    assert ran.document["acknowledged"] == [0, 1]
    assert ran.document["missing"] == []
    assert [arm(gateway) for _ in range(20)] == ["service"] * 20


def test_a_flip_prints_each_change_and_how_long_it_took(gateway: Gateway) -> None:
    ran = gateway.run("flip", "products-get", "canary", "--weight", "0.05", "--cohort", "u9", "--reason", "a first one")
    assert ran.status == 0
    assert "products-get: monolith → canary 0.05 % and u9" in ran.out
    assert "every worker has it, after " in ran.out
    assert (arm(gateway, "u9"), arm(gateway, "u1")) == ("service", "monolith")


def test_a_flip_names_the_worker_that_did_not_acknowledge(gateway: Gateway) -> None:
    pid = gateway.run("status", "--json").document["workers"][1]["pid"]
    os.kill(pid, signal.SIGSTOP)
    try:
        ran = gateway.run("flip", "products-get", "service", "--reason", "one is stopped")
        killed = gateway.run("kill", "products-get", "--reason", "one is stopped", "--json")
    finally:
        os.kill(pid, signal.SIGCONT)
    assert ran.status == 1
    assert "worker 1 did not acknowledge" in ran.err
    assert (killed.status, killed.document["missing"]) == (1, [1])


def test_a_kill_overrides_the_flag_and_lifting_it_gives_the_flag_back(gateway: Gateway) -> None:
    gateway.run("flip", "catalog", "service", "--reason", "ready")
    ran = gateway.run("kill", "catalog", "--reason", "errors", "--json")
    assert ran.status == 0
    assert ran.document["missing"] == []
    assert [kill["route"] for kill in ran.document["kills"]] == ["products-create", "products-get"]
    assert arm(gateway) == "monolith"
    assert gateway.run("explain", "GET", "/api/products/7", "--json").document["reason"] == "killed"
    assert "lifted: products-get" in gateway.run("kill", "products-get", "--lift", "--reason", "mended").out
    assert "nothing to lift" in gateway.run("kill", "products-get", "--lift", "--reason", "mended").out
    assert arm(gateway) == "service"


def test_explain_says_the_same_with_and_without_control(gateway: Gateway) -> None:
    gateway.run("flip", "catalog", "canary", "--weight", "50", "--reason", "half")
    question = ("explain", "get", "/api/products/7?full=1", "--header", "X-User: u1", "--json")
    online = gateway.run(*question)
    assert online.status == 0
    assert (online.document["route"], online.document["subject"]) == ("products-get", "u1")
    assert online.document["arm"] == arm(gateway)
    run_json = gateway.state / "run.json"
    text = run_json.read_text()
    run_json.write_text(text.replace(json.loads(text)["admin"], "127.0.0.1:1"))  # control is not to be found
    try:
        offline = gateway.run(*question)
    finally:
        run_json.write_text(text)
    assert "by the last snapshot" in offline.err
    assert (offline.status, offline.document) == (0, online.document)


def test_explain_gives_the_reason_in_words(gateway: Gateway) -> None:
    ran = gateway.run("explain", "GET", "/nothing")
    assert ran.out.startswith("monolith (monolith)\n")
    assert "no route takes it" in ran.out


def test_routes_shows_flag_and_traffic(gateway: Gateway) -> None:
    gateway.run("flip", "products-get", "canary", "--weight", "5", "--reason", "a first one")
    for _ in range(5):
        arm(gateway)
    deadline = time.monotonic() + 10
    while not any(item["live"]["requests"] for item in gateway.run("routes", "--json").document["items"]):
        assert time.monotonic() < deadline, "workers report once a second"
    ran = gateway.run("routes")
    line = next(line for line in ran.out.splitlines() if line.lstrip().startswith("products-get"))
    assert "GET /api/products/{id}" in line
    assert "catalog" in line
    assert "canary" in line
    assert "5.00 %" in line
    assert " ms " in line
    assert "any /api/orders/…" in ran.out


def test_history_has_author_and_reason_newest_first(gateway: Gateway) -> None:
    gateway.run("flip", "products-get", "service", "--reason", "it is ready", "--author", "ada@mill")
    items = gateway.run("history", "products-get", "--json").document["items"]
    assert (items[0]["author"], items[0]["reason"], items[0]["route"]) == ("ada@mill", "it is ready", "products-get")
    text = gateway.run("history", "--limit", "1").out
    assert "ada@mill" in text
    assert "monolith → service" in text
    assert "no change of «nowhere» is in the history" in gateway.run("history", "nowhere").out


def test_config_reload_adopts_a_good_file_and_refuses_a_bad_one_whole(gateway: Gateway) -> None:
    good = gateway.config.read_text()
    try:
        gateway.config.write_text(good.replace("name: orders", "name: ordering"))
        assert gateway.run("config", "reload", "--json").document["changed"] is True
        gateway.config.write_text(good.replace("prefix: /api/orders", "prefix: orders"))
        ran = gateway.run("config", "reload")
        assert ran.status == 2
        assert "routes[2].match.prefix" in ran.err
        names = [item["name"] for item in gateway.run("routes", "--json").document["items"]]
        assert "ordering" in names
    finally:
        gateway.config.write_text(good)
        assert gateway.run("config", "reload").status == 0


def test_config_show_says_which_file(gateway: Gateway) -> None:
    assert gateway.run("config", "show").document["source"] == str(gateway.config)


def test_the_gateway_is_found_by_its_admin_address_too(gateway: Gateway) -> None:
    admin = json.loads((gateway.state / "run.json").read_text())["admin"]
    assert strangler("routes", "--admin", admin, "--json").status == 0


@pytest.mark.parametrize(
    ("arguments", "status", "message"),
    [
        (("flip", "catalgo", "service", "--reason", "x"), 2, "catalog"),
        (("flip", "orders", "service", "--reason", "x"), 1, "service"),
        (("flip", "catalog", "retired", "--reason", "x"), 1, "not available yet"),
        (("flip", "catalog", "shadow", "--weight", "5", "--reason", "x"), 2, "canary only"),
        (("flip", "catalog", "canary", "--weight", "101", "--reason", "x"), 2, "0 to 100"),
        (("flip", "catalog", "sideways", "--reason", "x"), 2, "sideways"),
        (("flip", "catalog", "service"), 2, "--reason"),
        (("flip", "catalog", "service", "--reason", ""), 2, "reason"),
        (("kill", "prodcuts-get", "--reason", "x"), 2, "did you mean products-get"),
        (("kill", "catch-all", "--reason", "x"), 2, "always goes to the monolith"),
        (("explain", "GET", "api"), 2, "must begin with a slash"),
        (("explain", "GET", "/", "--header", "nonsense"), 2, '--header "Name: value"'),
        (("explain", "GET", "/", "--client", "nowhere"), 2, "client"),
        (("history", "--limit", "0"), 2, "limit"),
    ],
)
def test_a_wish_that_cannot_be_granted_is_refused_with_the_reason(
    gateway: Gateway, arguments: tuple[str, ...], status: int, message: str
) -> None:
    ran = gateway.run(*arguments)
    assert message in ran.err
    assert "line 0" not in ran.err
    assert "body." not in ran.err
    assert (ran.status, ran.out) == (status, "")


def test_status_without_control_shows_what_the_supervisor_knows(gateway: Gateway) -> None:
    run_json = gateway.state / "run.json"
    text = run_json.read_text()
    run_json.write_text(text.replace(json.loads(text)["admin"], "127.0.0.1:1"))
    try:
        ran = gateway.run("status", "--json")
    finally:
        run_json.write_text(text)
    assert ran.status == 1
    assert ran.document["control"] == "lost"
    assert [worker["ready"] for worker in ran.document["workers"]] == [True, True]
