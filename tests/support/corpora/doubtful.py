"""Requests whose framing, line or host can be read in more than one way: every spelling that we know, crossed."""
# ruff: noqa: E501 - these are tables

from collections.abc import Iterator

from support.raw_http import request

Doubt = tuple[str, bytes, bool | None]
"""A name, what is sent, and whether it has to be refused; None where strict and lenient readers are both right."""

SMUGGLED = b"GET /smuggled HTTP/1.1\r\nHost: evil.example\r\n\r\n"
"""Stands where a reader that goes wrong would see a request."""

CODING_NAMES = [
    "Transfer-Encoding", "transfer-encoding", "TRANSFER-ENCODING", "tRANSFER-eNCODING", "Transfer-Encoding ", "Transfer-Encoding\t",
    " Transfer-Encoding", "\tTransfer-Encoding", "Transfer-Encoding\0", "\0Transfer-Encoding", "Transfer-\0Encoding",
    "Transfer-Encoding\x0b", "Transfer-Encoding\x0c", "Transfer-Encoding\x1f", "Transfer-Encoding\x7f", "Transfer-Encoding\xa0",
    "Transfer-Encoding\x85", "Transfer\u00adEncoding", "Transfer_Encoding", "TRANSFER_ENCODING", "Transfer Encoding", "X: y\nTransfer-Encoding",
    "X: y\rTransfer-Encoding", "X: y\r\r\nTransfer-Encoding", "X: y\r\n Transfer-Encoding", "X\r\nTransfer-Encoding",
    ":Transfer-Encoding", "Transfer-Encoding:", '"Transfer-Encoding"', "(Transfer-Encoding)", "Transfer-Encoding\\", "Transfer-Encoding,",
]  # fmt: skip
CODING_VALUES = [
    "chunked", "Chunked", "CHUNKED", "chunked ", "\tchunked", "chunked\t", " chunked  ", "chunked,", ",chunked", ", chunked ,",
    "chunked, chunked", "chunked;q=1", "chunked; ext", '"chunked"', "'chunked'", "chunke", "chunkedd", "xchunked", "chunked x",
    "x chunked", "chun ked", "chun\tked", "c\u0127unked".encode().decode("latin-1"), "\x0bchunked", "chunked\x0b", "\x0cchunked", "chunked\0", "\0chunked", "\xa0chunked",
    "chunked\x85", "chunked\r", "\rchunked", "chunked\n", "\n chunked", "chunked\r\n ", "\r\n chunked", "\r\n\tchunked", "identity",
    "identity, chunked", "chunked, identity", "gzip", "gzip, chunked", "chunked, gzip", "deflate", "compress,chunked", "trailers",
    "null", "", " ", ",", "0", "chunked\r\nTransfer-Encoding: identity", "identity\r\nTransfer-Encoding: chunked",
    "chunked\r\nTransfer-Encoding: chunked", "\r\nTransfer-Encoding: chunked", "chunked\r\ntransfer_encoding: x",
]  # fmt: skip
LENGTH_NAMES = [
    "Content-Length", "content-length", "Content-Length ", " Content-Length", "Content-Length\t", "Content_Length", "Content-Length\0",
    "Content Length", "X: y\nContent-Length", "X: y\rContent-Length", "X: y\r\n\tContent-Length", "Content-Length:", "Content-Length\x0b",
    "Content-Length\xa0", "\x00Content-Length",
]  # fmt: skip
LENGTH_VALUES = [
    "{n}", " {n}", "{n} ", "\t{n}\t", "+{n}", "-{n}", "0{n}", "00{n}", "{n}.0", "{n}e0", "0x{n}", "{n}h", "{n},{n}", "{n}, {n}", "{n},", ",{n}", "{n};",
    "{n} {n}", "{n}\t0", "{n}_0", "'{n}'", '"{n}"', "{n}\0", "\0{n}", "{n}\x0b", "\x0c{n}", "\xa0{n}", "{n}\x85", "\xb2", "{n}\r", "{n}\n", "\r\n {n}", "{n}\r\n 0",
    "", " ", "-0", "+0", "NaN", "Infinity", "1e1", "18446744073709551616", "18446744073709551615", "9223372036854775808",
    "4294967296{n}", "-1", "{n}\r\nContent-Length: {n}", "{n}\r\nContent-Length: 0", "0\r\nContent-Length: {n}", "{n}\r\ncontent-length: 1",
    "{n}\r\nContent_Length: 0", "{n}\r\nTransfer-Encoding: chunked", "{n}\r\nTransfer-Encoding: identity", "{n}\r\nTransfer-Encoding:",
    "{n}\r\nTransfer-Encoding: \x0bchunked", "{n}\r\nTransfer-Encoding : chunked", "{n}\r\nTransfer-Encoding: chunked, identity",
]  # fmt: skip
LINES = [
    "GET  /doubt HTTP/1.1", "GET /doubt  HTTP/1.1", " GET /doubt HTTP/1.1", "GET /doubt HTTP/1.1 ", "GET\t/doubt HTTP/1.1", "GET /doubt\tHTTP/1.1",
    "GET\x0b/doubt HTTP/1.1", "GET /doubt\x0cHTTP/1.1", "GET\xa0/doubt HTTP/1.1", "GET /doubt HTTP/1.1\t", "GET /doubt HTTP/1.1\0", "GET /doubt\0 HTTP/1.1",
    "G\0ET /doubt HTTP/1.1", "GET /doubt HTTP/1.1\r", "GET /doubt HTTP/1.1\n", "GET /doubt\r HTTP/1.1", "GET /doubt\n HTTP/1.1", "\rGET /doubt HTTP/1.1",
    "\nGET /doubt HTTP/1.1", "\0GET /doubt HTTP/1.1", "\xef\xbb\xbfGET /doubt HTTP/1.1", "GET /doubt", "GET /doubt HTTP/", "GET /doubt HTTP/1", "GET /doubt HTTP/1.",
    "GET /doubt HTTP/11", "GET /doubt HTTP/1.1.1", "GET /doubt HTTP/1.01", "GET /doubt HTTP/+1.1", "GET /doubt HTTP/1 .1", "GET /doubt HTTP /1.1", "GET /doubt HTTP/1,1",
    "GET /doubt HTTP/0.9", "GET /doubt HTTP/1.2", "GET /doubt HTTP/1.9", "GET /doubt HTTP/2.0", "GET /doubt HTTP/3.0", "GET /doubt Http/1.1", "GET /doubt http/1.1", "GET /doubt HTTPS/1.1",
    "GET /doubt XTTP/1.1", "GET /doubt RTSP/1.0", "GET /doubt ICE/1.0", "get /doubt HTTP/1.1", "Get /doubt HTTP/1.1", "GE\u00d4 /doubt HTTP/1.1", "G=T /doubt HTTP/1.1", "GET: /doubt HTTP/1.1", "FOO /doubt HTTP/1.1",
    "GET doubt HTTP/1.1", "GET ?doubt HTTP/1.1", "GET \\doubt HTTP/1.1", "GET #/doubt HTTP/1.1", "GET /doubt#x HTTP/1.1", "GET /doubt# HTTP/1.1", "GET * HTTP/1.1", "OPTIONS ** HTTP/1.1",
    "GET /doubt HTTP/1.1 HTTP/1.1", "GET /do ubt HTTP/1.1", "GET /doubt\x7f HTTP/1.1", "GET /doubt\x01 HTTP/1.1", "GET /doubt\xff HTTP/1.1", "GET http:/doubt HTTP/1.1", "GET http:///doubt HTTP/1.1",
    "GET http://a b/doubt HTTP/1.1", "GET http://u@a/doubt HTTP/1.1", "GET http://a:b/doubt HTTP/1.1", "GET http://a\\@b/doubt HTTP/1.1", "GET //u@a:b\\/doubt# HTTP/1.1", "GET ws://a/doubt HTTP/1.1", "GET javascript:doubt HTTP/1.1",
    "CONNECT a:80 HTTP/1.1", "CONNECT /doubt HTTP/1.1", "CONNECT http://a/doubt HTTP/1.1", "PRI * HTTP/2.0", "HTTP/1.1 200 OK", "",
]  # fmt: skip
HOSTS = [
    "", " ", "a b", "a\tb", "a,b", "a, b", "u@a", "u:p@a", "a/b", "a\\b", "a?b", "a#b", "a:b", "a:1:2", "a:-1", "a:+1", "a: 1", "a :1", "a:0x50", "[::1", "::1]", "[", "[]", "[::1]x", "[::1]:x",
    "a\0", "\0a", "a\r", "a\n", "\x0ba", "a\x7f", "a\xe4", "a;b\0", '"a"', "<a>", "a|b", "a^b", "{a}", "http://a", "//a", "*\0", "a\r\n b", "\r\n a", "a\r\nHost: a", "a\r\nHost: b", "a\r\nhost: b", "a\r\nHost : b",
    "a\r\nHost\t: b", "a\r\n Host: b", "a\r\nHost:", "a" * 300,
]  # fmt: skip
CHUNKS = [
    "+5\r\nhello\r\n0\r\n\r\n", "-5\r\nhello\r\n0\r\n\r\n", "0x5\r\nhello\r\n0\r\n\r\n", " 5\r\nhello\r\n0\r\n\r\n", "5 \r\nhello\r\n0\r\n\r\n", "5\t\r\nhello\r\n0\r\n\r\n",
    "\t5\r\nhello\r\n0\r\n\r\n", "5\0\r\nhello\r\n0\r\n\r\n", "5\x0b\r\nhello\r\n0\r\n\r\n", "5h\r\nhello\r\n0\r\n\r\n", "5.0\r\nhello\r\n0\r\n\r\n", "5_\r\nhello\r\n0\r\n\r\n", "0_5\r\nhello\r\n0\r\n\r\n", "5,5\r\nhello\r\n0\r\n\r\n",
    "\xb2\r\nhe\r\n0\r\n\r\n", "\r\nhello\r\n0\r\n\r\n", ";a\r\nhello\r\n0\r\n\r\n", "5\rhello\r\n0\r\n\r\n", "5\nhello\r\n0\r\n\r\n", "5\r\r\nhello\r\n0\r\n\r\n", "5\n\r\nhello\r\n0\r\n\r\n", "5\r\nhello\n0\r\n\r\n", "5\r\nhello\r0\r\n\r\n",
    "5\r\nhello0\r\n\r\n", "5\r\nhello\r\r\n0\r\n\r\n", "5\r\nhello \r\n0\r\n\r\n", "5\r\nhello!\r\n0\r\n\r\n", "5\r\nhell\r\n0\r\n\r\n", "5\r\nhello\r\n\r\n0\r\n\r\n", "5\r\nhello\r\n0\n\r\n", "5\r\nhello\r\n0\r\n\n", "5\r\nhello\r\n0\n\n", "5\r\nhello\r\n0\r\r\n\r\n",
    "5\r\nhello\r\n0\r\n\rX", "5\r\nhello\r\n-0\r\n\r\n", "5\r\nhello\r\n+0\r\n\r\n", "5\r\nhello\r\n0x0\r\n\r\n", "5\r\nhello\r\n 0\r\n\r\n", "5\r\nhello\r\n0 \r\n\r\n", "5;\nhello\r\n0\r\n\r\n", "5;a\nb\r\nhello\r\n0\r\n\r\n", "5;a\rb\r\nhello\r\n0\r\n\r\n",
    "5;a\0\r\nhello\r\n0\r\n\r\n", "10000000000000005\r\nhello\r\n0\r\n\r\n", "FFFFFFFFFFFFFFFF\r\nhello\r\n0\r\n\r\n", "FFFFFFFFFFFFFFFFFFFFFFFF\r\nhello\r\n0\r\n\r\n", "0000000000000000000005\r\nhello\r\n0\r\n\r\n", "5\r\nhello\r\n0\r\nX\r\n\r\n", "5\r\nhello\r\n0\r\n X: y\r\n\r\n",
    "5\r\nhello\r\n0\r\nX: y\r\n z\r\n\r\n", "5\r\nhello\r\n0\r\nX: y\n\r\n", "5\r\nhello\r\n0\r\nX: y\rZ: a\r\n\r\n", "5\r\nhello\r\n0\r\nX\0: y\r\n\r\n", "5\r\nhello\r\n0\r\nGET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n",
]  # fmt: skip


