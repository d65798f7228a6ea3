"""Header fields: what passes unchanged, what stops here, and what the gateway says about the client."""

import re

import pytest

from support.bench import Bench
from support.raw_http import Conversation, Message, once, request, response

LOOPBACK = ("127.0.0.0/8",)


def forwarded(bench: Bench, *fields: str, host: str = "shop.example", **settings: object) -> Message:
    """What the application gets of a request with these fields."""
    with bench.upstream(**settings) as upstream:
        assert bench.ask(request("GET", "/", *fields, host=host)).status == 200
        [received] = upstream.requests
        return received


def answered(bench: Bench, *fields: str) -> Message:
    """What the client gets of an answer with these fields."""
    with bench.upstream(once(response(*fields))):
        return bench.ask(request("GET", "/"))


def test_end_to_end_fields_keep_their_order_spelling_and_values_on_the_way_to_the_application(bench: Bench) -> None:
    fields = [
        "accept: */*",
        "X-B: 1",
        "x-a:  two  words ",
        "X-B: 2",
        "COOKIE: a=1; b=2",
        "X-Empty:",
        "X-Latin: caf\u00e9",
        "X-b: 3",
        "Accept-Encoding: gzip, br",
        "Cookie: c=3",
        'X-Quoted: "a, b:\tc"',
        "Authorization: Bearer x.y.z",
        'If-None-Match: W/"abc"',
    ]
    received = forwarded(bench, *fields)
    names = {field.partition(":")[0].encode() for field in fields}
    kept = [(name, value) for name, value in received.headers if name in names]
    sent = [tuple(part.strip(" \t").encode("latin-1") for part in field.split(":", 1)) for field in fields]
    assert kept == sent


def test_end_to_end_fields_keep_their_order_spelling_and_values_on_the_way_back(bench: Bench) -> None:
    fields = [
        "server: Old/1.0",
        "Date: Sun, 06 Nov 1994 08:49:37 GMT",
        "SET-COOKIE: a=1; Path=/; Expires=Wed, 09 Jun 2031 10:18:14 GMT",
        "Set-Cookie: b=2; HttpOnly",
        "X-Mid: x",
        "set-cookie: a=3; Path=/other",
        "Vary: Accept",
        "Vary: Cookie",
        "Content-Encoding: gzip",
        "X-Latin: caf\u00e9",
        "Content-Type: text/html",
    ]
    answer = answered(bench, *fields)
    names = {field.partition(":")[0].encode() for field in fields}
    kept = [(name, value) for name, value in answer.headers if name in names]
    assert kept == [tuple(part.strip().encode("latin-1") for part in field.split(":", 1)) for field in fields]
    assert answer.start == b"HTTP/1.1 200 Scripted"


HOP_BY_HOP = [
    "Connection: keep-alive",
    "Keep-Alive: timeout=5",
    "Proxy-Connection: keep-alive",
    "Proxy-Authorization: Basic eA==",
    "Proxy-Authenticate: Basic",
    "TE: trailers, deflate",
    "Trailer: X-Sum",
    "Upgrade: h2c",
]


@pytest.mark.parametrize("field", HOP_BY_HOP)
def test_a_hop_by_hop_field_stops_here(bench: Bench, field: str) -> None:
    name = field.partition(":")[0]
    assert forwarded(bench, field, "X-Kept: 1").values(name) == []
    answer = answered(bench, field, "X-Kept: 1")
    assert answer.values(name) == []
    assert answer.value("x-kept") == b"1"


def test_what_a_connection_header_names_stops_here(bench: Bench) -> None:
    fields = ("X-One: 1", "Connection: x-ONE ,\tX-Two,", "X-TWO: 2", "x-one: 3", "Connection: X-Three", "X-Three: 4")
    for message in (forwarded(bench, *fields, "X-Kept: 5"), answered(bench, *fields, "X-Kept: 5")):
        names = {name.lower() for name, _ in message.headers}
        assert b"x-kept" in names
        assert names.isdisjoint({b"x-one", b"x-two", b"x-three", b"connection"})


def test_naming_the_gateways_own_fields_in_connection_does_not_remove_them(bench: Bench) -> None:
    own = "X-Forwarded-For, Forwarded, X-Request-ID, X-Forwarded-Host, traceparent"
    received = forwarded(bench, f"Connection: {own}", "X-Forwarded-For: 6.6.6.6")
    assert received.value("x-forwarded-for") == b"127.0.0.1"
    assert received.value("x-forwarded-host") == b"shop.example"
    assert received.value("x-request-id")
    assert received.value("traceparent")


