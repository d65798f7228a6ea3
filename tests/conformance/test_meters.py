"""What a real worker reports to control: only what is declared, with the labels that are declared, and true."""

import os
import signal

from strangler.model.messages import Traffic
from strangler.model.snapshot import Limits
from strangler.telemetry.families import BY_NAME
from support.bench import Bench
from support.raw_http import once, request, response


def value(traffic: Traffic, name: str, *labels: str) -> float:
    found = [
        value for reported, given, value in (*traffic.counters, *traffic.gauges) if (reported, given) == (name, labels)
    ]
    assert len(found) == 1, (name, labels, found)
    return found[0]


def test_whatever_a_worker_reports_is_declared(bench: Bench) -> None:
    with bench.upstream():
        bench.ask(request("GET", "/x"))
        bench.ask(b"nonsense\r\n\r\n")
        traffic = bench.rig.next_traffic()
    kinds: list[tuple[str, tuple[tuple[str, tuple[str, ...]], ...]]] = [
        ("counter", tuple(reading[:2] for reading in traffic.counters)),
        ("gauge", tuple(reading[:2] for reading in traffic.gauges)),
        ("histogram", tuple(reading[:2] for reading in traffic.distributions)),
    ]
    assert all(readings for _, readings in kinds)
    for kind, readings in kinds:
        assert len(set(readings)) == len(readings)
        for name, labels in readings:
            family = BY_NAME[name]
            assert (family.kind, len(family.worker_labels)) == (kind, len(labels)), name


def test_bytes_are_counted_by_route_and_arm(bench: Bench) -> None:
    def counted() -> tuple[int, int]:
        (series,) = bench.rig.next_traffic().series
        return series.bytes_in, series.bytes_out

    with bench.upstream(once(response(body=b"y" * 700))):
        before = counted()
        bench.ask(request("POST", "/x", body=b"x" * 300))
        after = counted()
    assert (after[0] - before[0], after[1] - before[1]) == (300, 700)


def test_a_worker_says_what_it_uses(bench: Bench) -> None:
    first, second = bench.rig.next_traffic(), bench.rig.next_traffic()

    def cpu(traffic: Traffic) -> float:
        return value(traffic, "strangler_worker_cpu_seconds_total")

    assert 0 < cpu(first) < cpu(second)
    assert value(second, "strangler_worker_memory_bytes") > 10_000_000


def test_the_age_of_a_snapshot_begins_anew_with_the_next(bench: Bench) -> None:
    name = "strangler_worker_snapshot_age_seconds"
    bench.point(9)
    old = bench.rig.next_traffic()
    older = bench.rig.next_traffic()
    assert value(old, name) < value(older, name)
    bench.point(9, limits=Limits(target_bytes=100))
    assert value(bench.rig.next_traffic(), name) < value(older, name) + 1


def test_a_process_that_stood_still_has_a_late_event_loop(bench: Bench) -> None:
    def late() -> int:
        name = "strangler_event_loop_lag_seconds"
        (buckets,) = [buckets for found, _, buckets, _ in bench.rig.next_traffic().distributions if found == name]
        return sum(buckets[BY_NAME[name].bounds.index(0.25) :])

    before = late()
    assert bench.rig.process is not None
    os.kill(bench.rig.process.pid, signal.SIGSTOP)
    with bench.client() as client:
        client.socket.settimeout(0.7)
        client.send(request("GET", "/x"))
        try:
            assert client.socket.recv(1) == b""
        except TimeoutError:
            pass
        finally:
            os.kill(bench.rig.process.pid, signal.SIGCONT)
    assert late() > before
