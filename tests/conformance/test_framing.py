"""Doubt about a request's framing, host or target is refusal, and nothing of such a request reaches an application."""

import contextlib

import pytest

from support.bench import Bench
from support.raw_http import Client, EndedError, Wire, request

H = "Host: shop.example\r\n"
GET = "GET /evil HTTP/1.1\r\n"


def head(*lines: str) -> bytes:
    """A head from its first line and fields, each without its CRLF."""
    return "\r\n".join((*lines, "", "")).encode("latin-1")


def with_fields(*fields: str, method: str = "POST", body: bytes = b"") -> bytes:
    return head(f"{method} /evil HTTP/1.1", "Host: shop.example", *fields) + body


HOSTILE_FRAMING = {
    "both lengths": (with_fields("Content-Length: 5", "Transfer-Encoding: chunked", body=b"0\r\n\r\n"), {400}),
    "both lengths, the other order": (
        with_fields("Transfer-Encoding: chunked", "Content-Length: 5", body=b"0\r\n\r\n"),
        {400},
    ),
    "two different lengths": (with_fields("Content-Length: 5", "Content-Length: 6", body=b"hello"), {400}),
    "the same length twice": (with_fields("Content-Length: 5", "Content-Length: 5", body=b"hello"), {400}),
    "a list of lengths": (with_fields("Content-Length: 5, 5", body=b"hello"), {400}),
    "a length with a sign": (with_fields("Content-Length: +5", body=b"hello"), {400}),
    "a negative length": (with_fields("Content-Length: -1", body=b"hello"), {400}),
    "a length with leading zeros": (with_fields("Content-Length: 005", body=b"hello"), {400}),
    "a length in hexadecimal": (with_fields("Content-Length: 0x5", body=b"hello"), {400}),
    "a length with an underscore": (with_fields("Content-Length: 1_0", body=b"hello"), {400}),
    "a length with a point": (with_fields("Content-Length: 5.0", body=b"hello"), {400}),
    "an empty length": (with_fields("Content-Length:", body=b"hello"), {400}),
    "a length beyond 64 bits": (with_fields("Content-Length: 18446744073709551621", body=b"hello"), {400}),
    "a length of forty digits": (with_fields("Content-Length: " + "9" * 40), {400}),
    "a length in other digits": (with_fields("Content-Length: \u00b2", body=b"he"), {400}),
    "gzip, chunked": (with_fields("Transfer-Encoding: gzip, chunked", body=b"0\r\n\r\n"), {501}),
    "chunked, gzip": (with_fields("Transfer-Encoding: chunked, gzip", body=b"0\r\n\r\n"), {400, 501}),
    "chunked twice in a field": (with_fields("Transfer-Encoding: chunked, chunked", body=b"0\r\n\r\n"), {400, 501}),
    "chunked in two fields": (
        with_fields("Transfer-Encoding: chunked", "Transfer-Encoding: chunked", body=b"0\r\n\r\n"),
        {400, 501},
    ),
    "identity": (with_fields("Transfer-Encoding: identity", "Content-Length: 5", body=b"hello"), {400}),
    "identity alone": (with_fields("Transfer-Encoding: identity"), {400, 501}),
    "an empty coding": (with_fields("Transfer-Encoding:", body=b"0\r\n\r\n"), {400, 501}),
    "xchunked": (with_fields("Transfer-Encoding: xchunked", body=b"0\r\n\r\n"), {400, 501}),
    "quoted chunked": (with_fields('Transfer-Encoding: "chunked"', body=b"0\r\n\r\n"), {400, 501}),
    "chunked with a parameter": (with_fields("Transfer-Encoding: chunked;q=1", body=b"0\r\n\r\n"), {400, 501}),
    "chunked after a vertical tab": (with_fields("Transfer-Encoding: \x0bchunked", body=b"0\r\n\r\n"), {400, 501}),
    "a space before the colon": (with_fields("Transfer-Encoding : chunked", body=b"0\r\n\r\n"), {400}),
    "a space before the name": (with_fields(" Transfer-Encoding: chunked", body=b"0\r\n\r\n"), {400}),
    "a folded coding": (with_fields("Transfer-Encoding:\r\n chunked", body=b"0\r\n\r\n"), {400}),
    "a folded field": (with_fields("X-A: b\r\n\tTransfer-Encoding: chunked", body=b"0\r\n\r\n"), {400}),
    "an underscore in the coding": (with_fields("Transfer_Encoding: chunked", body=b"0\r\n\r\n"), {400}),
    "an underscore in the length": (with_fields("Content_Length: 5", body=b"hello"), {400}),
    "an HTTP/1.0 request with a coding": (
        head("POST /evil HTTP/1.0", "Host: a", "Transfer-Encoding: chunked") + b"0\r\n\r\n",
        {400},
    ),
    "TRACE with a body": (with_fields("Content-Length: 5", method="TRACE", body=b"hello"), {400}),
    "a bare line feed after the request line": (f"GET /evil HTTP/1.1\n{H}\r\n".encode(), {400}),
    "a bare line feed after a field": (f"{GET}Host: shop.example\nX-A: b\r\n\r\n".encode(), {400}),
    "a head that ends with bare line feeds": (f"{GET}{H[:-2]}\n\nX: ".encode() + b"\r\n\r\n", {400}),
    "a bare carriage return in a value": (f"{GET}{H}X-A: b\rX-B: c\r\n\r\n".encode(), {400}),
    "a carriage return for a line's end": (f"{GET}{H}X-A: b\rContent-Length: 5\r\n\r\n".encode(), {400}),
    "a NUL in a value": (f"{GET}{H}X-A: b\0c\r\n\r\n".encode(), {400}),
    "a NUL in a name": (f"{GET}{H}X-\0A: b\r\n\r\n".encode(), {400}),
    "an empty name": (f"{GET}{H}: b\r\n\r\n".encode(), {400}),
    "a field without a colon": (f"{GET}{H}X-A\r\n\r\n".encode(), {400}),
    "a name in brackets": (f"{GET}{H}X(A): b\r\n\r\n".encode(), {400}),
    "a name that is not ASCII": (f"{GET}{H}X-\u00c4: b\r\n\r\n".encode("latin-1"), {400}),
    "an expectation that nobody knows": (with_fields("Expect: 200-maybe", "Content-Length: 0"), {417}),
    "a Connection header that names Content-Length": (
        with_fields("Connection: Content-Length", "Content-Length: 5", body=b"hello"),
        {400},
    ),
    "a Connection header that names Host": (with_fields("Connection: close, host", method="GET"), {400}),
    "a Connection header that names Authorization": (with_fields("Connection: authorization", method="GET"), {400}),
    "a Connection header that is no list of names": (with_fields("Connection: a b", method="GET"), {400}),
}

