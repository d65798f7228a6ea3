"""`/status` says in a few figures how the gateway does: its last minute, and the endpoints that are in trouble."""

from strangler.model.messages import LATENCY_BOUNDS, Series, Status, Traffic
from strangler.telemetry.families.upstreams import BREAKERS, EJECTED, UNHEALTHY


def test_the_last_minute_of_all_routes_and_workers_is_one_line(supervisor, control, workers, until) -> None:
    quick, slow = [0] * (len(LATENCY_BOUNDS) + 1), [0] * (len(LATENCY_BOUNDS) + 1)
    quick[0], slow[LATENCY_BOUNDS.index(0.25)] = 95, 5
    series = (
        Series("products-get", "service", ((200, 95),), (("stage_service", 95),), tuple(quick), 0.05),
        Series("legacy", "monolith", ((200, 2), (502, 3)), (("stage_monolith", 5),), tuple(slow), 1.0),
    )
    nothing = control.get("/status")["traffic"]
    assert nothing == {"window_seconds": 60, "requests": 0, "errors": 0, "p50_ms": None, "p99_ms": None}
    for slot in (0, 1):
        worker = workers.join(slot)
        worker.send(Status(1, accepting=True, connections=0, in_flight=0, kills=0))
        worker.send(Traffic(series, ()))
    until(lambda: control.get("/status")["traffic"]["requests"] == 200, "both reports")
    traffic = control.get("/status")["traffic"]
    assert traffic["errors"] == 6
    assert traffic["p50_ms"] < 1
    assert 150 < traffic["p99_ms"] <= 250


def test_endpoints_that_workers_do_not_send_to_are_named(supervisor, control, workers, until) -> None:
    where = ("catalog", "127.0.0.1:9002")
    for slot in (0, 1):
        gauges = (
            (BREAKERS.name, (*where, "closed"), slot),
            (BREAKERS.name, (*where, "open"), 1 - slot),
            (BREAKERS.name, (*where, "half_open"), 0),
            (EJECTED.name, where, 0),
            (UNHEALTHY.name, where, 1),
        )
        workers.join(slot).send(Traffic((), (), gauges=gauges))
    expected = [
        {"upstream": where[0], "endpoint": where[1], "trouble": "breaker open", "workers": 1},
        {"upstream": where[0], "endpoint": where[1], "trouble": "unhealthy", "workers": 2},
    ]
    until(lambda: control.get("/status")["troubled"] == expected, "both reports")
