"""Request heads: what is read out of them, what is refused with which status, and that h11 reads them alike."""

import h11
import pytest
from hypothesis import given
from hypothesis import strategies as st

from strangler.http1.body import CHUNKED
from strangler.http1.refusal import RequestRefused
from strangler.http1.request import LONGEST_REMEMBERED, REMEMBERED, RequestHead, RequestParser
from strangler.model.snapshot import Limits

PARSER = RequestParser(Limits())


def parse(*lines: str, parser: RequestParser = PARSER) -> RequestHead:
    return parser.parse("\r\n".join((*lines, "", "")).encode("latin-1"))


def refusal(*lines: str, parser: RequestParser = PARSER) -> int:
    with pytest.raises(RequestRefused) as refused:
        parse(*lines, parser=parser)
    assert refused.value.detail
    return refused.value.status


def test_a_head_is_taken_apart() -> None:
    head = parse("PUT /a%20b?c=d?e HTTP/1.1", "Host: Shop.Example:80", "X-A: 1", "x-a:\t2 ", "Content-Length: 12")
    assert (head.method, head.minor, head.target) == (b"PUT", 1, b"/a%20b?c=d?e")
    assert (head.path, head.query, head.host) == (b"/a%20b", b"c=d?e", b"Shop.Example:80")
    assert (head.length, head.keep_alive) == (12, True)
    assert not head.fields.expects_continue
    assert not head.fields.underscores
    assert head.fields.names == [b"host", b"x-a", b"x-a", b"content-length"]
    assert head.fields.values(b"x-a") == [b"1", b"2"]
    assert head.fields.values(b"x-b") == []
    assert head.fields.block_without(frozenset((b"host", b"content-length"))) == b"\r\nX-A: 1\r\nx-a:\t2 "


@pytest.mark.parametrize(
    ("lines", "length"),
    [
        ((), 0),
        (("Content-Length: 0",), 0),
        (("content-LENGTH:   7  ",), 7),
        (("Content-Length: 999999999999999999",), 999_999_999_999_999_999),
        (("Transfer-Encoding: chunked",), CHUNKED),
        (("transfer-encoding:\tCHUNKED ",), CHUNKED),
    ],
)
def test_the_length_is_read_from_one_plain_field(lines: tuple[str, ...], length: int) -> None:
    assert parse("POST / HTTP/1.1", "Host: a", *lines).length == length


@pytest.mark.parametrize(
    ("version", "connection", "kept"),
    [
        ("1.1", None, True),
        ("1.1", "close", False),
        ("1.1", "Keep-Alive, CLOSE", False),
        ("1.1", "x-close", True),
        ("1.0", None, False),
        ("1.0", "Keep-Alive", True),
        ("1.0", "x", False),
    ],
)
def test_whether_a_connection_is_kept_depends_on_version_and_wish(
    version: str, connection: str | None, kept: bool
) -> None:
    fields = () if connection is None else (f"Connection: {connection}",)
    assert parse(f"GET / HTTP/{version}", "Host: a", *fields).keep_alive is kept


def test_what_connection_names_is_collected_over_all_its_fields() -> None:
    head = parse("GET / HTTP/1.1", "Host: a", "Connection: X-One,, x-two", "connection: CLOSE")
    assert head.fields.connection == {b"x-one", b"x-two", b"close"}


@pytest.mark.parametrize("name", ["Host", "Content-Length", "Content-Type", "Authorization", "Cookie", "Date"])
def test_end_to_end_fields_cannot_be_named_by_connection(name: str) -> None:
    assert refusal("GET / HTTP/1.1", "Host: a", f"Connection: {name}") == 400


def test_an_expectation_is_100_continue_or_refused() -> None:
    assert parse("POST / HTTP/1.1", "Host: a", "Expect: 100-Continue", "Content-Length: 1").fields.expects_continue
    assert refusal("POST / HTTP/1.1", "Host: a", "Expect: 100-continue, x", "Content-Length: 1") == 417


def test_an_underscore_is_noted_and_a_lookalike_of_framing_refused() -> None:
    assert parse("GET / HTTP/1.1", "Host: a", "X_A: 1").fields.underscores
    assert not parse("GET /_ HTTP/1.1", "Host: a_b", "X-A: _").fields.underscores
    assert refusal("GET / HTTP/1.1", "Host: a", "content_length: 1") == 400
    assert refusal("GET / HTTP/1.1", "Host: a", "Transfer_Encoding: chunked") == 400


@pytest.mark.parametrize(
    ("lines", "status"),
    [
        (("GET / HTTP/1.1",), 400),
        (("GET / HTTP/1.1", "Host: a", "Host: a"), 400),
        (("GET / HTTP/1.1", "Host: a b"), 400),
        (("GET / HTTP/2.0", "Host: a"), 505),
        (("GET /",), 505),
        (("SOURCE / ICE/1.0", "Host: a"), 505),
        (("DESCRIBE / RTSP/1.0", "Host: a"), 505),
        (("GET /#a HTTP/1.1", "Host: a"), 400),
        (("GET  / HTTP/1.1", "Host: a"), 400),
        (("GET /a b HTTP/1.1", "Host: a"), 400),
        (("GET /\0 HTTP/1.1", "Host: a"), 400),
        (("GET * HTTP/1.1", "Host: a"), 400),
        (("CONNECT a:80 HTTP/1.1", "Host: a:80"), 405),
        (("TRACE / HTTP/1.1", "Host: a", "Content-Length: 1"), 400),
        (("POST / HTTP/1.0", "Host: a", "Transfer-Encoding: chunked"), 400),
        (("POST / HTTP/1.1", "Host: a", "Transfer-Encoding: gzip, chunked"), 501),
        (("POST / HTTP/1.1", "Host: a", "Content-Length: 01"), 400),
    ],
)
def test_doubt_has_its_status(lines: tuple[str, ...], status: int) -> None:
    assert refusal(*lines) == status


