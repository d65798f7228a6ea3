"""What the worker says it did is what happened: one log line and one count for each request, with its failure."""

from collections import Counter
from pathlib import Path

import pytest

from strangler.model.route import PathKind, Route, RouteMatch, Timeouts
from support.bench import Bench
from support.bench import bench as running_bench
from support.processes import free_port
from support.raw_http import Conversation, Script, answer_all, in_turn, once, request, response, wait_until

SHORT = Timeouts(response=0.3, idle=0.3)


def silent(conversation: Conversation) -> None:
    conversation.request()
    conversation.wait_for_end()


def unread(conversation: Conversation) -> None:
    conversation.head()
    conversation.wait_for_end()


BROKEN = once(response("Content-Length: 100", body=None) + b"half", then="close")
STALLED = once(response("Content-Length: 100", body=None) + b"half")
GET = request("GET", "/x", "X-Request-ID: {id}")
UPLOAD = request("POST", "/x", "X-Request-ID: {id}", "Content-Length: 100") + b"x" * 10

CASES: dict[str, tuple[Script, bytes, int, str]] = {
    "success": (answer_all, request("GET", "/x?secret=1", "X-Request-ID: {id}"), 200, ""),
    "an application's own error": (once(response(status=500)), GET, 500, ""),
    "no answer": (once(b"", then="close"), GET, 502, "head.upstream"),
    "a doubtful answer": (once(b"HTTP/1.1 20 x\r\n\r\n"), GET, 502, "framing.upstream"),
    "a late answer": (silent, GET, 504, "head_timeout.upstream"),
    "a broken answer": (BROKEN, GET, 200, "body.upstream"),
    "a stalled answer": (STALLED, GET, 200, "body_timeout.upstream"),
    "a stalled upload": (unread, UPLOAD, 408, "request_timeout.client"),
    "a doubtful upload": (
        unread,
        request("POST", "/x", "X-Request-ID: {id}", "Transfer-Encoding: chunked") + b"zz\r\n",
        400,
        "request.client",
    ),
}  # fmt: skip


def test_each_request_is_one_line_and_one_count_with_its_failure(tmp_path: Path) -> None:
    statuses: Counter[int] = Counter()
    failures: Counter[str] = Counter()
    with running_bench(tmp_path) as bench:
        for number, (name, (script, sent, status, failure)) in enumerate(CASES.items()):
            request_id = f"case-{number}"
            with bench.upstream(script, timeouts=SHORT) as upstream, bench.client() as client:
                client.send(sent.replace(b"{id}", request_id.encode()))
                entry = bench.entry(request_id)
                assert (entry["status"], entry.get("failure", "")) == (status, failure), name
                assert (entry["path"], entry["route"], entry["arm"]) == ("/x", "catch-all", "monolith"), name
                assert entry["endpoint"] == f"127.0.0.1:{upstream.port}", name
                assert entry["client"] == "127.0.0.1"
                assert entry["duration_ms"] >= 0
            statuses[status] += 1
            failures.update([failure] if failure else [])
        traffic = bench.rig.next_traffic()
    [series] = traffic.series
    assert dict(series.statuses) == statuses
    assert sum(series.buckets) == len(CASES)
    assert dict(series.reasons) == {"no_route": len(CASES)}
    assert dict(traffic.failures) == failures
    assert len(bench.rig.access_log.read_bytes().splitlines()) == len(CASES)


def test_a_client_that_leaves_is_counted_with_status_zero(bench: Bench) -> None:
    with bench.upstream(silent) as upstream, bench.client() as client:
        client.send(request("GET", "/x", "X-Request-ID: left"))
        wait_until(lambda: len(upstream.requests) == 1, "it is asked")
        client.close()
        entry = bench.entry("left")
        assert (entry["status"], entry["failure"]) == (0, "gone.client")


def test_an_unreachable_application_is_logged_without_hiding_the_route(bench: Bench) -> None:
    bench.point(free_port())
    assert bench.ask(request("GET", "/x", "X-Request-ID: refused")).status == 502
    entry = bench.entry("refused")
    assert (entry["status"], entry["failure"], entry["route"]) == (502, "connect.upstream", "catch-all")


def test_bytes_are_counted_both_ways_as_content(bench: Bench) -> None:
    with bench.upstream(once(response(body=b"y" * 777))):
        bench.ask(request("POST", "/x", "X-Request-ID: sized", body=b"x" * 555))
        entry = bench.entry("sized")
        assert (entry["bytes_in"], entry["bytes_out"]) == (555, 777)


def test_a_retried_request_is_one_request(bench: Bench) -> None:
    def stale(conversation: Conversation) -> None:
        conversation.request()
        conversation.send(response())
        conversation.request()

    with bench.upstream(in_turn(stale, answer_all)) as upstream, bench.client() as client:
        client.ask(request("GET", "/x"))
        assert client.ask(request("GET", "/x", "X-Request-ID: twice")).status == 200
        assert len(upstream.requests) == 3
        entry = bench.entry("twice")
        assert (entry["status"], "failure" in entry) == (200, False)


def test_a_pipeline_is_as_many_lines_as_requests(bench: Bench) -> None:
    with bench.upstream(), bench.client() as client:
        client.send(b"".join(request("GET", "/x", f"X-Request-ID: pipe-{n}") for n in range(10)))
        for number in range(10):
            assert client.answer().status == 200
            assert bench.entry(f"pipe-{number}")["status"] == 200


STRICT = Route("shelves", RouteMatch("/shelves", PathKind.PREFIX), module="m", group="m", monolith="monolith")
AMBIGUOUS = ["/shelves//a", "/shelves/../a", "/x/../shelves/a", "/shelves/%2e%2e/a", "/shelves%2fa", "/%73helves/%2F",
             "/shelves;v=1/a", "/shelves/a%00", "/shelves/%252e%252e/a", "/shelves\\a", "/shelves/./a", "//shelves/a",
             "/shelves/a%0d%0aX:y", "/shelves/%zz"]  # fmt: skip


@pytest.mark.parametrize("target", AMBIGUOUS)
def test_an_ambiguous_path_is_refused_by_a_strict_route_and_passed_unchanged_by_the_catch_all(
    bench: Bench, target: str
) -> None:
    with bench.upstream(routes=(STRICT,)) as upstream:
        answer = bench.ask(request("GET", target, "X-Request-ID: strict"))
        assert (answer.status, answer.value("connection")) == (400, b"close")
        assert upstream.received() == b""
    with bench.upstream() as upstream:
        assert bench.ask(request("GET", target)).status == 200
        assert upstream.targets() == [target.encode()]


@pytest.mark.parametrize("target", ["/shelves", "/shelves/a%20b", "/shelves/caf%C3%A9", "/shelves/a~b.c", "/other//a"])
def test_a_plain_path_is_never_refused(bench: Bench, target: str) -> None:
    with bench.upstream(routes=(STRICT,)) as upstream:
        assert bench.ask(request("GET", target)).status == 200
        assert upstream.targets() == [target.encode()]


def test_a_header_name_with_an_underscore_is_refused_by_a_strict_route_only(bench: Bench) -> None:
    with bench.upstream(routes=(STRICT,)) as upstream:
        assert bench.ask(request("GET", "/shelves", "X_User: 1")).status == 400
        assert bench.ask(request("GET", "/other", "X_User: 1")).status == 200
        assert upstream.targets() == [b"/other"]
