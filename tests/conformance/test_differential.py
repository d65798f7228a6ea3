"""Every parser reads alike what the worker forwards; valid heads are never refused, mutated ones never split."""

import contextlib

import h11
import httptools
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from support.bench import Bench
from support.raw_http import RawUpstream, each, request, response

TOKEN = "!#$%&'*+-.^_`|~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
OWN = {
    *("host", "connection", "content-length", "transfer-encoding", "expect", "upgrade", "te", "trailer"),
    *("keep-alive", "proxy-connection", "content_length", "transfer_encoding", "http2-settings"),
}
METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "HEAD", "PROPFIND", "SEARCH"]

names = st.text(TOKEN, min_size=1, max_size=20).filter(lambda name: name.lower() not in OWN)
values = st.text(
    st.characters(codec="latin-1", exclude_characters="".join(map(chr, (*range(9), *range(10, 32), 127)))), max_size=40
)
fields = st.lists(st.builds("{}: {}".format, names, values), max_size=12)
targets = st.builds(
    "/{}".format,
    st.text("".join(map(chr, range(0x21, 0x7F))).replace("#", ""), max_size=60),
)
bodies = st.one_of(
    st.none(),
    st.builds(lambda body: ("length", body), st.binary(max_size=200)),
    st.builds(lambda chunks: ("chunks", chunks), st.lists(st.binary(min_size=1, max_size=80), max_size=4)),
)
Reading = list[tuple[bytes, bytes, list[tuple[bytes, bytes]], bytes]]
"""Of a stream of requests: method, target, fields with lower-case names, body."""


def as_h11(data: bytes) -> Reading:
    reader = h11.Connection(h11.SERVER, max_incomplete_event_size=1 << 20)
    reader.receive_data(data)
    read: Reading = []
    headers: list[tuple[bytes, bytes]] = []
    while True:
        event = reader.next_event()
        if isinstance(event, h11.Request):
            asked, body = event, b""
            headers = [(bytes(name), bytes(value)) for name, value in event.headers]
        elif isinstance(event, h11.Data):
            body += bytes(event.data)
        elif isinstance(event, h11.EndOfMessage):
            read.append((asked.method, asked.target, headers, body))
            reader.send(h11.Response(status_code=200, headers=[("Content-Length", "0")]))
            reader.send(h11.EndOfMessage())
            if reader.their_state is not h11.DONE:
                return read
            reader.start_next_cycle()
        else:
            assert event is h11.NEED_DATA, event
            return read


class _Llhttp:
    def __init__(self) -> None:
        self.read: Reading = []
        self.parser = httptools.HttpRequestParser(self)

    def on_message_begin(self) -> None:
        self.target, self.headers, self.body = b"", [], b""

    def on_url(self, url: bytes) -> None:
        self.target += url

    def on_header(self, name: bytes, value: bytes) -> None:
        self.headers.append((name.lower(), value.strip(b" \t")))  # It keeps trailing whitespace (RFC 9110 §5.5).

    def on_body(self, body: bytes) -> None:
        self.body += body

    def on_message_complete(self) -> None:
        self.read.append((self.parser.get_method(), self.target, self.headers, self.body))


def as_llhttp(data: bytes) -> Reading:
    reader = _Llhttp()
    reader.parser.feed_data(data)
    return reader.read


def as_gateway_sent(upstream: RawUpstream) -> Reading:
    """By the strict reader of the test's upstream."""
    return [
        (asked.method, asked.target, [(name.lower(), value) for name, value in asked.headers], asked.body)
        for asked in upstream.requests
    ]


def assert_read_alike(upstream: RawUpstream) -> Reading:
    """All readers agree on what every connection carried; returns what it was."""
    every: Reading = []
    for conversation in upstream.conversations:
        data = bytes(conversation.received)
        read = as_h11(data)
        assert read == as_llhttp(data)
        every += read
    assert sorted(every) == sorted(as_gateway_sent(upstream))
    return every


quick = settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)


@quick
@given(method=st.sampled_from(METHODS), target=targets, lines=fields, body=bodies, cut=st.integers(1, 400))
def test_a_valid_request_is_never_refused_and_read_alike_behind_the_gateway(
    bench: Bench, method: str, target: str, lines: list[str], body: tuple | None, cut: int
) -> None:
    kind, content = body or ("none", b"")
    sent = request(
        method,
        target,
        *lines,
        body=content if kind == "length" else None,
        chunks=tuple(content) if kind == "chunks" else None,
    )
    with bench.upstream() as upstream, bench.client() as client:
        client.send(sent[:cut])
        client.send(sent[cut:] + request("GET", "/marker"))
        assert client.answer(method).status == 200
        assert client.answer().body == b"/marker"
        first, second = assert_read_alike(upstream)
    assert first[:2] == (method.encode(), target.encode())
    assert first[3] == (b"".join(content) if kind == "chunks" else content)
    assert second[1] == b"/marker"
    mine = [tuple(part.strip(" \t").encode("latin-1") for part in line.split(":", 1)) for line in lines]
    own = {b"x-forwarded-for", b"x-forwarded-host", b"x-forwarded-proto", b"forwarded", b"x-request-id", b"traceparent"}
    passed = [pair for pair in first[2] if pair[0] not in own | {b"host", b"content-length", b"transfer-encoding"}]
    assert passed == [(name.lower(), value) for name, value in mine]


