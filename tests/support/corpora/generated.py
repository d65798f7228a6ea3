"""Requests and answers made by hypothesis: valid ones, and ones with a spoiled framing."""

from dataclasses import dataclass

from hypothesis import strategies as st

TOKEN = "!#$%&'*+-.^_`|~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
OWN = {
    *("host", "connection", "content-length", "transfer-encoding", "expect", "upgrade", "te", "trailer"),
    *("keep-alive", "proxy-connection", "content_length", "transfer_encoding", "http2-settings"),
}
REPLACED = {
    *("forwarded", "front-end-https", "proxy", "traceparent", "tracestate", "x-forwarded-for", "x-forwarded-host"),
    *("x-forwarded-port", "x-forwarded-prefix", "x-forwarded-proto", "x-forwarded-protocol", "x-forwarded-scheme"),
    *("x-forwarded-server", "x-forwarded-ssl", "x-original-url", "x-real-ip", "x-request-id", "x-rewrite-url"),
}
"""What the gateway writes itself, or takes from nobody, however its dashes are spelled."""
METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "HEAD", "PROPFIND", "SEARCH"]

names = st.text(TOKEN, min_size=1, max_size=20).filter(
    lambda name: name.lower() not in OWN and name.lower().replace("_", "-") not in REPLACED
)
values = st.text(
    st.characters(codec="latin-1", exclude_characters="".join(map(chr, (*range(9), *range(10, 32), 127)))), max_size=40
)
SINGLE = {
    *("accept-encoding", "accept-language", "accept", "authorization", "content-encoding", "content-location"),
    *("content-range", "content-type", "date", "depth", "destination", "from", "if-match", "if-modified-since"),
    *("if-none-match", "if-range", "if-unmodified-since", "overwrite", "range", "referer", "user-agent", "via"),
}
"""Fields that come once (RFC 9110 §5.3), or of which nginx 1.22 takes one only; a valid request repeats others."""


def _fit_together(lines: list[str]) -> bool:
    single = [name for name in (line.partition(":")[0].lower() for line in lines) if name in SINGLE]
    return len(single) == len(set(single))


fields = st.lists(st.builds("{}: {}".format, names, values), max_size=12).filter(_fit_together)
targets = st.builds(
    "/{}".format,
    st.text("".join(map(chr, range(0x21, 0x7F))).replace("#", ""), max_size=60),
)
bodies = st.one_of(
    st.none(),
    st.builds(lambda body: ("length", body), st.binary(max_size=200)),
    st.builds(lambda chunks: ("chunks", chunks), st.lists(st.binary(min_size=1, max_size=80), max_size=4)),
)


def pair(line: str) -> tuple[bytes, bytes]:
    """Name in lower case and value of a line that ``fields`` made."""
    name, _, value = line.partition(":")
    return name.lower().encode(), value.strip(" \t").encode("latin-1")


FRAMING_LINES = [
    *(b"Content-Length: 5", b"Content-Length: 6", b"Content-Length: 0", b"content-length:5", b"Content-Length: 5,5"),
    *(
        b"Content-Length: 5 5",
        b"Content-Length:\x0b5",
        b"Content-Length: 5\t",
        b"Content_Length: 5",
        b"Content-Length: +5",
    ),
    *(b"Transfer-Encoding: chunked", b"transfer-encoding:\tChunked ", b"Transfer-Encoding : chunked"),
    *(
        b"Transfer-Encoding: chunked, identity",
        b"Transfer-Encoding: identity, chunked",
        b"Transfer-Encoding:\r\n chunked",
    ),
    *(b"Transfer-Encoding\x00: chunked", b"X: a\nTransfer-Encoding: chunked", b"X: a\rTransfer-Encoding: chunked"),
    *(b"Connection: close", b"Connection: keep-alive, Transfer-Encoding", b"Connection: Content-Length"),
    *(b"Expect: 100-continue", b"Upgrade: h2c", b"Connection: upgrade", b"Trailer: Content-Length", b"TE: trailers"),
    *(b"Host: other.example", b"\tX: y", b"X:y", b""),
]
CONTENTS = [
    *(b"hello", b"0\r\n\r\n", b"5\r\nhello\r\n0\r\n\r\n", b"5;\nhello\r\n0\r\n\r\n", b"05\r\nhello\r\n00\r\n\r\n"),
    *(
        b"5\r\nhello\r\n0\r\nContent-Length: 9\r\n\r\n",
        b"\r\n",
        b"",
        b"GET /smuggled HTTP/1.1\r\nHost: evil.example\r\n\r\n",
    ),
    b"0\r\n\r\nGET /smuggled HTTP/1.1\r\nHost: evil.example\r\n\r\n",
]
ENDS = [b"\r\n", b"\n", b"\r", b"\r\n ", b"\r\n\t", b"\r\r\n", b"\0\r\n", b""]
START = [b"GET /a HTTP/1.1", b"POST /a HTTP/1.1", b"POST /a HTTP/1.0", b"GET http://x/a HTTP/1.1", b"HEAD /a HTTP/1.1"]
_FRAMERS = [b"Content-Length", b"Transfer-Encoding", b"Connection", b"Host", b"Expect"]
_SPICE = [
    b" ",
    b"\t",
    b"\r",
    b"\n",
    b"\r\n",
    b"\0",
    b"\x0b",
    b"\x7f",
    b"\xa0",
    b",",
    b";",
    b":",
    b'"',
    b"_",
    b"-",
    b"+",
    b"0",
]
_VALUES = [b"5", b"0", b"chunked", b"identity", b"close", b"keep-alive", b"shop.example", b"100-continue", b"gzip"]


