"""Requests sent without waiting for answers: answered in order, one upstream exchange at a time, in bounded memory."""

import time

import pytest

from strangler.model.snapshot import Limits
from support.bench import Bench
from support.raw_http import Client, Conversation, answer_all, request, response, wait_until

INNER = request("GET", "/inner")


def ten_of_all_kinds() -> list[bytes]:
    """Requests with and without bodies, of both framings, one of them with an empty chunked body."""
    return [
        request("GET", "/0"),
        request("POST", "/1", body=b"x" * 1000),
        request("GET", "/2"),
        request("PUT", "/3", chunks=(b"abc", b"d" * 5000)),
        request("POST", "/4", body=b""),
        request("DELETE", "/5"),
        request("POST", "/6", chunks=()),
        request("GET", "/7?q=1"),
        request("PATCH", "/8", body=INNER),
        request("GET", "/9"),
    ]


TARGETS = [f"/{number}".encode() for number in range(10)]


def answers(client: Client, count: int = 10) -> list[bytes]:
    return [client.answer().body.partition(b"?")[0] for _ in range(count)]


def test_ten_pipelined_requests_are_answered_in_order(bench: Bench) -> None:
    with bench.upstream() as upstream, bench.client() as client:
        client.send(b"".join(request("GET", f"/{number}") for number in range(10)))
        assert answers(client) == TARGETS
        assert upstream.targets() == TARGETS
        assert len(upstream.conversations) == 1


def test_ten_pipelined_requests_with_bodies_are_answered_in_order(bench: Bench) -> None:
    with bench.upstream() as upstream, bench.client() as client:
        client.send(b"".join(ten_of_all_kinds()))
        assert answers(client) == TARGETS
        assert [len(received.body) for received in upstream.requests] == [0, 1000, 0, 5003, 0, 0, 0, 0, len(INNER), 0]


@pytest.mark.parametrize("size", [1, 7, 4096])
def test_ten_pipelined_requests_are_answered_in_order_however_they_are_cut(bench: Bench, size: int) -> None:
    with bench.upstream() as upstream, bench.client() as client:
        client.send_slowly(b"".join(ten_of_all_kinds()), size)
        assert answers(client) == TARGETS
        assert [len(received.body) for received in upstream.requests] == [0, 1000, 0, 5003, 0, 0, 0, 0, len(INNER), 0]


def test_three_pipelined_requests_arrive_alike_for_every_place_of_a_cut(bench: Bench) -> None:
    sent = request("POST", "/a", body=b"hello") + request("PUT", "/b", chunks=(b"wo", b"rld")) + request("GET", "/c")
    with bench.upstream() as upstream, bench.client() as client:
        for place in range(1, len(sent)):
            client.send_slowly(sent[:place], len(sent))
            client.send(sent[place:])
            assert answers(client, 3) == [b"/a", b"/b", b"/c"]
        assert {received.body for received in upstream.requests if received.target == b"/b"} == {b"world"}
        assert len(upstream.requests) == 3 * (len(sent) - 1)


def test_later_answers_wait_for_a_slow_first_one_and_are_not_asked_for_before(bench: Bench) -> None:
    def serve(conversation: Conversation) -> None:
        while True:
            asked = conversation.request()
            if asked.target == b"/0":
                time.sleep(0.3)
                assert len(upstream.requests) == 1
            conversation.send(response(body=asked.target))

    with bench.upstream(serve) as upstream, bench.client() as client:
        client.send(b"".join(request("GET", f"/{number}") for number in range(10)))
        assert answers(client) == TARGETS


def test_an_answer_to_head_is_no_gap_between_pipelined_answers(bench: Bench) -> None:
    def serve(conversation: Conversation) -> None:
        while True:
            asked = conversation.request()
            head = asked.method == b"HEAD"
            conversation.send(response("Content-Length: 5", body=None) if head else response(body=b"hello"))

    with bench.upstream(serve), bench.client() as client:
        client.send((request("HEAD", "/") + request("GET", "/")) * 5)
        for _ in range(5):
            assert client.answer("HEAD").value("content-length") == b"5"
            assert client.answer().body == b"hello"


def test_the_gateways_own_answers_keep_their_place_among_pipelined_ones(bench: Bench) -> None:
    def serve(conversation: Conversation) -> None:
        while True:
            asked = conversation.request()
            if asked.target == b"/bad":
                return
            conversation.send(response(body=asked.target))

    with bench.upstream(serve), bench.client() as client:
        client.send(b"".join(request("GET", target) for target in ("/a", "/b", "/c")))
        client.send(request("POST", "/bad", body=b"x") + request("GET", "/d"))
        assert [client.answer().body for _ in range(3)] == [b"/a", b"/b", b"/c"]
        assert client.answer().status == 502
        assert client.answer().body == b"/d"


def test_nothing_behind_a_request_with_connection_close_is_answered(bench: Bench) -> None:
    with bench.upstream() as upstream, bench.client() as client:
        client.send(request("GET", "/a") + request("GET", "/b", "Connection: close") + request("GET", "/c"))
        assert answers(client, 2) == [b"/a", b"/b"]
        client.shut()
        assert client.rest() == (b"", "closed")
        assert upstream.targets() == [b"/a", b"/b"]


def test_a_large_answer_is_whole_although_unread_requests_stood_behind_its_close(bench: Bench) -> None:
    body = b"x" * 1_400_000

    def serve(conversation: Conversation) -> None:
        conversation.request()
        conversation.send(response(body=body))
        conversation.wait_for_end()

    with bench.upstream(serve), bench.client(window=4096) as client:
        client.send(request("GET", "/a", "Connection: close") + b"x" * 900_000)
        time.sleep(0.4)
        assert client.answer().body == body


def test_a_client_that_pipelines_and_does_not_read_is_held_in_bounded_memory_and_then_served(bench: Bench) -> None:
    count, body = 40, b"x" * 1_000_000

    def serve(conversation: Conversation) -> None:
        while True:
            conversation.request()
            conversation.send(response(body=body))

    with bench.upstream(serve) as upstream, bench.client(window=4096) as client:
        client.ask(request("GET", "/warm"))
        before = bench.resident()
        client.send(request("GET", "/") * count)
        time.sleep(0.7)
        assert len(upstream.requests) < count / 2  # The later ones are not even asked for.
        assert bench.resident() - before < 6_000_000
        for _ in range(count):
            assert client.answer().body == body


def test_a_client_that_pipelines_and_never_reads_is_dropped(bench: Bench) -> None:
    with bench.upstream(limits=Limits(idle_timeout=0.5)), bench.client(window=4096) as client:
        client.socket.settimeout(0.5)
        with pytest.raises(OSError, match=r"timed out|reset|Broken"):
            client.send(request("GET", "/" + "x" * 7000) * 10_000)
        bench.wait_until_quiet()


def test_a_pipeline_that_ends_within_a_head_is_408_after_its_answers(bench: Bench) -> None:
    with bench.upstream(answer_all, limits=Limits(header_timeout=0.3)), bench.client() as client:
        client.send(request("GET", "/a") + b"GET /b HTTP/1.1\r\nHost: ")
        assert client.answer().body == b"/a"
        assert client.answer().status == 408
        wait_until(client.is_closed, "the connection is closed")
