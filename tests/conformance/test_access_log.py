"""The access log of a real worker: every request has its line, those that never became one too."""

import json
import threading
from typing import Any

import pytest

from strangler.model.snapshot import Limits
from strangler.model.telemetry import LogSettings
from support.bench import Bench
from support.raw_http import Conversation, answer_all, in_turn, once, request, response, wait_until

REFUSED: list[tuple[str, bytes, int, str]] = [
    ("no HTTP", b"\x16\x03\x01\x02\x00\r\n\r\n", 400, "request.client"),
    ("a doubtful head", b"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", 400, "request.client"),
    ("a target that is too long", b"GET /" + b"x" * 400 + b" HTTP/1.1\r\nHost: a\r\n\r\n", 414, "request.client"),
    ("a head that is too long", request("GET", "/", "X-Long: " + "x" * 600), 431, "request.client"),
    ("half a head", b"GET / HTTP/1.1\r\nHost:", 408, "request_timeout.client"),
    ("another version", b"GET / HTTP/2.0\r\nHost: a\r\n\r\n", 505, "request.client"),
]


@pytest.mark.parametrize(
    ("sent", "status", "failure"), [case[1:] for case in REFUSED], ids=[case[0] for case in REFUSED]
)
def test_what_did_not_become_a_request_has_its_line_too(bench: Bench, sent: bytes, status: int, failure: str) -> None:
    bench.point(9, limits=Limits(target_bytes=300, header_bytes=512, header_timeout=0.3))
    with bench.client() as client:
        client.send(sent)
        answer = client.answer()
        assert answer.status == status
        request_id = json.loads(answer.body)["request_id"]
        entry = bench.entry(request_id)
    assert answer.value("x-request-id").decode() == request_id
    assert (entry["status"], entry["failure"], entry["client"]) == (status, failure, "127.0.0.1")


def test_a_request_that_was_sent_twice_has_two_attempts(bench: Bench) -> None:
    def stale(conversation: Conversation) -> None:
        conversation.request()
        conversation.send(response())
        conversation.request()

    with bench.upstream(in_turn(stale, answer_all)), bench.client() as client:
        client.ask(request("GET", "/x", "X-Request-ID: one-attempt"))
        client.ask(request("GET", "/x", "X-Request-ID: two-attempts"))
        assert bench.entry("one-attempt")["attempts"] == 1
        twice = bench.entry("two-attempts")
        assert (twice["attempts"], twice["recovered_from"]) == (2, "head.upstream")
        assert "recovered_from" not in bench.entry("one-attempt")


def test_the_first_byte_is_told_from_the_last(bench: Bench) -> None:
    def slow(conversation: Conversation) -> None:
        conversation.request()
        conversation.send(response("Content-Length: 2", body=None) + b"a")
        first_byte_came.wait(10)
        conversation.send(b"b")
        conversation.wait_for_end()

    first_byte_came = threading.Event()
    with bench.upstream(slow), bench.client() as client:
        client.send(request("GET", "/x", "X-Request-ID: slow-body"))
        client.wait_for(b"\r\n\r\na")
        first_byte_came.set()
        entry = bench.entry("slow-body")
    assert 0 < entry["first_byte_ms"] < entry["duration_ms"]
    assert entry["host"] == "shop.example"


def test_the_query_is_logged_only_where_it_is_asked_for_and_without_its_secrets(bench: Bench) -> None:
    def logged(request_id: str, log: LogSettings) -> dict[str, Any]:
        with bench.upstream(log=log):
            bench.ask(request("GET", "/x?a=1&token=s3cret", f"X-Request-ID: {request_id}", "User-Agent: me"))
            return bench.entry(request_id)

    assert {"query", "user_agent"}.isdisjoint(logged("without-query", LogSettings()))
    entry = logged("with-query", LogSettings(also=frozenset(("query", "user_agent"))))
    assert (entry["query"], entry["user_agent"]) == ("a=1&token=REDACTED", "me")
    assert b"s3cret" not in bench.rig.access_log.read_bytes()


def test_those_that_get_no_line_are_counted(bench: Bench) -> None:
    with bench.upstream(once(response()), log=LogSettings(sample=0)):
        bench.ask(request("GET", "/x", "X-Request-ID: sampled-out"))
    with bench.upstream(once(b"", then="close"), log=LogSettings(sample=0)):
        bench.ask(request("POST", "/x", "X-Request-ID: failed", body=b"x"))
        assert bench.entry("failed")["status"] == 502
    assert b"sampled-out" not in bench.rig.access_log.read_bytes()
    counters = {name: value for name, _, value in bench.rig.next_traffic().counters}
    assert counters["strangler_access_log_sampled_out_total"] == 1


def test_a_log_that_is_rotated_goes_on_in_a_new_file(bench: Bench) -> None:
    with bench.upstream() as _:
        bench.ask(request("GET", "/x", "X-Request-ID: before-rotation"))
        bench.entry("before-rotation")
        moved = bench.rig.access_log.rename(bench.rig.access_log.with_suffix(".1"))
        numbers = iter(range(10_000))

        def new_file() -> bool:
            bench.ask(request("GET", "/x", f"X-Request-ID: rotated-{next(numbers)}"))
            return bench.rig.access_log.exists()

        wait_until(new_file, "a new file, since the old one was moved away")
        asked = next(numbers)
        wait_until(lambda: _ids(moved) + _ids(bench.rig.access_log) >= asked, "every line in one of the two")
        assert _ids(moved) + _ids(bench.rig.access_log) == asked


def _ids(path: Any) -> int:
    return sum(b'"request_id":"rotated-' in line for line in path.read_bytes().splitlines(keepends=True))


def test_connections_turned_away_are_counted(bench: Bench) -> None:
    with bench.upstream(limits=Limits(connections=1)), bench.client() as first:
        first.ask(request("GET", "/x"))
        with bench.client() as second:
            assert second.answer().status == 503
        counters = {(name, labels): value for name, labels, value in bench.rig.next_traffic().counters}
    assert counters["strangler_client_connections_refused_total", ("cap",)] == 1