@st.composite
def spoiled_heads(draw: st.DrawFn) -> bytes:
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


@st.composite
def mutated_framers(draw: st.DrawFn) -> bytes:
    """Fields that frame, mutated: case, spaces, control bytes, repeated, split, in lists."""
    data = draw(st.sampled_from(START)) + b"\r\nHost: shop.example\r\n"
    for _ in range(draw(st.integers(1, 3))):
        name = draw(st.sampled_from(_FRAMERS))
        if draw(st.booleans()):
            name = draw(st.sampled_from([name.lower(), name.upper(), name.swapcase(), name.replace(b"-", b"_")]))
        line = name + b": " + b",".join(draw(st.lists(st.sampled_from(_VALUES), min_size=1, max_size=2)))
        for _ in range(draw(st.integers(0, 2))):
            place = draw(st.integers(0, len(line)))
            line = line[:place] + draw(st.sampled_from(_SPICE)) + line[place + draw(st.integers(0, 1)) :]
        data += line + b"\r\n"
    return data + b"\r\n" + draw(st.sampled_from(CONTENTS))


@st.composite
def spoiled_chunks(draw: st.DrawFn) -> bytes:
    """A chunked body with right and wrong borders, as one request."""
    body = b""
    for piece in (*draw(st.lists(st.binary(min_size=1, max_size=20), max_size=3)), b""):
        size = b"%x" % len(piece)
        border, end = b"\r\n", b"\r\n"
        if not draw(st.integers(0, 3)):
            size = draw(
                st.sampled_from(
                    [size.upper(), b"0" + size, b"+" + size, b" " + size, size + b" ", size + b";a=b", size + b";"]
                )
            )
        if not draw(st.integers(0, 5)):
            border = draw(st.sampled_from(ENDS))
        if not draw(st.integers(0, 5)):
            end = draw(st.sampled_from(ENDS))
        body += size + border + piece + end
    if draw(st.booleans()):
        place = draw(st.integers(0, max(len(body) - 1, 0)))
        body = (
            body[:place]
            + draw(st.one_of(st.sampled_from(_SPICE), st.just(b"")))
            + body[place + draw(st.integers(0, 1)) :]
        )
    return b"POST /a HTTP/1.1\r\nHost: shop.example\r\nTransfer-Encoding: chunked\r\n\r\n" + body


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer and what is behind it, as the application sends it."""

    data: bytes
    ends: bool
    """Whether the application closes then."""


_ANSWER_LINES = [
    *(line for line in FRAMING_LINES if not line.startswith((b"Host", b"Expect"))),
    *(b"Set-Cookie: a=b", b"X: " + b"y" * 200, b"Content-Length: 999999999999999999999", b"Content-Type: a/b"),
]
_STATUS_LINES = [
    *(
        b"HTTP/1.1 200 OK",
        b"HTTP/1.1 200 ",
        b"HTTP/1.0 200 OK",
        b"HTTP/1.1 204 No Content",
        b"HTTP/1.1 304 Not Modified",
    ),
    *(
        b"HTTP/1.1 404 Not\tFound",
        b"HTTP/1.1 103 Early Hints",
        b"HTTP/1.1 100 Continue",
        b"HTTP/1.1 200",
        b"HTTP/1.1  200 OK",
    ),
    *(b"HTTP/1.1 101 Switching", b"HTTP/2 200 OK", b"HTTP/1.1 99 X", b"http/1.1 200 OK", b"HTTP/1.1 599 \xe4"),
]


@st.composite
def spoiled_answers(draw: st.DrawFn) -> Answer:
    """A status line, plausible and hostile lines, a body that may not fit, and perhaps a forged answer behind it."""
    lines = [draw(st.sampled_from(_STATUS_LINES)), *draw(st.lists(st.sampled_from(_ANSWER_LINES), max_size=3))]
    data = b""
    for line in lines:
        data += line + (b"\r\n" if draw(st.integers(0, 9)) else draw(st.sampled_from(ENDS)))
    data += b"\r\n" + draw(st.sampled_from(CONTENTS))
    if not draw(st.integers(0, 3)):
        data += b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nforged"
    return Answer(data, ends=draw(st.integers(0, 4)) > 0)