def codings() -> Iterator[Doubt]:
    """Every spelling of a Transfer-Encoding, alone and beside a Content-Length."""
    for name in CODING_NAMES:
        for value in CODING_VALUES if name.lower() == "transfer-encoding" else CODING_VALUES[:1]:
            plain = name.lower() == "transfer-encoding" and value.strip(" ").lower() == "chunked"
            lenient = name.lower() == "transfer-encoding" and value.strip(" \t").lower() == "chunked"
            for lengths in ((), (f"Content-Length: {5 + len(SMUGGLED)}",)):
                for order in (1, -1) if lengths else (1,):
                    fields = (f"{name}: {value}", *lengths)[::order]
                    head = request("POST", "/doubt", *fields)
                    refused = True if lengths or not lenient else False if plain else None
                    yield f"{fields!r}", head + b"0\r\n\r\n" + SMUGGLED, refused


def lengths() -> Iterator[Doubt]:
    """Every spelling of a Content-Length."""
    count = str(len(SMUGGLED))
    for name in LENGTH_NAMES:
        for pattern in LENGTH_VALUES if name.lower() == "content-length" else LENGTH_VALUES[:1]:
            value = pattern.replace("{n}", count)
            bare = value.strip(" \t")
            exact = name.lower() == "content-length" and bare == count
            long = name.lower() == "content-length" and bare.isdecimal() and len(bare) < 16 and bare[0] != "0"
            field = f"{name}: {value}"
            yield f"{field!r}", request("POST", "/doubt", field) + SMUGGLED, False if exact else None if long else True


