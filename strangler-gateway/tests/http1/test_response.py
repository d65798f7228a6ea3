"""Response heads: what is kept of them, where their bodies end, and what is no answer at all."""

import h11
import pytest
from hypothesis import given
from hypothesis import strategies as st

from strangler.http1.body import CHUNKED, UNTIL_CLOSE
from strangler.http1.refusal import ResponseRefused
from strangler.http1.response import MAX_FIELDS, NO_LENGTH, ResponseHead, ResponseParser, has_body

PARSER = ResponseParser(own=frozenset((b"x-request-id",)))


def parse(*lines: str, bodiless: bool = False) -> ResponseHead:
    return PARSER.parse("\r\n".join((*lines, "", "")).encode("latin-1"), bodiless=bodiless)


def test_a_head_is_taken_apart_and_keeps_its_lines() -> None:
    head = parse("HTTP/1.1 404 Not  Here", "Server: X", "SET-Cookie: a", "set-cookie:b ", "Content-Length: 7")
    assert (head.status, head.reason, head.length, head.keep_alive) == (404, b"Not  Here", 7, True)
    assert head.fields == b"\r\nServer: X\r\nSET-Cookie: a\r\nset-cookie:b "


def test_hop_by_hop_fields_named_fields_and_the_gateways_own_are_left_out() -> None:
    head = parse(
        "HTTP/1.1 200 OK",
        "Connection: X-Hop, close",
        "X-Hop: 1",
        "Keep-Alive: timeout=5",
        "Upgrade: h2c",
        "X-Request-Id: theirs",
        "Transfer-Encoding: chunked",
        "X-Kept: 1",
    )
    assert (head.fields, head.length, head.keep_alive) == (b"\r\nX-Kept: 1", CHUNKED, False)


@pytest.mark.parametrize("connection", ["keep-alive", "X-Hop", "X-Strangler-Effects"])
def test_a_report_of_effects_is_no_field_of_the_answer(connection: str) -> None:
    head = parse("HTTP/1.1 200 OK", f"Connection: {connection}", "X-STRANGLER-Effects:  eJw= ", "X-Kept: 1")
    assert (head.effects, head.fields) == (b"eJw=", b"\r\nX-Kept: 1")
    assert parse("HTTP/1.1 200 OK", "X-Kept: 1").effects == b""
    assert parse("HTTP/1.1 200 OK", "X-Strangler-Effects: a", "X-Strangler-Effects: b").effects == b"a,b"


@pytest.mark.parametrize(
    ("lines", "bodiless", "length", "body"),
    [
        (("HTTP/1.1 200 OK", "Content-Length: 7"), False, 7, True),
        (("HTTP/1.1 200 OK", "Content-Length: 0"), False, 0, False),
        (("HTTP/1.1 200 OK", "Transfer-Encoding: Chunked"), False, CHUNKED, True),
        (("HTTP/1.1 200 OK",), False, UNTIL_CLOSE, True),
        (("HTTP/1.0 200 OK",), False, UNTIL_CLOSE, True),
        (("HTTP/1.1 200 OK", "Content-Length: 7"), True, 7, False),
        (("HTTP/1.1 200 OK", "Transfer-Encoding: chunked"), True, NO_LENGTH, False),
        (("HTTP/1.1 200 OK",), True, NO_LENGTH, False),
        (("HTTP/1.1 304 Not Modified", "Content-Length: 7"), False, 7, False),
        (("HTTP/1.1 304 Not Modified",), False, NO_LENGTH, False),
        (("HTTP/1.1 204 No Content", "Content-Length: 7"), False, NO_LENGTH, False),
        (("HTTP/1.1 103 Early Hints", "Content-Length: 7"), False, NO_LENGTH, False),
    ],
)
def test_where_a_body_ends(lines: tuple[str, ...], bodiless: bool, length: int, body: bool) -> None:
    head = parse(*lines, bodiless=bodiless)
    assert (head.length, has_body(head, bodiless=bodiless)) == (length, body)