@pytest.mark.parametrize("upgrade", ["websocket", "h2c", "TLS/1.0"])
def test_an_upgrade_is_answered_without_one(bench: Bench, upgrade: str) -> None:
    fields = ("Connection: Upgrade, HTTP2-Settings", f"Upgrade: {upgrade}", "HTTP2-Settings: AAMAAABkAAQAAP__")
    with bench.upstream() as upstream, bench.client() as client:
        client.send(request("GET", "/ws", *fields) + request("GET", "/next"))
        assert [client.answer().body, client.answer().body] == [b"/ws", b"/next"]
        names = {name.lower() for name, _ in upstream.requests[0].headers}
        assert names.isdisjoint({b"upgrade", b"connection", b"http2-settings"})


def test_a_request_with_an_upgrade_and_a_body_keeps_its_body(bench: Bench) -> None:
    with bench.upstream() as upstream, bench.client() as client:
        client.send(request("POST", "/ws", "Connection: Upgrade", "Upgrade: websocket", body=b"hello"))
        client.send(request("GET", "/next"))
        assert [client.answer().body, client.answer().body] == [b"/ws", b"/next"]
        assert [received.body for received in upstream.requests] == [b"hello", b""]


CLAIMS = (
    "X-Forwarded-For: 6.6.6.6",
    "x-forwarded-for: 7.7.7.7",
    "X-Forwarded-Host: evil.example",
    "X-Forwarded-Proto: https",
    "X-Forwarded-Port: 444",
    "X-Real-IP: 6.6.6.6",
    "Forwarded: for=6.6.6.6;host=evil.example;proto=https",
)


def test_what_an_unknown_client_claims_about_itself_is_replaced(bench: Bench) -> None:
    received = forwarded(bench, *CLAIMS)
    assert received.value("x-forwarded-for") == b"127.0.0.1"
    assert received.value("x-forwarded-host") == b"shop.example"
    assert received.value("x-forwarded-proto") == b"http"
    assert received.value("x-forwarded-port") is None
    assert received.value("x-real-ip") is None
    assert received.value("forwarded") == b'for=127.0.0.1;host="shop.example";proto=http'


@pytest.mark.parametrize(
    "name",
    [
        *("X-Forwarded-Ssl", "X-Forwarded-Protocol", "X-Forwarded-Scheme", "X-Forwarded-Prefix", "X-Forwarded-Server"),
        *("Front-End-Https", "X-Original-URL", "X-Rewrite-URL", "x_original_url", "X-Forwarded_Ssl"),
    ],
)
def test_claims_made_under_other_names_are_dropped_unless_a_trusted_proxy_makes_them(bench: Bench, name: str) -> None:
    assert b"claimed" not in forwarded(bench, f"{name}: claimed").raw
    received = forwarded(bench, f"{name}: claimed", trusted_proxies=LOOPBACK)
    assert received.value(name) == (None if "_" in name else b"claimed")


def test_nobody_says_which_proxy_the_application_uses(bench: Bench) -> None:
    for trusted in ((), LOOPBACK):
        assert b"evil.example" not in forwarded(bench, "Proxy: http://evil.example", trusted_proxies=trusted).raw


@pytest.mark.parametrize(
    "name", ["X_Forwarded_For", "X-Forwarded_For", "x_forwarded-host", "X_REAL_IP", "X_Request_ID"]
)
def test_claims_spelled_with_underscores_are_dropped_while_other_underscores_pass(bench: Bench, name: str) -> None:
    for trusted in ((), LOOPBACK):
        received = forwarded(bench, f"{name}: 6.6.6.6", "X_Mine: 1", trusted_proxies=trusted)
        assert b"6.6.6.6" not in received.raw
        assert received.value("X_Mine") == b"1"


def test_a_trusted_proxy_is_believed_and_its_lists_are_extended(bench: Bench) -> None:
    received = forwarded(bench, *CLAIMS, trusted_proxies=LOOPBACK)
    assert received.value("x-forwarded-for") == b"6.6.6.6, 7.7.7.7, 127.0.0.1"
    assert received.value("x-forwarded-host") == b"evil.example"
    assert received.value("x-forwarded-proto") == b"https"
    assert received.value("forwarded") == b"for=6.6.6.6;host=evil.example;proto=https, for=127.0.0.1"


def test_a_trusted_proxy_that_says_nothing_is_completed(bench: Bench) -> None:
    received = forwarded(bench, trusted_proxies=LOOPBACK)
    assert received.value("x-forwarded-for") == b"127.0.0.1"
    assert received.value("x-forwarded-host") == b"shop.example"
    assert received.value("x-forwarded-proto") == b"http"


