"""What Prometheus and `routes` see of real reports over the real link."""

from pathlib import Path

from prometheus_client.parser import text_string_to_metric_families

from strangler.control.metrics_reference import metrics_reference
from strangler.model.messages import LATENCY_BOUNDS, PoolState, Series, Status, Traffic
from strangler.telemetry.families import FAMILIES


def scrape(control) -> dict[tuple, float]:
    """Samples by name and sorted labels."""
    text = control.api.get("/metrics").text
    return {
        (sample.name, *sorted(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def test_counts_of_two_workers_are_shown_together(supervisor, control, workers, until) -> None:
    buckets = (95, *[0] * (len(LATENCY_BOUNDS) - 1), 5)
    series = (
        Series("products-get", "service", ((200, 99), (502, 1)), (("stage_service", 100),), buckets, 12.5, 30, 70),
        Series("products-get", "monolith", ((200, 98), (0, 2)), (("killed", 100),), buckets, 1.0),
    )
    pools = (PoolState("catalog", "127.0.0.1:9002", 3, 2, 1, 7),)
    for slot in (0, 1):
        worker = workers.join(slot)
        worker.send(Status(1, accepting=slot == 0, connections=4, in_flight=2, kills=0))
        counters = (("strangler_client_connections_refused_total", ("cap",), 2),)
        worker.send(Traffic(series, pools, (("connect.upstream", 3),), counters))
    supervisor.record(("products-get",), "bob", "r")
    requests = ("strangler_requests_total", ("arm", "service"), ("route", "products-get"))
    until(lambda: scrape(control).get((*requests, ("status", "200"), ("status_class", "2xx"))) == 198, "both reports")
    until(lambda: control.get("/status")["kills"], "the kill")
    found = scrape(control)
    assert found[(*requests, ("status", "502"), ("status_class", "5xx"))] == 2
    route, arm = ("route", "products-get"), ("arm", "service")
    gone = ("strangler_requests_total", ("arm", "monolith"), route, ("status", "0"), ("status_class", "none"))
    assert found[gone] == 4
    assert found["strangler_decisions_total", ("arm", "monolith"), ("reason", "killed"), route] == 200
    assert found["strangler_request_duration_seconds_bucket", arm, ("le", "0.001"), route] == 190
    assert found["strangler_request_duration_seconds_bucket", arm, ("le", "10.0"), route] == 190
    assert found["strangler_request_duration_seconds_bucket", arm, ("le", "+Inf"), route] == 200
    assert found["strangler_request_duration_seconds_count", arm, route] == 200
    assert found["strangler_request_duration_seconds_sum", arm, route] == 25
    assert found["strangler_body_bytes_total", arm, ("direction", "in"), route] == 60
    assert found["strangler_body_bytes_total", arm, ("direction", "out"), route] == 140
    assert found["strangler_control_cpu_seconds_total",] > 0
    assert found["strangler_control_memory_bytes",] > 10_000_000
    assert found["strangler_failures_total", ("culprit", "upstream"), ("stage", "connect")] == 6
    endpoint = ("endpoint", "127.0.0.1:9002")
    assert found["strangler_upstream_connections", endpoint, ("state", "idle"), ("upstream", "catalog")] == 6
    assert found["strangler_upstream_connections_opened_total", endpoint, ("upstream", "catalog")] == 14
    assert found["strangler_client_connections_refused_total", ("reason", "cap")] == 4
    assert (found["strangler_worker_ready", ("slot", "0")], found["strangler_worker_ready", ("slot", "1")]) == (1, 0)
    assert found["strangler_worker_revision", ("slot", "0")] == found["strangler_revision",] == 1
    assert found["strangler_route_killed", route] == 1
    assert found["strangler_supervisor_connected",] == 1

    live = {item["name"]: item["live"] for item in control.get("/routes")["items"]}["products-get"]
    assert (live["requests"], live["service_share"]) == (400, 0.5)
    assert live["service"] == {"requests": 200, "p95_ms": 1.0, "errors": 2}
    assert live["monolith"] == {"requests": 200, "p95_ms": 1.0, "errors": 0}


def test_weights_are_shown_by_stage(supervisor, control, workers) -> None:
    workers.join(0)
    workers.join(1)
    control.flip("products-list", "service")
    control.flip("products-get", "canary", weight="0.05")
    found = scrape(control)
    assert found["strangler_route_weight_percent", ("route", "products-list"), ("stage", "service")] == 100
    assert found["strangler_route_weight_percent", ("route", "products-get"), ("stage", "canary")] == 0.05
    assert found["strangler_route_weight_percent", ("route", "catch-all"), ("stage", "monolith")] == 0


def test_every_declared_family_is_there_from_the_first_scrape(control) -> None:
    text = control.api.get("/metrics").text
    declared = {(family.name, family.kind) for family in FAMILIES}
    assert {tuple(line.split()[2:4]) for line in text.splitlines() if line.startswith("# TYPE")} == declared


def test_the_reference_page_is_current() -> None:
    page = Path(__file__).parents[3] / "docs" / "reference" / "metrics.md"
    made = metrics_reference()
    assert page.read_text() == made, "run: python -m strangler.control.metrics_reference > docs/reference/metrics.md"
