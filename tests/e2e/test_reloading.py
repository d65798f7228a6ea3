"""A new configuration is taken without dropping a connection, by a signal as by the API; a bad one changes nothing."""

import signal
import time
from collections.abc import Callable

from e2e.conftest import Arms
from e2e.scale import Scale, at_every_scale
from support.gateway import Gateway
from support.load import Plan, Request, background
from support.raw_http import Client, request, wait_until

REQUESTS = (
    Request("/items/1"),
    Request("/prices", method="POST", body='{"amount": "12.90"}'),
    Request("/slow?ms=120"),
    Request("/echo", method="PUT", body="x" * 5000),
)
SPACING = 0.2
"""Seconds between two reloads."""


@at_every_scale
def test_reloads_under_load_fail_no_request(
    scale: Scale, own_gateway: Gateway, arms: Arms, figure: Callable[[str], None]
) -> None:
    gateway = own_gateway
    kept = Plan(gateway.url, REQUESTS, scale.rate / 2, 10 * scale.reloads, name="kept")
    fresh = Plan(gateway.url, REQUESTS, scale.rate / 2, 10 * scale.reloads, keep_alive=False, name="fresh")
    with Client(gateway.place.listen) as client, background(kept) as first, background(fresh) as second:
        began = time.monotonic()
        for number in range(scale.reloads):
            time.sleep(max(0.0, began + number * SPACING - time.monotonic()))
            before = gateway.get("/status")["revision"]
            gateway.place.config.write_text(changed(arms, number))
            if number % 2:
                assert gateway.admin.post("/config/reload", json={}).json()["missing"] == []
            else:
                gateway.process.signal(signal.SIGHUP)
            wait_until(lambda then=before: every_worker_is_beyond(gateway, then), "every worker has the new revision")
            assert client.ask(request("GET", "/items")).status == 200, "the connection is still there"
        took = time.monotonic() - began
        loads = [first.stop(), second.stop()]
    for load in loads:
        assert load.failures == ()
        assert load.statuses == {200: len(load.results)}
    total = sum(len(load.results) for load in loads)
    figure(f"{scale.reloads} reloads in {took:.1f} s, half of them by SIGHUP: {total} requests, 0 failed")


def changed(arms: Arms, number: int) -> str:
    """A configuration that is another for each number: a route more, other bounds, and upstreams that come and go."""
    route = f"  - name: new-{number}\n    match: {{prefix: /new-{number}}}\n"
    upstream = f'  other-{number}: {{endpoints: ["{arms.service.url}"], max_connections: {100 + number}}}\n'
    text = arms.config.replace("upstreams:\n", f"upstreams:\n{upstream}") + route
    return text.replace("workers: 2", f"workers: 2, limits: {{header_count: {60 + number}}}")


def every_worker_is_beyond(gateway: Gateway, revision: int) -> bool:
    status = gateway.get("/status")
    return bool(status["revision"] > revision) and all(
        worker["revision"] == status["revision"] for worker in status["workers"]
    )


def test_a_bad_file_is_refused_whole_with_every_line_in_the_log_and_the_next_good_one_is_taken(
    own_gateway: Gateway, arms: Arms
) -> None:
    gateway = own_gateway
    before = gateway.get("/config")
    family = {process.pid for process in gateway.family()}
    gateway.place.config.write_text(changed(arms, 1) + "  - name: items\n    match: {prefx: /other}\n")
    gateway.process.signal(signal.SIGHUP)
    wait_until(lambda: "is refused as a whole" in gateway.process.output(), "the refusal is in the log")
    assert "prefx" in gateway.process.output()
    assert gateway.get("/config") == before
    assert gateway.ask("/items/1")["arm"] == "monolith"

    gateway.place.config.write_text(changed(arms, 2))
    gateway.process.signal(signal.SIGHUP)
    wait_until(lambda: gateway.get("/config")["routes"] == before["routes"] + 1, "the good one is in force")
    assert {process.pid for process in gateway.family()} == family, "no process was replaced"
    history = gateway.get("/history", limit=5)["items"]
    assert ("config", "SIGHUP") in {(row["action"], row["author"]) for row in history}


def test_a_signal_changes_nothing_where_nothing_has_changed(own_gateway: Gateway) -> None:
    gateway = own_gateway
    revision = gateway.get("/status")["revision"]
    gateway.process.signal(signal.SIGHUP)
    wait_until(lambda: "nothing has changed" in gateway.process.output(), "control says so")
    assert gateway.get("/status")["revision"] == revision