@pytest.mark.parametrize(
    ("chain", "client"),
    [
        ("6.6.6.6", "6.6.6.6"),
        ("6.6.6.6, 7.7.7.7", "7.7.7.7"),
        ("6.6.6.6, 127.0.0.5", "6.6.6.6"),
        ("127.0.0.5, 127.0.0.6", "127.0.0.5"),
        ("6.6.6.6, not an address, 127.0.0.6", "127.0.0.6"),
        ("6.6.6.6, 2001:db8::1", "2001:db8::1"),
        ("", "127.0.0.1"),
    ],
)
def test_the_client_is_the_rightmost_address_that_is_no_trusted_proxy(bench: Bench, chain: str, client: str) -> None:
    received = forwarded(bench, f"X-Forwarded-For: {chain}", trusted_proxies=LOOPBACK)
    assert bench.entry((received.value("x-request-id") or b"").decode())["client"] == client


def test_a_well_formed_request_id_is_kept_for_application_client_and_log(bench: Bench) -> None:
    with bench.upstream() as upstream:
        answer = bench.ask(request("GET", "/", "X-Request-ID: order-7/a.b:c+d=e_f"))
        assert answer.value("x-request-id") == b"order-7/a.b:c+d=e_f"
        assert upstream.requests[0].value("x-request-id") == b"order-7/a.b:c+d=e_f"
        assert bench.entry("order-7/a.b:c+d=e_f")["status"] == 200


@pytest.mark.parametrize(
    "fields",
    [
        (),
        ("X-Request-ID:",),
        ("X-Request-ID: a b",),
        ("X-Request-ID: " + "x" * 129,),
        ("X-Request-ID: <script>",),
        ('X-Request-ID: a"b',),
        ("X-Request-ID: one", "X-Request-ID: two"),
    ],
)
def test_a_request_without_a_proper_id_gets_one(bench: Bench, fields: tuple[str, ...]) -> None:
    with bench.upstream() as upstream:
        answer = bench.ask(request("GET", "/", *fields))
        given = answer.value("x-request-id") or b""
        assert re.fullmatch(rb"[0-9a-f]{32}", given)
        assert upstream.requests[0].value("x-request-id") == given


def test_the_applications_own_request_id_does_not_reach_the_client(bench: Bench) -> None:
    answer = answered(bench, "X-Request-ID: theirs", "x-request-id: again")
    assert re.fullmatch(rb"[0-9a-f]{32}", answer.value("x-request-id") or b"")


TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"


@pytest.mark.parametrize(
    "traceparent",
    [f"00-{TRACE}-00f067aa0ba902b7-01", f"00-{TRACE}-00f067aa0ba902b7-00", f"cc-{TRACE}-00f067aa0ba902b7-01-more"],
)
def test_a_valid_trace_is_passed_on_with_its_state_and_stands_in_the_log(bench: Bench, traceparent: str) -> None:
    received = forwarded(bench, f"traceparent: {traceparent}", "tracestate: a=1,b=2")
    assert received.value("traceparent") == traceparent.encode()
    assert received.value("tracestate") == b"a=1,b=2"
    assert bench.entry((received.value("x-request-id") or b"").decode())["trace_id"] == TRACE


@pytest.mark.parametrize(
    "fields",
    [
        (f"traceparent: 00-{'0' * 32}-00f067aa0ba902b7-01",),
        (f"traceparent: 00-{TRACE}-{'0' * 16}-01",),
        (f"traceparent: ff-{TRACE}-00f067aa0ba902b7-01",),
        (f"traceparent: 00-{TRACE.upper()}-00f067aa0ba902b7-01",),
        (f"traceparent: 00-{TRACE}-00f067aa0ba902b7-01-more",),
        (f"traceparent: 00-{TRACE}-00f067aa0ba902b7",),
        ("traceparent:",),
        (f"traceparent: 00-{TRACE}-00f067aa0ba902b7-01", f"traceparent: 00-{TRACE}-00f067aa0ba902b7-01"),
    ],
)
def test_an_invalid_trace_is_replaced_and_its_state_dropped(bench: Bench, fields: tuple[str, ...]) -> None:
    received = forwarded(bench, *fields, "tracestate: a=1")
    assert re.fullmatch(rb"00-[0-9a-f]{32}-[0-9a-f]{16}-00", received.value("traceparent") or b"")
    assert TRACE.encode() not in received.raw
    assert received.value("tracestate") is None


def test_interim_answers_keep_end_to_end_fields_only(bench: Bench) -> None:
    def serve(conversation: Conversation) -> None:
        conversation.request()
        conversation.send(
            b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\nConnection: X-Hop\r\nX-Hop: 1\r\n\r\n" + response()
        )
        conversation.wait_for_end()

    with bench.upstream(serve), bench.client() as client:
        client.send(request("GET", "/"))
        interim: list[Message] = []
        assert client.answer(interim=interim).status == 200
        assert interim[0].headers == [(b"Link", b"</a>")]