def test_limits_hold_exactly() -> None:
    small = RequestParser(Limits(target_bytes=10, header_count=3))
    assert parse("GET /123456789 HTTP/1.1", "Host: a", "B: c", "D: e", parser=small).path == b"/123456789"
    assert refusal("GET /1234567890 HTTP/1.1", "Host: a", parser=small) == 414
    assert refusal("GET / HTTP/1.1", "Host: a", "B: c", "D: e", "F: g", parser=small) == 431


def test_nothing_is_carried_from_one_head_into_the_next() -> None:
    parse("POST /a HTTP/1.1", "Host: a", "X_A: 1", "Content-Length: 5", "Expect: 100-continue")
    with pytest.raises(RequestRefused):
        parse("POST /b HTTP/1.1", "Host: a", "Content-Length: 5", "Content-Length: 6")
    head = parse("GET /c HTTP/1.1", "Host: c")
    assert (head.path, head.length) == (b"/c", 0)
    assert not head.fields.underscores
    assert not head.fields.expects_continue


LINES = st.sampled_from(
    [
        *("Host: a", "Host: b", "Content-Length: 5", "Content-Length: 05", "Transfer-Encoding: chunked"),
        *("Transfer-Encoding: x", "X: y", "X : y", " X: y", "X", ":", "X: \x00", "X: a\nY: b", "X: a\rY: b", "\tY"),
        *("Connection: close", "Connection: ,", "X\x80: y", "X: \x80", "Upgrade: x", "X: a\n\nGET / HTTP/1.1"),
    ]
)
STARTS = st.sampled_from(
    [
        *("GET / HTTP/1.1", "POST / HTTP/1.1", "GET / HTTP/1.0", "GET /", "GET / HTTP/1.1 ", "GET  / HTTP/1.1"),
        *("GET /\x7f HTTP/1.1", "get / HTTP/1.1", "\nGET / HTTP/1.1", "GET / HTTP/1.1\nX: y", "M-SEARCH / HTTP/1.1"),
    ]
)


@given(start=STARTS, lines=st.lists(LINES, max_size=6), noise=st.binary(max_size=2), place=st.integers(0, 100))
def test_whatever_is_accepted_is_read_alike_by_h11(start: str, lines: list[str], noise: bytes, place: int) -> None:
    data = "\r\n".join((start, "Host: a", *lines, "", "")).encode("latin-1")
    data = data[:place] + noise + data[place:] + b"\r\n\r\n"
    data = data[: data.index(b"\r\n\r\n") + 4]
    try:
        head = PARSER.parse(data)
    except RequestRefused:
        return
    reader = h11.Connection(h11.SERVER)
    reader.receive_data(data)
    event = reader.next_event()
    assert isinstance(event, h11.Request)
    assert (head.method, event.http_version) == (event.method, b"1.%d" % head.minor)
    assert head.fields.names == [name for name, _ in event.headers]
    for name, _ in event.headers:
        assert head.fields.values(name) == [value for other, value in event.headers if other == name]
    framing = dict(event.headers)
    chunked = framing.get(b"transfer-encoding", b"").lower() == b"chunked"
    assert head.length == (CHUNKED if chunked else int(framing.get(b"content-length", 0)))


def test_a_remembered_section_says_what_it_said_at_first() -> None:
    parser = RequestParser(Limits())
    lines = ("Host: a", "Connection: x-hop", "X-Hop: 1", "Content-Length: 3", "X_Odd: 1")
    first, *others = [parse(f"POST /{number} HTTP/1.1", *lines, parser=parser) for number in range(4)]
    assert others[-1].fields is others[-2].fields
    for head in others:
        assert (head.host, head.length, head.keep_alive) == (first.host, first.length, first.keep_alive)
        assert head.fields.underscores
        assert head.fields.connection == {b"x-hop"}
    assert [head.target for head in others] == [b"/1", b"/2", b"/3"]


@pytest.mark.parametrize("again", [1, 2, 3])
def test_a_refused_section_is_refused_every_time(again: int) -> None:
    parser = RequestParser(Limits())
    for _ in range(again):
        assert refusal("GET / HTTP/1.1", "Host: a", "Content-Length: 1", "Content-Length: 1", parser=parser) == 400


def test_what_is_remembered_is_judged_with_each_request_line() -> None:
    parser = RequestParser(Limits())
    for _ in range(3):
        assert parse("POST / HTTP/1.1", "Host: a", "Content-Length: 1", parser=parser).length == 1
    assert refusal("TRACE / HTTP/1.1", "Host: a", "Content-Length: 1", parser=parser) == 400
    for _ in range(3):
        parse("POST / HTTP/1.1", "Host: a", "Transfer-Encoding: chunked", parser=parser)
    assert refusal("POST / HTTP/1.0", "Host: a", "Transfer-Encoding: chunked", parser=parser) == 400


def test_no_more_sections_are_remembered_than_there_is_room_for() -> None:
    parser = RequestParser(Limits())
    for number in range(2 * REMEMBERED):
        for _ in range(2):
            parse("GET / HTTP/1.1", "Host: a", f"X-Number: {number}", parser=parser)
    assert len(parser._sections) <= REMEMBERED
    for _ in range(3):
        parse("GET / HTTP/1.1", "Host: a", "X-Long: " + "x" * LONGEST_REMEMBERED, parser=parser)
    assert all(len(section) <= LONGEST_REMEMBERED for section in parser._sections)