@pytest.mark.parametrize(
    ("lines", "kept"),
    [
        (("HTTP/1.1 200 OK", "Content-Length: 1"), True),
        (("HTTP/1.1 200 OK", "Content-Length: 1", "Connection: CLOSE"), False),
        (("HTTP/1.1 200 OK",), False),
        (("HTTP/1.0 200 OK", "Content-Length: 1"), False),
        (("HTTP/1.0 200 OK", "Content-Length: 1", "Connection: keep-alive"), True),
    ],
)
def test_whether_the_connection_can_be_used_again(lines: tuple[str, ...], kept: bool) -> None:
    assert parse(*lines).keep_alive is kept


@pytest.mark.parametrize(
    "lines",
    [
        ("HTTP/2.0 200 OK",),
        ("ICY 200 OK",),
        ("HTTP/1.1 600 OK", "Content-Length: 1"),
        ("HTTP/1.1 20 OK",),
        ("HTTP/1.1 200 O\0K", "Content-Length: 1"),
        ("HTTP/1.1 200 \x1b[2J", "Content-Length: 1"),
        ("HTTP/1.0 101 Switching", "Upgrade: websocket", "Connection: upgrade"),
        ("HTTP/1.1 200 OK", "Content-Length: 1", "Content-Length: 1"),
        ("HTTP/1.1 200 OK", "Content-Length: 01"),
        ("HTTP/1.1 200 OK", "Content-Length: 1", "Transfer-Encoding: chunked"),
        ("HTTP/1.0 200 OK", "Transfer-Encoding: chunked"),
        ("HTTP/1.1 200 OK", "Transfer-Encoding: gzip, chunked"),
        ("HTTP/1.1 200 OK", "X: a", " b"),
        ("HTTP/1.1 200 OK", "X : a"),
        ("HTTP/1.1 200 OK", *(["X: y"] * (MAX_FIELDS + 1))),
    ],
)
def test_what_is_in_doubt_is_no_answer(lines: tuple[str, ...]) -> None:
    with pytest.raises(ResponseRefused):
        parse(*lines)


LINES = st.sampled_from(
    [
        *("Content-Length: 5", "Content-Length: 05", "Content-Length: ", "Transfer-Encoding: chunked", "X: y", "X : y"),
        *(" X: y", "X", ":", "X: \x00", "X: a\nY: b", "X: a\rY: b", "Connection: close", "X: \x80", "Set-Cookie: a"),
    ]
)
STARTS = st.sampled_from(["HTTP/1.1 200 OK", "HTTP/1.0 404 ", "HTTP/1.1 500", "HTTP/1.1 204 \x80", "HTTP/1.1 304 N"])


@given(start=STARTS, lines=st.lists(LINES, max_size=6), noise=st.binary(max_size=2), place=st.integers(0, 80))
def test_whatever_is_accepted_is_read_alike_by_h11(start: str, lines: list[str], noise: bytes, place: int) -> None:
    data = "\r\n".join((start, *lines, "", "")).encode("latin-1")
    data = data[:place] + noise + data[place:] + b"\r\n\r\n"
    data = data[: data.index(b"\r\n\r\n") + 4]
    try:
        head = PARSER.parse(data, bodiless=False)
    except ResponseRefused:
        return
    reader = h11.Connection(h11.CLIENT)
    reader.send(h11.Request(method="GET", target="/", headers=[("Host", "a")]))
    reader.send(h11.EndOfMessage())
    reader.receive_data(data)
    event = reader.next_event()
    assert isinstance(event, h11.Response | h11.InformationalResponse)
    assert head.status == event.status_code
    hidden = {b"content-length", b"transfer-encoding", b"connection"}
    assert [line.partition(b":")[0].lower() for line in head.fields.split(b"\r\n")[1:]] == [
        name for name, _ in event.headers if name not in hidden
    ]
