"""Bounds on what a client may send and how long it may take: 414, 431, 408, and a cap on connections."""

import contextlib
import time

import pytest

from strangler.model.route import PathKind, Route, RouteMatch
from strangler.model.snapshot import Limits
from support.bench import Bench
from support.raw_http import Client, Conversation, EndedError, request, response, wait_until

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
    with bench.upstream(limits=Limits(connections=3)) as upstream:
        clients = [bench.client() for _ in range(3)]
        assert [client.ask(request("GET", "/")).status for client in clients] == [200] * 3
        for _ in range(5):
            with bench.client() as one_more:
                one_more.send(request("GET", "/turned-away"))
                answer = one_more.answer()
                assert (answer.status, answer.value("retry-after"), answer.value("connection")) == (503, b"1", b"close")
                one_more.shut()
                assert one_more.rest() == (b"", "closed")
        assert [client.ask(request("GET", "/")).status for client in clients] == [200] * 3
        assert b"/turned-away" not in upstream.targets()
        for client in clients:
            client.close()
        wait_until(lambda: is_served(bench), "there is room again")


def test_a_flood_beyond_the_cap_is_bounded_and_does_no_harm(bench: Bench) -> None:
    bench.wait_until_quiet()
    with bench.upstream(limits=Limits(connections=1)), bench.client() as served, contextlib.ExitStack() as stack:
        assert served.ask(request("GET", "/")).status == 200
        flood = [stack.enter_context(bench.client()) for _ in range(400)]
        outcomes = [fate(client) for client in flood]
        assert outcomes.count(503) >= 256
        assert set(outcomes) <= {503, "closed", "reset"}
        assert "reset" in outcomes or "closed" in outcomes
        assert served.ask(request("GET", "/")).status == 200
        served.close()
        wait_until(lambda: is_served(bench), "there is room again")


def fate(client: Client) -> int | str:
    try:
        return client.answer().status
    except EndedError as ended:
        return ended.how


def test_one_address_has_no_more_than_its_share_unless_it_is_a_trusted_proxys(bench: Bench) -> None:
    bench.wait_until_quiet()
    limits = Limits(connections_per_client=2)
    with bench.upstream(limits=limits), bench.client() as one, bench.client() as two:
        assert [client.ask(request("GET", "/")).status for client in (one, two)] == [200] * 2
        with bench.client() as three:
            answer = three.answer()
            assert (answer.status, answer.value("retry-after"), answer.value("connection")) == (429, b"1", b"close")
        one.close()
        wait_until(lambda: is_served(bench), "there is room again")
        assert two.ask(request("GET", "/")).status == 200
    bench.wait_until_quiet()
    with bench.upstream(limits=limits, trusted_proxies=("127.0.0.0/8",)), contextlib.ExitStack() as stack:
        clients = [stack.enter_context(bench.client()) for _ in range(5)]
        assert [client.ask(request("GET", "/")).status for client in clients] == [200] * 5


def bounded(most: int) -> Route:
    return Route("up", RouteMatch("/up", PathKind.PREFIX), module="m", group="m", monolith="monolith", body_bytes=most)


def test_a_body_longer_than_its_route_allows_is_413_before_a_byte_of_it_is_passed_on(bench: Bench) -> None:
    with bench.upstream(routes=(bounded(1000),)) as upstream, bench.client() as client:
        assert client.ask(request("POST", "/up", body=b"x" * 1000)).status == 200
        assert client.ask(request("POST", "/up", chunks=(b"x" * 600, b"y" * 400))).status == 200
        assert client.ask(request("POST", "/elsewhere", body=b"x" * 1001)).status == 200
        assert client.ask(request("GET", "/up")).status == 200
        client.send(request("POST", "/up/late", "Expect: 100-continue", "Content-Length: 1001"))
        answer = client.answer()
        assert (answer.status, answer.value("connection")) == (413, b"close")
        assert b"/up/late" not in upstream.received()


def test_a_chunked_body_that_grows_beyond_the_bound_is_413_and_the_application_sees_it_cut_short(bench: Bench) -> None:
    with bench.upstream(routes=(bounded(1000),)) as upstream, bench.client() as client:
        client.send(request("POST", "/up", "Transfer-Encoding: chunked") + b"258\r\n" + b"x" * 600 + b"\r\n")
        wait_until(lambda: upstream.received().endswith(b"x\r\n"), "the first chunk is passed on")
        client.send(b"191\r\n" + b"y" * 401 + b"\r\n0\r\n\r\n" + request("GET", "/marker"))
        answer = client.answer()
        assert (answer.status, answer.value("connection")) == (413, b"close")
        wait_until(lambda: upstream.conversations[0].ended != "", "the application's side is ended")
        assert upstream.requests == []
        assert b"y" not in upstream.received()


def test_a_body_that_trickles_is_408_and_one_that_is_fast_enough_is_not(bench: Bench) -> None:
    limits = Limits(body_rate=200, body_grace=1)
    with bench.upstream(limits=limits), bench.client() as slow, bench.client() as steady:
        for client in (slow, steady):
            client.send(request("POST", "/", "Content-Length: 1200"))
        began = time.monotonic()
        slow.socket.settimeout(0.01)
        status = 0
        for _ in range(30):
            time.sleep(0.1)
            steady.send(b"x" * 40)
            if not status:
                slow.send(b"y")
                with contextlib.suppress(TimeoutError):
                    status = slow.answer().status
        assert status == 408
        assert time.monotonic() - began < 8
        assert steady.answer().status == 200


def test_waiting_for_100_and_a_slow_application_are_no_slow_upload(bench: Bench) -> None:
    def serve(conversation: Conversation) -> None:
        conversation.head()
        time.sleep(2.5)  # More than the grace, which is for the client only.
        conversation.send(b"HTTP/1.1 100 Continue\r\n\r\n")
        assert len(conversation.exactly(100_000)) == 100_000
        conversation.send(response())

    with bench.upstream(serve, limits=Limits(body_rate=200, body_grace=1)), bench.client() as client:
        client.send(request("POST", "/", "Expect: 100-continue", "Content-Length: 100000"))
        assert client.message(bodiless=True).status == 100
        client.send(b"x" * 100_000)
        assert client.answer().status == 200


def is_served(bench: Bench) -> bool:
    try:
        return bench.ask(request("GET", "/")).status == 200
    except (OSError, EndedError):
        return False
