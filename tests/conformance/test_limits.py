"""Bounds on what a client may send and how long it may take: 414, 431, 408, and a cap on connections."""

import contextlib
import time

import pytest

from strangler.model.snapshot import Limits
from support.bench import Bench
from support.raw_http import Client, EndedError, request, wait_until

SMALL = Limits(target_bytes=100, header_count=10, header_bytes=2000, header_timeout=0.4, idle_timeout=0.6)


def outcome(client: Client) -> int | str:
    try:
        return client.message().status
    except EndedError as ended:
        return ended.how


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        (request("GET", "/" + "x" * 99), 200),
        (request("GET", "/" + "x" * 100), 414),
        (request("GET", "/?" + "x" * 99), 414),
        (request("GET", "http://shop.example/" + "x" * 100), 414),
        (request("GET", "/" + "x" * 5000), 414),
        (b"GET /" + b"x" * 5000, 414),
        (request("GET", "/", *(f"X-{n}: y" for n in range(9))), 200),
        (request("GET", "/", *(f"X-{n}: y" for n in range(10))), 431),
        (request("GET", "/", "X: " + "y" * 1900), 200),
        (request("GET", "/", "X: " + "y" * 2000), 431),
        (request("GET", "/", "X: " + "y" * 2000)[:-4], 431),
        (request("GET", "/", "X" * 2000 + ": y"), 431),
        (request("POST", "/", "X: " + "y" * 1900, body=b"x" * 100_000), 200),
    ],
)
def test_what_is_too_large_is_refused_and_what_just_fits_is_not(bench: Bench, sent: bytes, status: int) -> None:
    with bench.upstream(limits=SMALL) as upstream, bench.client() as client:
        client.send(sent)
        answer = client.answer()
        assert answer.status == status
        if status != 200:
            assert answer.value("connection") == b"close"
            assert upstream.received() == b""


@pytest.mark.parametrize(
    ("sent", "statuses"),
    [
        (request("GET", "/" + "x" * 10_000_000), {414, "reset"}),
        (request("GET", "/", "X: " + "y" * 10_000_000), {431, "reset"}),
        (request("GET", "/", *(f"X-{n}: y" for n in range(100_000))), {431, "reset"}),
    ],
)
def test_ten_megabytes_of_head_are_refused_in_bounded_memory(bench: Bench, sent: bytes, statuses: set) -> None:
    with bench.upstream() as upstream, bench.client() as client:
        bench.ask(request("GET", "/warm"))
        before = bench.resident()
        with contextlib.suppress(OSError):  # It is refused before its last byte.
            client.send(sent)
        assert outcome(client) in statuses
        assert bench.resident() - before < 4_000_000
        assert upstream.targets() == [b"/warm"]


def test_the_defaults_take_what_browsers_send_and_no_more(bench: Bench) -> None:
    with bench.upstream():
        assert bench.ask(request("GET", "/" + "x" * 8000, *(f"X-{n}: {'y' * 500}" for n in range(98)))).status == 200
        assert bench.ask(request("GET", "/" + "x" * 8192)).status == 414
        assert bench.ask(request("GET", "/", *(f"X-{n}: y" for n in range(100)))).status == 431


@pytest.mark.parametrize("sent", [b"GET / HTTP/1.1\r\nHost: a\r\nX: ", b"G", b"\r\n", b"\r"])
def test_a_head_that_does_not_end_in_time_is_408(bench: Bench, sent: bytes) -> None:
    with bench.upstream(limits=SMALL) as upstream, bench.client() as client:
        client.send(sent)
        answer = client.answer()
        assert (answer.status, answer.value("connection")) == (408, b"close")
        client.shut()
        assert client.rest() == (b"", "closed")
        assert upstream.received() == b""


def test_a_head_that_trickles_is_408_all_the_same(bench: Bench) -> None:
    with bench.upstream(limits=SMALL), bench.client() as client:
        began = time.monotonic()
        client.socket.settimeout(0.1)
        client.send(b"GET / HTTP/1.1\r\nHost: a\r\nX: ")
        status = 0
        while not status and time.monotonic() - began < 5:
            client.send(b"y")
            try:
                status = client.answer().status
            except TimeoutError:
                continue
        assert status == 408


def test_empty_lines_do_not_keep_a_connection_alive(bench: Bench) -> None:
    with bench.upstream(limits=SMALL), bench.client() as client:
        began = time.monotonic()
        client.socket.settimeout(0.1)
        status = 0
        while not status and time.monotonic() - began < 5:
            client.send(b"\r\n")
            try:
                status = client.answer().status
            except TimeoutError:
                continue
        assert status == 408


def test_a_connection_without_a_request_is_closed_in_silence(bench: Bench) -> None:
    with bench.upstream(limits=SMALL), bench.client() as fresh, bench.client() as used:
        assert used.ask(request("GET", "/")).status == 200
        assert fresh.is_closed()
        assert used.is_closed()


def test_connections_beyond_the_cap_are_turned_away_and_the_others_go_on(bench: Bench) -> None:
    bench.wait_until_quiet()
    with bench.upstream(limits=Limits(connections=3)):
        clients = [bench.client() for _ in range(3)]
        assert [client.ask(request("GET", "/")).status for client in clients] == [200] * 3
        with bench.client() as one_more:
            assert one_more.rest() == (b"", "closed")
        assert [client.ask(request("GET", "/")).status for client in clients] == [200] * 3
        for client in clients:
            client.close()
        wait_until(lambda: is_served(bench), "there is room again")


def is_served(bench: Bench) -> bool:
    try:
        return bench.ask(request("GET", "/")).status == 200
    except (OSError, EndedError):
        return False
