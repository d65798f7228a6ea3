"""Spans of a real worker, at a collector that takes OTLP: their parents, what they say, and what a dead one costs."""

import re

import pytest
from opentelemetry.proto.trace.v1.trace_pb2 import Span, Status

from strangler.model.telemetry import TraceSettings
from support.bench import Bench
from support.collector import Collector, attributes, collector
from support.processes import free_port
from support.raw_http import Message, RawUpstream, once, request, response, wait_until

TRACE, PARENT = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
SAMPLED = f"traceparent: 00-{TRACE}-{PARENT}-01"
TRACEPARENT = re.compile(rb"00-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})")


def everything(found: Collector) -> TraceSettings:
    return TraceSettings(found.url, 1.0)


def asked(upstream: RawUpstream) -> Message:
    (message,) = upstream.requests
    return message


def the_span(found: Collector) -> Span:
    wait_until(lambda: found.spans != [], "a span at the collector")
    (span,) = found.spans
    return span


def test_a_sampled_request_is_a_span_between_its_client_and_the_application(bench: Bench) -> None:
    with collector() as found, bench.upstream(trace=TraceSettings(found.url, 0.0, "edge")) as upstream:
        answer = bench.ask(
            request("POST", "/a/b?secret=1", SAMPLED, "tracestate: x=1,y=2", "X-Request-ID: t-1", body=b"abc")
        )
        assert answer.status == 200
        span = the_span(found)
        received = asked(upstream)
    assert received.value("traceparent") == f"00-{TRACE}-{span.span_id.hex()}-01".encode()
    assert received.value("tracestate") == b"x=1,y=2"
    assert (span.trace_id.hex(), span.parent_span_id.hex(), span.trace_state) == (TRACE, PARENT, "x=1,y=2")
    assert (span.name, span.kind) == ("POST catch-all", Span.SPAN_KIND_SERVER)
    assert span.status.code == Status.STATUS_CODE_UNSET
    assert 0 < span.end_time_unix_nano - span.start_time_unix_nano < 10**10
    said = attributes(span)
    assert said.pop("strangler.revision") >= 1
    assert said == {
        "http.request.method": "POST",
        "url.scheme": "http",
        "url.path": "/a/b",
        "server.address": "shop.example",
        "network.protocol.version": "1.1",
        "http.response.status_code": 200,
        "http.request.body.size": 3,
        "http.response.body.size": len(answer.body),
        "http.route": "/",
        "strangler.request_id": "t-1",
        "strangler.attempts": 1,
        "strangler.route": "catch-all",
        "strangler.arm": "monolith",
        "strangler.reason": "no_route",
        "strangler.endpoint": f"127.0.0.1:{upstream.port}",
    }
    assert (found.services, found.paths) == ({"edge"}, ["/v1/traces"])


def test_a_request_without_a_trace_begins_one_by_chance(bench: Bench) -> None:
    with collector() as found, bench.upstream(trace=everything(found)) as upstream:
        bench.ask(request("GET", "/x", "X-Request-ID: root"))
        span = the_span(found)
        assert asked(upstream).value("traceparent") == f"00-{span.trace_id.hex()}-{span.span_id.hex()}-01".encode()
        assert bench.entry("root")["trace_id"] == span.trace_id.hex()
    assert span.parent_span_id == b""


@pytest.mark.parametrize("flags", ["00", "02"])
def test_a_client_that_is_not_sampled_has_no_span_and_its_parent_goes_on(bench: Bench, flags: str) -> None:
    given = f"00-{TRACE}-{PARENT}-{flags}"
    with collector() as found, bench.upstream(trace=everything(found)) as upstream:
        bench.ask(request("GET", "/not-sampled", f"traceparent: {given}"))
        assert asked(upstream).value("traceparent") == given.encode()
        bench.ask(request("GET", "/sampled", SAMPLED))
        assert attributes(the_span(found))["url.path"] == "/sampled"


def test_a_share_of_nothing_begins_no_trace(bench: Bench) -> None:
    with collector() as found, bench.upstream(trace=TraceSettings(found.url, 0.0)) as upstream:
        bench.ask(request("GET", "/root"))
        match = TRACEPARENT.fullmatch(asked(upstream).value("traceparent") or b"")
        assert match is not None
        assert match[3] == b"00"
        bench.ask(request("GET", "/sampled", SAMPLED))
        assert attributes(the_span(found))["url.path"] == "/sampled"


def test_a_failure_of_the_application_is_the_spans_error(bench: Bench) -> None:
    with collector() as found, bench.upstream(once(b"", then="close"), trace=everything(found)):
        assert bench.ask(request("GET", "/x", SAMPLED)).status == 502
        span = the_span(found)
    assert (span.status.code, span.status.message) == (Status.STATUS_CODE_ERROR, "head.upstream")
    assert attributes(span)["error.type"] == "head.upstream"
    assert attributes(span)["http.response.status_code"] == 502


def test_an_applications_own_error_is_an_error_and_a_clients_is_none(bench: Bench) -> None:
    with collector() as found, bench.upstream(once(response(status=500)), trace=everything(found)):
        bench.ask(request("GET", "/x"))
        assert the_span(found).status.message == "status 500"
    with collector() as found, bench.upstream(once(response(status=404)), trace=everything(found)):
        bench.ask(request("GET", "/x"))
        assert the_span(found).status.code == Status.STATUS_CODE_UNSET


def dropped(bench: Bench) -> float:
    counters = {(name, labels): value for name, labels, value in bench.rig.next_traffic().counters}
    return counters.get(("strangler_trace_spans_dropped_total", ("collector",)), 0)


@pytest.mark.parametrize("is_there", [False, True], ids=["nobody listens", "it refuses"])
def test_a_dead_collector_costs_spans_and_nothing_else(bench: Bench, is_there: bool) -> None:
    with collector() as found:
        found.status = 400
        url = found.url if is_there else f"http://127.0.0.1:{free_port()}"
        before = dropped(bench)
        with bench.upstream(trace=TraceSettings(url, 1.0)), bench.client() as client:
            for _ in range(20):
                assert client.ask(request("GET", "/x", SAMPLED)).status == 200
        wait_until(lambda: dropped(bench) == before + 20, "20 spans are dropped, and counted", within=30)
    assert bench.rig.process is not None
    assert b"spans cannot be sent to the collector of traces" in bench.rig.log.read_bytes()
