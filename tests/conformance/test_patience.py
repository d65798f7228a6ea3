"""Who is slow is given time as long as anything moves, who is gone is noticed, and small flushes wait for nothing."""

import socket
import threading
import time

import pytest

from strangler.model.route import Timeouts
from support.bench import Bench
from support.raw_http import Conversation, EndedError, request, response, wait_until

IDLE = Timeouts(response=30, idle=0.6)
SIZE = 5_000_000
"""Bytes: more than the kernel keeps between two sockets."""


def slowly(sock: socket.socket, count: int) -> bytes:
    """Read so many bytes, at a pace at which the kernel makes room for more less often than ``IDLE`` allows."""
    received = bytearray()
    while len(received) < count:
        piece = sock.recv(32_768)
        assert piece, f"it ended after {len(received)} bytes"
        received += piece
        time.sleep(len(piece) / 700_000)
    return bytes(received)


def test_an_application_that_reads_an_upload_slowly_but_steadily_is_no_stalled_one(bench: Bench) -> None:
    def serve(conversation: Conversation) -> None:
        conversation.head()
        slowly(conversation.socket, SIZE - 70_000)  # A part may have come with the head.
        conversation.send(response("Connection: close", body=b"read"))
        conversation.wait_for_end()

    with bench.upstream(serve, window=4096, timeouts=IDLE), bench.client() as client:
        client.socket.settimeout(30)
        client.send(request("PUT", "/", f"Content-Length: {SIZE}") + b"x" * SIZE)
        assert client.answer().body == b"read"


def test_a_client_that_reads_slowly_but_steadily_is_served_to_the_end(bench: Bench) -> None:
    def serve(conversation: Conversation) -> None:
        conversation.request()
        conversation.send(response(body=b"x" * SIZE))
        conversation.wait_for_end()

    with bench.upstream(serve, timeouts=IDLE), bench.client(window=4096) as client:
        client.send(request("GET", "/"))
        assert slowly(client.socket, SIZE).endswith(b"x" * 1000)


def test_a_client_that_stops_reading_is_dropped(bench: Bench) -> None:
    def serve(conversation: Conversation) -> None:
        conversation.request()
        conversation.send(response(body=b"x" * 20_000_000))
        conversation.wait_for_end()

    with bench.upstream(serve, timeouts=IDLE) as upstream, bench.client(window=4096) as client:
        client.send(request("GET", "/", "X-Request-ID: stuck"))
        wait_until(lambda: len(upstream.requests) == 1, "it is asked")
        assert bench.entry("stuck")["failure"] == "response_timeout.client"


@pytest.mark.parametrize("how", ["close", "reset", "shut"])
def test_a_client_that_leaves_while_it_is_not_read_from_is_noticed(bench: Bench, how: str) -> None:
    def serve(conversation: Conversation) -> None:
        conversation.request()
        conversation.wait_for_end()

    with bench.upstream(serve, timeouts=Timeouts(response=60, idle=60)) as upstream, bench.client() as client:
        client.send(request("GET", "/slow") + request("POST", "/next", body=b"x" * 100_000))
        wait_until(lambda: len(upstream.requests) == 1, "it is asked")
        getattr(client, how)()
        wait_until(lambda: upstream.conversations[0].ended != "", "the application hears of it", within=5)
        assert upstream.targets() == [b"/slow"]
    bench.wait_until_quiet()


def test_a_client_that_ends_its_side_never_takes_the_part_that_it_has_for_the_whole(bench: Bench) -> None:
    def serve(conversation: Conversation) -> None:
        conversation.request()
        conversation.send(response(body=None) + b"part")
        conversation.wait_for_end()

    with bench.upstream(serve), bench.client() as client:
        client.send(request("GET", "/", version="1.0"))  # So its answer ends with the connection.
        client.wait_for(b"part")
        client.shut()
        assert client.rest()[1] == "reset"


EVENT = b"data: tick\n\n"


def test_events_flow_one_by_one_and_for_longer_than_every_timeout(bench: Bench) -> None:
    count = 15
    heard = threading.Semaphore(0)

    def serve(conversation: Conversation) -> None:
        conversation.request()
        conversation.send(response("Content-Type: text/event-stream", "Transfer-Encoding: chunked", body=None))
        for _ in range(count):
            conversation.send(b"%x\r\n%b\r\n" % (len(EVENT), EVENT))
            assert heard.acquire(timeout=2), "an event must arrive before the next is sent"
            time.sleep(0.3)
        conversation.send(b"0\r\n\r\n")
        conversation.wait_for_end()

    timeouts = Timeouts(response=0.8, idle=0.8)
    with bench.upstream(serve, timeouts=timeouts), bench.client() as client:
        began = time.monotonic()
        client.send(request("GET", "/events", "Accept: text/event-stream"))
        events = client.content(client.message(bodiless=True))
        for _ in range(count):
            assert next(events) == EVENT
            heard.release()
        assert list(events) == []
        assert time.monotonic() - began > 5 * timeouts.idle


def test_events_that_stop_coming_end_in_a_broken_connection_after_the_idle_time(bench: Bench) -> None:
    def serve(conversation: Conversation) -> None:
        conversation.request()
        conversation.send(response("Content-Type: text/event-stream", body=None) + EVENT)
        conversation.wait_for_end()

    with bench.upstream(serve, timeouts=IDLE), bench.client() as client:
        client.send(request("GET", "/events"))
        client.wait_for(EVENT)
        with pytest.raises(EndedError) as ended:
            client.answer()
        assert ended.value.how == "reset"


def test_bytes_of_an_upload_reach_the_application_as_they_come(bench: Bench) -> None:
    arrived = threading.Semaphore(0)

    def serve(conversation: Conversation) -> None:
        conversation.head()
        for _ in range(5):
            assert conversation.exactly(1) == b"x"
            arrived.release()
        conversation.send(response())

    with bench.upstream(serve), bench.client() as client:
        client.send(request("POST", "/", "Content-Length: 5"))
        for _ in range(5):
            client.send(b"x")
            assert arrived.acquire(timeout=2), "a byte must arrive before the next is sent"
        assert client.answer().body == b"ok"