FRAMING_LINES = [
    b"Content-Length: 5",
    b"Content-Length: 6",
    b"Content-Length: 0",
    b"content-length:5",
    b"Content-Length: 5,5",
    b"Content-Length: 5 5",
    b"Content-Length:\x0b5",
    b"Content-Length: 5\t",
    b"Content_Length: 5",
    b"Transfer-Encoding: chunked",
    b"transfer-encoding:\tChunked ",
    b"Transfer-Encoding : chunked",
    b"Transfer-Encoding: chunked, identity",
    b"Transfer-Encoding: identity, chunked",
    b"Transfer-Encoding:\r\n chunked",
    b"Transfer-Encoding\x00: chunked",
    b"X: a\nTransfer-Encoding: chunked",
    b"X: a\rTransfer-Encoding: chunked",
    b"Connection: close",
    b"Connection: keep-alive, Transfer-Encoding",
    b"Connection: Content-Length",
    b"Expect: 100-continue",
    b"Upgrade: h2c",
    b"Host: other.example",
    b"\tX: y",
    b"",
]
CONTENTS = [
    b"hello",
    b"0\r\n\r\n",
    b"5\r\nhello\r\n0\r\n\r\n",
    b"5;\nhello\r\n0\r\n\r\n",
    b"05\r\nhello\r\n00\r\n\r\n",
    b"5\r\nhello\r\n0\r\nContent-Length: 9\r\n\r\n",
    b"\r\n",
    b"",
    b"GET /smuggled HTTP/1.1\r\nHost: evil.example\r\n\r\n",
    b"0\r\n\r\nGET /smuggled HTTP/1.1\r\nHost: evil.example\r\n\r\n",
]
ENDS = [b"\r\n", b"\n", b"\r", b"\r\n ", b"\r\n\t"]
START = [b"GET /a HTTP/1.1", b"POST /a HTTP/1.1", b"POST /a HTTP/1.0", b"GET http://x/a HTTP/1.1", b"HEAD /a HTTP/1.1"]


@st.composite
def mutated(draw: st.DrawFn) -> bytes:
    """A head of plausible and hostile lines, mostly with right line ends, and a body that may not fit it."""
    lines = [draw(st.sampled_from(START)), *draw(st.lists(st.sampled_from(FRAMING_LINES), max_size=4))]
    lines.insert(draw(st.integers(1, len(lines))), b"Host: shop.example")
    data = bytearray()
    for line in lines:
        data += line + (b"\r\n" if draw(st.integers(0, 9)) else draw(st.sampled_from(ENDS)))
    data += b"\r\n" + draw(st.sampled_from(CONTENTS))
    if not draw(st.integers(0, 3)):
        place = draw(st.integers(0, len(data) - 1))
        data[place : place + 1] = draw(st.binary(max_size=2))
    return bytes(data)


@settings(quick, max_examples=250)
@given(hostile=mutated())
def test_whatever_is_sent_every_reader_finds_as_many_requests_as_the_gateway_answered(
    bench: Bench, hostile: bytes
) -> None:
    with bench.upstream() as upstream, bench.client() as client:
        client.send(hostile + request("GET", "/marker", "Connection: close"))
        client.socket.settimeout(0.1)
        with contextlib.suppress(TimeoutError):  # Where the gateway waits for more of what it was sent.
            client.rest()
        carried = [bytes(conversation.received) for conversation in upstream.conversations]
    for data in filter(None, carried):
        assert as_llhttp(data) == as_h11(data)
    assert sum(len(as_h11(data)) for data in filter(None, carried)) == client.received.count(b"HTTP/1.1 200 ")


@pytest.mark.parametrize("framing", ["length", "chunked"])
@settings(quick, max_examples=40)
@given(lines=fields, content=st.lists(st.binary(min_size=1, max_size=100), max_size=5), status=st.integers(200, 599))
def test_a_valid_answer_is_never_refused_and_read_alike_by_clients(
    bench: Bench, framing: str, lines: list[str], content: list[bytes], status: int
) -> None:
    body = b"".join(content)
    bodiless = status in {204, 304}
    if framing == "chunked" and not bodiless:
        chunks = b"".join(b"%x\r\n%b\r\n" % (len(piece), piece) for piece in content) + b"0\r\n\r\n"
        data = response("Transfer-Encoding: chunked", *lines, status=status, body=None) + chunks
    else:
        data = response(*lines, status=status, body=None if bodiless else body)

    with bench.upstream(each(data)), bench.client() as client:
        for _ in range(2):
            answer = client.ask(request("GET", "/"))
            assert answer.status == status
            assert answer.body == (b"" if bodiless else body)
        reader = h11.Connection(h11.CLIENT)
        reader.send(h11.Request(method="GET", target="/", headers=[("Host", "a")]))
        reader.send(h11.EndOfMessage())
        reader.receive_data(answer.raw)
        head = reader.next_event()
        assert isinstance(head, h11.Response)
        mine = [tuple(part.strip(" \t").encode("latin-1") for part in line.split(":", 1)) for line in lines]
        own = {b"x-request-id", b"content-length", b"transfer-encoding", b"connection"}
        passed = [(bytes(name), bytes(value)) for name, value in head.headers if name not in own]
        assert passed == [(name.lower(), value) for name, value in mine if name.lower() not in own]