HOSTILE_LINES = {
    "HTTP/0.9": (b"GET /evil\r\n\r\n", {400, 505}),
    "HTTP/0.9 before a request": (b"GET /evil\r\nGET /evil2 HTTP/1.1\r\nHost: a\r\n\r\n", {400, 505}),
    "HTTP/2.0": (head("GET /evil HTTP/2.0", "Host: a"), {400, 505}),
    "HTTP/1.2": (head("GET /evil HTTP/1.2", "Host: a"), {400, 505}),
    "HTTP/1.10": (head("GET /evil HTTP/1.10", "Host: a"), {400, 505}),
    "HTTP/01.1": (head("GET /evil HTTP/01.1", "Host: a"), {400, 505}),
    "http/1.1": (head("GET /evil http/1.1", "Host: a"), {400}),
    "the preface of HTTP/2": (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", {505}),
    "RTSP": (head("DESCRIBE /evil RTSP/1.0", "Host: a"), {400, 505}),
    "ICE": (head("SOURCE /evil ICE/1.0", "Host: a"), {400, 505}),
    "an unknown method": (head("FOO /evil HTTP/1.1", "Host: a"), {400, 501}),
    "a method in lower case": (head("get /evil HTTP/1.1", "Host: a"), {400}),
    "a TLS handshake": (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", {400}),
    "a space before the method": (head(" GET /evil HTTP/1.1", "Host: a"), {400}),
    "a tab for a space": (head("GET\t/evil\tHTTP/1.1", "Host: a"), {400}),
    "a third word": (head("GET /evil x HTTP/1.1", "Host: a"), {400}),
    "no target": (head("GET HTTP/1.1", "Host: a"), {400}),
    "an empty target": (head("GET  HTTP/1.1", "Host: a"), {400}),
    "a line feed before the request": (b"\n" + head("GET /evil HTTP/1.1", "Host: a"), {400}),
    "a carriage return before the request": (b"\r" + head("GET /evil HTTP/1.1", "Host: a"), {400}),
}

HOSTILE_HOSTS = {
    "no Host": (head("GET /evil HTTP/1.1"), {400}),
    "two Hosts": (head("GET /evil HTTP/1.1", "Host: a", "Host: a"), {400}),
    "two Hosts, one in other letters": (head("GET /evil HTTP/1.1", "Host: a", "hOST: b"), {400}),
    "an empty Host": (head("GET /evil HTTP/1.1", "Host:"), {400}),
    "a list of hosts": (head("GET /evil HTTP/1.1", "Host: a b"), {400}),
    "a Host with userinfo": (head("GET /evil HTTP/1.1", "Host: me@a"), {400}),
    "a Host with a path": (head("GET /evil HTTP/1.1", "Host: a/b"), {400}),
    "a Host with a query": (head("GET /evil HTTP/1.1", "Host: a?b"), {400}),
    "a Host with a fragment": (head("GET /evil HTTP/1.1", "Host: a#b"), {400}),
    "a Host with a quote": (head("GET /evil HTTP/1.1", 'Host: a"b'), {400}),
    "a Host with a port of letters": (head("GET /evil HTTP/1.1", "Host: a:b"), {400}),
    "a Host with two ports": (head("GET /evil HTTP/1.1", "Host: a:1:2"), {400}),
    "a Host with an open bracket": (head("GET /evil HTTP/1.1", "Host: [::1"), {400}),
    "a Host that is not ASCII": (head("GET /evil HTTP/1.1", "Host: \u00e4"), {400}),
    "a Host as an URL": (head("GET /evil HTTP/1.1", "Host: http://a"), {400}),
    "an authority with userinfo": (head("GET http://me@a/evil HTTP/1.1", "Host: a"), {400}),
    "an empty authority": (head("GET http:///evil HTTP/1.1", "Host: a"), {400}),
    "an absolute target without a Host": (head("GET http://a/evil HTTP/1.1"), {400}),
}

HOSTILE_TARGETS = {
    "a fragment": (head("GET /evil#x HTTP/1.1", "Host: a"), {400}),
    "another scheme": (head("GET ftp://a/evil HTTP/1.1", "Host: a"), {400}),
    "a file": (head("GET file:///etc/passwd HTTP/1.1", "Host: a"), {400}),
    "a path without a slash": (head("GET evil HTTP/1.1", "Host: a"), {400}),
    "an asterisk with GET": (head("GET * HTTP/1.1", "Host: a"), {400}),
    "an asterisk and more": (head("OPTIONS *evil HTTP/1.1", "Host: a"), {400}),
    "CONNECT": (head("CONNECT evil.example:443 HTTP/1.1", "Host: evil.example:443"), {400, 405, 501}),
    "CONNECT with a path": (head("CONNECT /evil HTTP/1.1", "Host: a"), {400, 405, 501}),
    "an authority with GET": (head("GET evil.example:443 HTTP/1.1", "Host: a"), {400}),
    "a control character": (head("GET /ev\x01il HTTP/1.1", "Host: a"), {400}),
    "a DEL": (head("GET /ev\x7fil HTTP/1.1", "Host: a"), {400}),
    "a letter beyond ASCII": (head("GET /\u00e4 HTTP/1.1", "Host: a"), {400}),
}

HOSTILE_CHUNKS = {
    "a size with a sign": b"+5\r\nhello\r\n0\r\n\r\n",
    "a size with a prefix": b"0x5\r\nhello\r\n0\r\n\r\n",
    "a size with a space before": b" 5\r\nhello\r\n0\r\n\r\n",
    "a size with a space behind": b"5 \r\nhello\r\n0\r\n\r\n",
    "a size with an underscore": b"0_5\r\nhello\r\n0\r\n\r\n",
    "no size": b"\r\nhello\r\n0\r\n\r\n",
    "only an extension": b";a=b\r\nhello\r\n0\r\n\r\n",
    "a negative size": b"-5\r\nhello\r\n0\r\n\r\n",
    "a size beyond 64 bits": b"10000000000000005\r\nhello\r\n0\r\n\r\n",
    "a size line with a bare line feed": b"5\nhello\r\n0\r\n\r\n",
    "a chunk that ends with a bare line feed": b"5\r\nhello\n0\r\n\r\n",
    "a chunk that ends with a bare carriage return": b"5\r\nhello\r0\r\n\r\n",
    "a chunk that is too long": b"5\r\nhello!!\r\n0\r\n\r\n",
    "a chunk that is too short": b"5\r\nhell\r\n0\r\n\r\n",
    "an extension with a bare carriage return": b"5;a\rb\r\nhello\r\n0\r\n\r\n",
    "an extension with a NUL": b"5;a\0b\r\nhello\r\n0\r\n\r\n",
    "a trailer that is no field": b"0\r\nGET /marker HTTP/1.1\r\n\r\n",
    "a folded trailer": b"0\r\nX-A: b\r\n c\r\n\r\n",
    "a last chunk with a bare line feed": b"0\n\n",
    "a trailer section that ends with a bare line feed": b"0\r\n\n",
}

HOSTILE_HEADS = {**HOSTILE_FRAMING, **HOSTILE_LINES, **HOSTILE_HOSTS, **HOSTILE_TARGETS}


def refusal_and_rest(client: Wire) -> int:
    """Read one refusal and the end of the connection; returns the status."""
    answer = client.message()
    assert answer.value("connection") == b"close"
    assert answer.value("content-type") == b"application/problem+json"
    client.shut()
    assert client.rest() == (b"", "closed")
    return answer.status


@pytest.mark.parametrize("case", HOSTILE_HEADS)
def test_a_doubtful_head_is_refused_and_nothing_of_it_or_behind_it_is_passed_on(bench: Bench, case: str) -> None:
    hostile, statuses = HOSTILE_HEADS[case]
    with bench.upstream() as upstream, bench.client() as client:
        client.send(hostile + request("GET", "/marker"))
        assert refusal_and_rest(client) in statuses
        assert upstream.received() == b""


@pytest.mark.parametrize("case", HOSTILE_HEADS)
def test_a_doubtful_head_behind_a_good_request_is_refused_alike(bench: Bench, case: str) -> None:
    hostile, statuses = HOSTILE_HEADS[case]
    with bench.upstream() as upstream, bench.client() as client:
        client.send(request("GET", "/good") + hostile + request("GET", "/marker"))
        assert client.answer().body == b"/good"
        assert refusal_and_rest(client) in statuses
        assert upstream.targets() == [b"/good"]
        assert upstream.received() == upstream.requests[0].raw


@pytest.mark.parametrize("case", HOSTILE_CHUNKS)
def test_a_doubtful_chunked_body_never_ends_well_and_nothing_behind_it_is_passed_on(bench: Bench, case: str) -> None:
    hostile = HOSTILE_CHUNKS[case]
    with bench.upstream() as upstream, bench.client() as client:
        client.send(head("POST /evil HTTP/1.1", "Host: a", "Transfer-Encoding: chunked") + hostile)
        client.send(request("GET", "/marker"))
        assert refusal_and_rest(client) == 400
    # The head was passed on before the doubt arose; the application must see a request that was cut short.
    assert upstream.requests == []
    assert b"/marker" not in upstream.received()
    assert not upstream.received().endswith(b"\r\n0\r\n\r\n")
    assert len(upstream.conversations) <= 1


def fate(client: Client) -> int | str:
    """The status of a refusal; or ``reset`` where the reset overtook it, since more was sent than was read."""
    try:
        return client.message().status
    except EndedError as ended:
        return ended.how


@pytest.mark.parametrize("size", [1, 2, 3, 7])
def test_a_doubtful_head_is_refused_however_it_is_cut_into_segments(bench: Bench, size: int) -> None:
    for hostile, statuses in list(HOSTILE_FRAMING.values())[size % 4 :: 4]:
        with bench.upstream() as upstream, bench.client() as client:
            with contextlib.suppress(ConnectionError):  # It is refused before its last byte.
                client.send_slowly(hostile + request("GET", "/marker"), size)
            assert fate(client) in {*statuses, 400, "reset"}
            assert upstream.requests == []
            assert b"/marker" not in upstream.received()


def with_trailer(name: str) -> bytes:
    body = b"5\r\nhello\r\n0\r\n" + f"{name}: 77\r\n\r\n".encode()
    return head("POST /up HTTP/1.1", "Host: a", "TE: trailers", "Transfer-Encoding: chunked", f"Trailer: {name}") + body


@pytest.mark.parametrize("name", ["X-Harmless", "Server-Timing", "X-Forwarded-For", "Grpc-Status"])
def test_trailers_are_never_passed_on(bench: Bench, name: str) -> None:
    with bench.upstream() as upstream, bench.client() as client:
        client.send(with_trailer(name))
        assert client.answer().status == 200
        [received] = upstream.requests
        assert received.body == b"hello"
        assert f"{name}: 77".encode() not in received.raw
        assert (received.value("trailer"), received.value("te")) == (None, None)


@pytest.mark.parametrize("name", ["Host", "content-length", "Transfer-Encoding", "Authorization", "Cookie", "Expect"])
def test_a_trailer_that_belongs_into_a_head_is_refused(bench: Bench, name: str) -> None:
    with bench.upstream() as upstream, bench.client() as client:
        client.send(with_trailer(name) + request("GET", "/marker"))
        assert refusal_and_rest(client) == 400
    assert upstream.requests == []
    assert b"/marker" not in upstream.received()


def test_chunk_extensions_are_dropped_and_bounded(bench: Bench) -> None:
    with bench.upstream() as upstream, bench.client() as client:
        client.send(head("POST /up HTTP/1.1", "Host: a", "Transfer-Encoding: chunked"))
        client.send(b'5;name="a;b" ;x\r\nhello\r\n0;last\r\n\r\n')
        assert client.answer().status == 200
        assert upstream.requests[0].raw.endswith(b"\r\n\r\n5\r\nhello\r\n0\r\n\r\n")
        client.send(head("POST /up HTTP/1.1", "Host: a", "Transfer-Encoding: chunked"))
        client.send(b"1;" + b"a" * 3000 + b"\r\nx\r\n" + (b"1;" + b"a" * 3000 + b"\r\nx\r\n") * 6)
        assert client.message().status == 400


@pytest.mark.parametrize(
    ("sent", "target", "host"),
    [
        ("GET http://other.example/a/b?c=d HTTP/1.1", b"/a/b?c=d", b"other.example"),
        ("GET HTTP://other.example:8080/a HTTP/1.1", b"/a", b"other.example:8080"),
        ("GET http://other.example HTTP/1.1", b"/", b"other.example"),
        ("GET https://other.example?q HTTP/1.1", b"/?q", b"other.example"),
        ("GET http://[::1]:80/a HTTP/1.1", b"/a", b"[::1]:80"),
        ("OPTIONS * HTTP/1.1", b"*", b"shop.example"),
        ("OPTIONS http://other.example HTTP/1.1", b"*", b"other.example"),
        ("GET //a//b HTTP/1.1", b"//a//b", b"shop.example"),
        ("GET /a?b=http://c/d?e HTTP/1.1", b"/a?b=http://c/d?e", b"shop.example"),
        ("GET /%7Ea%2Fb%00?x=%0d%0a HTTP/1.1", b"/%7Ea%2Fb%00?x=%0d%0a", b"shop.example"),
        ("GET /a;b=c/../d\\e HTTP/1.1", b"/a;b=c/../d\\e", b"shop.example"),
        ('GET /?{}|^`"<> HTTP/1.1', b'/?{}|^`"<>', b"shop.example"),
    ],
)
def test_the_application_gets_the_target_as_it_was_sent_in_origin_form(
    bench: Bench, sent: str, target: bytes, host: bytes
) -> None:
    with bench.upstream() as upstream:
        assert bench.ask(head(sent, "Host: shop.example")).status == 200
        [received] = upstream.requests
        assert (received.target, received.value("host")) == (target, host)


@pytest.mark.parametrize("host", ["a", "a.b:80", "127.0.0.1", "[::1]", "[::1]:8080", "xn--bcher-kva.example", "a_b"])
def test_every_form_of_host_is_passed_on(bench: Bench, host: str) -> None:
    with bench.upstream() as upstream:
        assert bench.ask(request("GET", "/", host=host)).status == 200
        assert upstream.requests[0].value("host") == host.encode()


def test_a_request_of_http_1_0_may_have_no_host(bench: Bench) -> None:
    with bench.upstream() as upstream:
        assert bench.ask(request("GET", "/", host=None, version="1.0")).status == 200
        assert upstream.requests[0].value("host") == f"127.0.0.1:{upstream.port}".encode()
        assert upstream.requests[0].value("x-forwarded-host") is None


def test_empty_lines_between_requests_are_skipped_however_they_are_cut(bench: Bench) -> None:
    with bench.upstream() as upstream, bench.client() as client:
        client.send_slowly(b"\r\n\r\n" + request("GET", "/one") + b"\r\n\r\n" + request("GET", "/two"))
        assert [client.answer().body, client.answer().body] == [b"/one", b"/two"]
        assert upstream.targets() == [b"/one", b"/two"]


def test_a_body_that_looks_like_a_request_stays_a_body(bench: Bench) -> None:
    inner = request("GET", "/inner")
    with bench.upstream() as upstream, bench.client() as client:
        client.send(request("POST", "/length", body=inner) + request("POST", "/chunks", chunks=(inner, inner)))
        client.send(request("GET", "/last"))
        assert [client.answer().body for _ in range(3)] == [b"/length", b"/chunks", b"/last"]
        assert [received.body for received in upstream.requests] == [inner, inner + inner, b""]


def test_a_chunked_body_reaches_the_application_chunked_and_whole_at_every_split(bench: Bench) -> None:
    body = b"6;x=y\r\nabcdef\r\n00A\r\n0123456789\r\n0\r\nX-T: 1\r\n\r\n"
    sent = head("POST /split HTTP/1.1", "Host: a", "Transfer-Encoding: Chunked") + body
    with bench.upstream() as upstream, bench.client() as client:
        start = len(sent) - len(body)
        for place in range(start - 3, len(sent)):
            client.send_slowly(sent[:place], len(sent))
            client.send(sent[place:])
            assert client.answer().body == b"/split"
        assert {received.body for received in upstream.requests} == {b"abcdef0123456789"}
