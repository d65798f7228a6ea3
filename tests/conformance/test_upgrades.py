"""Who gets a tunnel: a proper WebSocket opening whose application agrees to it, and nobody else."""

import base64
import contextlib
import hashlib
import threading
import time

import pytest

from strangler.model.route import PathKind, Route, RouteMatch, Timeouts
from strangler.model.snapshot import Limits
from support.bench import Bench
from support.raw_http import (
    Conversation,
    EndedError,
    Message,
    answer_all,
    in_turn,
    once,
    request,
    response,
    wait_until,
)

KEY = "dGhlIHNhbXBsZSBub25jZQ=="
ACCEPT = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="
"""Key and answer of RFC 6455 §1.3."""
ASKING = ("Connection: keep-alive, Upgrade", "Upgrade: WebSocket", "Sec-WebSocket-Version: 13")
OFFERS = ("Sec-WebSocket-Protocol: a, b", "Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits")


def opening(*fields: str, key: str = KEY) -> bytes:
    return request("GET", "/ws", *ASKING, f"Sec-WebSocket-Key: {key}", *fields)


def agreement(
    *fields: str, accept: str = ACCEPT, status: str = "101 Switching Protocols", version: str = "1.1"
) -> bytes:
    lines = [f"HTTP/{version} {status}", "Upgrade: websocket", "Connection: Upgrade", f"Sec-WebSocket-Accept: {accept}"]
    return "\r\n".join((*lines, *fields, "", "")).encode()