def lines() -> Iterator[Doubt]:
    """Request lines."""
    for line in LINES:
        yield repr(line), line.encode("latin-1") + b"\r\nHost: shop.example\r\n\r\n", True


def expectations() -> Iterator[Doubt]:
    """What a client may wait for."""
    for value in (
        "100-continue\r\nExpect: 100-continue",
        "100-continue, 100-continue",
        "100-continue;q=1",
        "",
        "200-ok",
        "100-continue\0",
    ):
        yield f"Expect: {value!r}", request("POST", "/doubt", f"Expect: {value}", body=b"hello"), True


def hosts() -> Iterator[Doubt]:
    """Hosts, in the field and in an absolute target."""
    for host in HOSTS:
        yield f"Host: {host!r}", request("GET", "/doubt", f"Host: {host}", host=None), None if host == "a,b" else True
        if not set(host) & set(" \r\n\t/?") and host:
            yield f"target of {host!r}", request("GET", f"http://{host}/doubt"), None if host == "a,b" else True


def chunks() -> Iterator[Doubt]:
    """Chunked bodies. Their heads may have been passed on before the doubt arose."""
    for body in CHUNKS:
        for method in ("POST", "HEAD"):
            head = request(method, "/doubt", "Transfer-Encoding: chunked")
            yield f"{method} {body!r}", head + body.encode("latin-1") + SMUGGLED, True


DOUBTFUL = {
    "codings": codings,
    "lengths": lengths,
    "lines": lines,
    "expectations": expectations,
    "hosts": hosts,
    "chunks": chunks,
}
