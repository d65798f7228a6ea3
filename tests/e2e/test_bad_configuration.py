"""A configuration that is wrong changes nothing, whatever the load; one that is right changes what it says."""

import os
import signal

import httpx

from e2e.conftest import Arms
from support.gateway import Gateway
from support.load import Plan, Request, background
from support.raw_http import wait_until

BROKEN = """\
monolith: {monolith}
upstreams:
  service: {{endpoints: ["{service}"]}}
routes:
  - {{name: items, match: {{prefix: /items}}, module: catalog, service: nowhere}}
  - {{name: items, match: {{prefix: /other}}, module: catalog}}
"""
MORE = "  - {name: books, match: {prefix: /books}, module: catalog, service: service}\n"
REQUESTS = (Request("/items/1"), Request("/notes/1"), Request("/elsewhere"))


def test_a_broken_file_is_refused_with_its_lines_and_nothing_changes_under_load(gateway: Gateway, arms: Arms) -> None:
    gateway.flip("catalog", "service")
    before = gateway.get("/status"), gateway.get("/routes")
    with background(Plan(gateway.url, REQUESTS, rate=200, seconds=60)) as load:
        for _ in range(10):
            gateway.place.config.write_text(BROKEN.format(monolith=arms.monolith.url, service=arms.service.url))
            refusal = gateway.admin.post("/config/reload", json={})
            assert refusal.status_code == 422, refusal.text
            problems = refusal.json()["problems"]
            assert {problem["line"] for problem in problems} == {5, 6}, problems
            assert "nowhere" in problems[0]["message"]
        after = gateway.get("/status"), gateway.get("/routes")
        summary = load.stop()
    assert after[0]["revision"] == before[0]["revision"]
    assert after[0]["topology"] == before[0]["topology"]
    assert [route["stage"] for route in after[1]["items"]] == [route["stage"] for route in before[1]["items"]]
    assert summary.failures == ()
    served = {(result.target, result.status, result.arm) for result in summary.results}
    assert served == {("/items/1", 200, "service"), ("/notes/1", 200, "monolith"), ("/elsewhere", 200, "monolith")}


def test_a_good_file_is_adopted_under_load_and_flags_stay(gateway: Gateway, arms: Arms) -> None:
    gateway.flip("catalog", "service")
    with background(Plan(gateway.url, REQUESTS, rate=200, seconds=60)) as load:
        gateway.place.config.write_text(arms.config + MORE)
        answer = gateway.admin.post("/config/reload", json={"author": "ada", "reason": "books are next"})
        assert answer.status_code == 200, answer.text
        assert (answer.json()["changed"], answer.json()["missing"]) == (True, [])
        assert gateway.flip("books", "service")["missing"] == []
        assert gateway.ask("/books/1")["arm"] == "service"
        summary = load.stop()
    assert summary.failures == ()
    assert {result.arm for result in summary.results if result.target == "/items/1"} == {"service"}


def test_a_control_that_finds_a_broken_file_leaves_the_workers_alone_until_it_is_mended(
    gateway: Gateway, arms: Arms
) -> None:
    gateway.flip("catalog", "service")
    gateway.place.config.write_text("monolith: [")
    with background(Plan(gateway.url, REQUESTS, rate=100, seconds=60)) as load:
        os.kill(gateway.roster().control_pid, signal.SIGKILL)
        wait_until(lambda: "control ended with exit status 2" in gateway.process.output(), "the new control refuses")
        assert httpx.get(gateway.ready_url, trust_env=False).status_code == 200
        gateway.place.config.write_text(arms.config)
        gateway.wait_for_control()
        assert gateway.flip("notes", "service")["missing"] == []
        summary = load.stop()
    assert summary.failures == ()
    assert {result.arm for result in summary.results if result.target == "/items/1"} == {"service"}
    assert gateway.ask("/notes/1")["arm"] == "service"