def echo(conversation: Conversation) -> None:
    """Agree, and send back whatever comes."""
    asked = conversation.request()
    key = asked.value("sec-websocket-key") or b""
    digest = hashlib.sha1(key + b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11").digest()
    conversation.send(agreement(accept=base64.b64encode(digest).decode()))
    while True:
        conversation.send(conversation.exactly(1))


def test_both_heads_of_a_handshake_are_forwarded_with_their_upgrade_and_nothing_else_hop_by_hop(bench: Bench) -> None:
    agreed = agreement("Sec-WebSocket-Protocol: b", "Keep-Alive: timeout=5", "Set-Cookie: a=1", "X-Request-ID: theirs")
    with bench.upstream(once(agreed)) as upstream, bench.client() as client:
        client.send(opening(*OFFERS, "Proxy-Authorization: Basic eA==", "Origin: http://shop.example"))
        answer = client.message(bodiless=True)
        assert (answer.start, answer.value("upgrade")) == (b"HTTP/1.1 101 Switching Protocols", b"websocket")
        assert (answer.value("connection"), answer.value("sec-websocket-accept")) == (b"Upgrade", ACCEPT.encode())
        assert (answer.value("sec-websocket-protocol"), answer.value("set-cookie")) == (b"b", b"a=1")
        assert (answer.value("keep-alive"), answer.value("content-length")) == (None, None)
        assert answer.value("x-request-id") not in {None, b"theirs"}
        [asked] = upstream.requests
        assert (asked.value("connection"), asked.value("upgrade")) == (b"Upgrade", b"websocket")
        assert (asked.value("sec-websocket-key"), asked.value("sec-websocket-version")) == (KEY.encode(), b"13")
        assert asked.value("sec-websocket-extensions") == b"permessage-deflate; client_max_window_bits"
        assert (asked.value("origin"), asked.value("proxy-authorization")) == (b"http://shop.example", None)
        assert asked.value("x-forwarded-for") == b"127.0.0.1"


LIES = {
    "the answer to another key": agreement(accept="AAAAAAAAAAAAAAAAAAAAAAAAAAA="),
    "no Sec-WebSocket-Accept": agreement().replace(b"Sec-WebSocket-Accept", b"X-Accept"),
    "two answers": agreement(f"Sec-WebSocket-Accept: {ACCEPT}"),
    "another protocol": agreement().replace(b"websocket", b"h2c"),
    "two protocols": agreement().replace(b"websocket", b"websocket, h2c"),
    "no Upgrade": agreement().replace(b"Upgrade: websocket", b"X: y"),
    "no Connection": agreement().replace(b"Connection: Upgrade", b"Connection: close"),
    "a subprotocol that was not offered": agreement("Sec-WebSocket-Protocol: c"),
    "a subprotocol in other letters": agreement("Sec-WebSocket-Protocol: A"),
    "two subprotocols": agreement("Sec-WebSocket-Protocol: a", "Sec-WebSocket-Protocol: b"),
    "an extension that was not offered": agreement("Sec-WebSocket-Extensions: x-evil"),
    "HTTP/1.0": agreement(version="1.0"),
    "a doubtful head": agreement("X-A: b\r\n c"),
}


@pytest.mark.parametrize("lie", LIES)
def test_a_101_that_is_not_the_answer_is_502_and_its_connection_is_discarded(bench: Bench, lie: str) -> None:
    with bench.upstream(in_turn(once(LIES[lie]), answer_all)) as upstream, bench.client() as client:
        answer = client.ask(opening(*OFFERS))
        assert (answer.status, answer.value("upgrade")) == (502, None)
        wait_until(lambda: upstream.conversations[0].ended != "", "the lying connection is ended")
        assert client.ask(request("GET", "/next")).body == b"/next"


NOT_ASKED = {
    "POST": request("POST", "/ws", *ASKING, f"Sec-WebSocket-Key: {KEY}", body=b""),
    "a body": request("GET", "/ws", *ASKING, f"Sec-WebSocket-Key: {KEY}", body=b"hello"),
    "chunks": request("GET", "/ws", *ASKING, f"Sec-WebSocket-Key: {KEY}", chunks=(b"hello",)),
    "HTTP/1.0": request("GET", "/ws", *ASKING, f"Sec-WebSocket-Key: {KEY}", version="1.0"),
    "no key": request("GET", "/ws", *ASKING),
    "two keys": opening(f"Sec-WebSocket-Key: {KEY}"),
    "a short key": opening(key="c2hvcnQ="),
    "no base64": opening(key="!!!!!!!!!!!!!!!!!!!!!!=="),
    "no version": opening().replace(b"Sec-WebSocket-Version: 13", b"X: y"),
    "an old version": opening().replace(b"Version: 13", b"Version: 8"),
    "two versions": opening("Sec-WebSocket-Version: 13"),
    "not named in Connection": opening().replace(b"Connection: keep-alive, Upgrade", b"Connection: keep-alive"),
    "no Connection": opening().replace(b"Connection: keep-alive, Upgrade", b"X: y"),
    "h2c": opening().replace(b"Upgrade: WebSocket", b"Upgrade: h2c"),
    "no Upgrade": opening().replace(b"Upgrade: WebSocket", b"X: y"),
    "a Connection header that names the key": opening("Connection: Sec-WebSocket-Version").replace(b"13", b"12"),
}


@pytest.mark.parametrize("case", NOT_ASKED)
def test_what_is_no_proper_opening_goes_on_as_an_ordinary_request_and_gets_no_tunnel(bench: Bench, case: str) -> None:
    with bench.upstream() as upstream, bench.client() as client:
        client.send(NOT_ASKED[case])
        assert client.answer().body == b"/ws"
        assert (upstream.requests[0].value("upgrade"), upstream.requests[0].value("connection")) == (None, None)
    with bench.upstream(once(agreement())) as upstream, bench.client() as client:
        client.send(NOT_ASKED[case])
        assert client.answer().status == 502


@pytest.mark.parametrize("status", [200, 302, 400, 401, 403, 404, 426, 500, 503])
def test_any_other_final_answer_is_an_ordinary_one_and_the_connection_goes_on(bench: Bench, status: int) -> None:
    refused = response("Sec-WebSocket-Version: 13", "Connection: Upgrade", "Upgrade: websocket", status=status)

    def serve(conversation: Conversation) -> None:
        conversation.request()
        conversation.send(refused)
        answer_all(conversation)

    with bench.upstream(serve) as upstream, bench.client() as client:
        client.send(opening() + request("GET", "/next"))
        answer = client.answer()
        assert (answer.status, answer.body, answer.value("upgrade")) == (status, b"ok", None)
        assert answer.value("sec-websocket-version") == b"13"
        assert client.answer().body == b"/next"
        assert len(upstream.conversations) == 1


def test_what_the_client_says_before_the_101_waits_for_it(bench: Bench) -> None:
    early = b"\x82\x85\0\0\0\0hello"

    def serve(conversation: Conversation) -> None:
        conversation.head()
        time.sleep(0.2)
        assert bytes(conversation.received).endswith(b"\r\n\r\n")
        conversation.send(agreement() + b"\x82\x05early")
        assert conversation.exactly(len(early)) == early
        conversation.send(b"\x82\x04late")
        conversation.wait_for_end()

    with bench.upstream(serve), bench.client() as client:
        client.send(opening() + early)
        assert client.message(bodiless=True).status == 101
        assert client.exactly(13) == b"\x82\x05early\x82\x04late"


def test_a_request_behind_an_opening_is_never_taken_for_one_once_there_is_a_tunnel(bench: Bench) -> None:
    smuggled = request("GET", "/smuggled")
    with bench.upstream(echo) as upstream, bench.client() as client:
        client.send(opening() + smuggled)
        assert client.message(bodiless=True).status == 101
        assert client.exactly(len(smuggled)) == smuggled
        assert upstream.targets() == [b"/ws"]


def test_a_guarded_or_strict_route_judges_an_opening_like_any_request(bench: Bench) -> None:
    strict = Route("chat", RouteMatch("/ws", PathKind.PREFIX), module="m", group="m", monolith="monolith")
    with bench.upstream(echo, routes=(strict,)) as upstream, bench.client() as client:
        assert client.ask(opening("X_User: 1")).status == 400
        assert upstream.received() == b""


def test_no_more_become_tunnels_than_may_be_however_many_ask_at_the_same_time(bench: Bench) -> None:
    agree = threading.Event()

    def serve(conversation: Conversation) -> None:
        conversation.request()
        assert agree.wait(10)
        conversation.send(agreement())
        conversation.wait_for_end()

    with bench.upstream(serve, limits=Limits(tunnels=2)) as upstream, contextlib.ExitStack() as stack:
        clients = [stack.enter_context(bench.client()) for _ in range(4)]
        for client in clients:
            client.send(opening())
        wait_until(lambda: len(upstream.requests) == 4, "all of them are at the application")
        agree.set()
        assert sorted(client.message(bodiless=True).status for client in clients) == [101, 101, 503, 503]
        wait_until(lambda: sum(talk.ended != "" for talk in upstream.conversations) == 2, "the application hears of it")


def test_an_application_that_does_not_answer_an_opening_is_504(bench: Bench) -> None:
    def serve(conversation: Conversation) -> None:
        conversation.request()
        conversation.wait_for_end()

    with bench.upstream(serve, timeouts=Timeouts(response=0.3, idle=5)), bench.client() as client:
        assert client.ask(opening()).status == 504


def test_a_tunnel_takes_no_place_among_the_connections_that_requests_share(bench: Bench) -> None:
    scripts = in_turn(echo, echo, answer_all)
    with bench.upstream(scripts, max_connections=1) as upstream, bench.client() as one, bench.client() as two:
        for client in (one, two):
            client.send(opening() + b"\x81\x00")
            assert client.message(bodiless=True).status == 101
            assert client.exactly(2) == b"\x81\x00"
        assert bench.ask(request("GET", "/x")).body == b"/x"
        assert len(upstream.conversations) == 3


@pytest.mark.parametrize("how", ["close", "reset", "shut"])
def test_each_way_for_a_client_to_leave_ends_the_applications_side(bench: Bench, how: str) -> None:
    with bench.upstream(echo) as upstream, bench.client() as client:
        client.send(opening() + b"\x81\x00")
        assert client.message(bodiless=True).status == 101
        assert client.exactly(2) == b"\x81\x00"
        getattr(client, how)()
        wait_until(lambda: upstream.conversations[0].ended != "", "the application hears of it")
    bench.wait_until_quiet()


def test_the_last_words_of_an_application_arrive_before_its_end(bench: Bench) -> None:
    words = b"\x82\x7f" + (1_000_000).to_bytes(8) + b"x" * 1_000_000 + b"\x88\x02\x03\xe8"
    with bench.upstream(once(agreement() + words, then="close")), bench.client(window=4096) as client:
        client.send(opening())
        assert client.message(bodiless=True).status == 101
        assert client.rest() == (words, "closed")
    bench.wait_until_quiet()


def test_a_client_that_never_takes_the_last_words_is_cut(bench: Bench) -> None:
    words = b"\x82\x7f" + (5_000_000).to_bytes(8) + b"x" * 5_000_000

    def serve(conversation: Conversation) -> None:
        conversation.request()
        conversation.send(agreement())
        conversation.socket.sendall(words)

    with (
        bench.upstream(serve, timeouts=Timeouts(response=5, idle=5, tunnel_idle=1)),
        bench.client(window=4096) as client,
    ):
        client.send(opening())
        assert client.message(bodiless=True).status == 101
        bench.wait_until_quiet()


def test_an_opening_that_meets_a_stale_connection_is_sent_again(bench: Bench) -> None:
    def lose_the_second(conversation: Conversation) -> None:
        conversation.request()
        conversation.send(response())
        conversation.request()

    with bench.upstream(in_turn(lose_the_second, echo)) as upstream, bench.client() as client:
        assert client.ask(request("GET", "/first")).body == b"ok"
        client.send(opening())
        answer: Message = client.message(bodiless=True)
        assert (answer.status, len(upstream.conversations)) == (101, 2)


def test_a_tunnel_that_ends_within_a_frame_is_not_called_clean(bench: Bench) -> None:
    with bench.upstream(once(agreement() + b"\x82\x05he", then="close")), bench.client() as client:
        client.send(opening("X-Request-ID: torn"))
        assert client.message(bodiless=True).status == 101
        with pytest.raises(EndedError):
            client.exactly(7)
        entry = bench.entry("torn")
        assert (entry["status"], entry["failure"]) == (101, "tunnel.upstream")
