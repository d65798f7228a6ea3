"""The figures of a whole gateway: what Prometheus gets covers every worker, and no counter goes back when one dies."""

import json
import os
import signal
import time
import urllib.request
from collections.abc import Callable

from prometheus_client import Metric
from prometheus_client.parser import text_string_to_metric_families

from strangler.telemetry.families import FAMILIES

from .conftest import Gateway

Samples = dict[tuple[str, tuple[tuple[str, str], ...]], float]


def scrape(gateway: Gateway) -> list[Metric]:
    admin = json.loads((gateway.state / "run.json").read_text())["admin"]
    with urllib.request.urlopen(f"http://{admin}/metrics", timeout=10) as answer:
        return list(text_string_to_metric_families(answer.read().decode()))


def samples(metrics: list[Metric], *kinds: str) -> Samples:
    return {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for metric in metrics
        if metric.type in kinds
        for sample in metric.samples
    }


def ask(gateway: Gateway, count: int) -> None:
    """On a connection of its own each, so that every worker gets some."""
    for _ in range(count):
        with urllib.request.urlopen(f"{gateway.url}/api/products/7", timeout=10) as answer:
            assert answer.status == 200


def until(condition: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < deadline, what
        time.sleep(0.1)


def requests(gateway: Gateway) -> float:
    found = samples(scrape(gateway), "counter")
    return sum(value for (name, _), value in found.items() if name == "strangler_requests_total")


def test_every_worker_says_how_it_is(gateway: Gateway) -> None:
    def present() -> bool:
        found = samples(scrape(gateway), "counter", "gauge", "histogram")
        wanted = {
            (family.name + ("_count" if family.kind == "histogram" else ""), (("slot", slot),))
            for family in FAMILIES
            if family.labels == ("slot",) and family.name != "strangler_event_loop_blocked_total"
            for slot in ("0", "1")
        }
        return wanted <= set(found)

    until(present, "every metric of a worker, for both workers")


def test_no_counter_goes_back_when_a_worker_dies(gateway: Gateway) -> None:
    ask(gateway, 20)
    until(lambda: requests(gateway) >= 20, "20 requests are counted")
    before = samples(scrape(gateway), "counter", "histogram")
    victim = gateway.run("status", "--json").document["workers"][0]
    os.kill(victim["pid"], signal.SIGKILL)

    def is_replaced() -> bool:
        worker = gateway.run("status", "--json").document["workers"][0]
        return bool(worker["ready"] and worker["pid"] != victim["pid"])

    until(is_replaced, "the worker is replaced")
    counted = requests(gateway)
    ask(gateway, 20)
    until(lambda: requests(gateway) >= counted + 20, "20 requests more are counted")
    after = samples(scrape(gateway), "counter", "histogram")
    assert {key: (value, after.get(key)) for key, value in before.items() if after.get(key, -1) < value} == {}
    assert after["strangler_worker_restarts_total", (("slot", "0"),)] == 1
