"""Heads that are written can be read again and say the same."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from strangler.http1.body import CHUNKED
from strangler.http1.request import RequestParser
from strangler.http1.response import ResponseParser
from strangler.http1.serializer import REPLACED, request_head, response_head, status_line
from strangler.model.snapshot import Limits

PARSER = RequestParser(Limits())
names = st.text("abcdefghijklmnopqrstuvwxyzABCXYZ-0123456789", min_size=1, max_size=12).map(lambda name: f"X{name}")
values = st.text(st.characters(min_codepoint=0x21, max_codepoint=0x7E), max_size=30)


@given(
    method=st.sampled_from(["GET", "POST", "PUT", "DELETE", "OPTIONS"]),
    pairs=st.lists(st.tuples(names, values), max_size=8),
    framing=st.sampled_from(["", "Content-Length: 0", "Content-Length: 42", "Transfer-Encoding: chunked"]),
)
def test_a_request_that_was_read_and_written_reads_as_before(
    method: str, pairs: list[tuple[str, str]], framing: str
) -> None:
    lines = [f"{method} /a?b HTTP/1.1", "Host: shop.example", *(f"{name}: {value}" for name, value in pairs)]
    first = PARSER.parse("\r\n".join((*lines, *([framing] if framing else []), "", "")).encode())
    written = request_head(first, first.host, REPLACED, b"\r\nX-Added: 1")
    second = PARSER.parse(written)
    assert (second.method, second.target, second.host) == (first.method, first.target, first.host)
    assert second.length == first.length
    expected = [*(line.encode() for line in lines[2:]), b"X-Added: 1"]
    kept = second.fields.block_without(frozenset((b"host", b"content-length", b"transfer-encoding")))
    assert kept == b"".join(b"\r\n" + line for line in expected)


@pytest.mark.parametrize(
    ("method", "framing", "written"),
    [
        ("GET", "", []),
        ("GET", "Content-Length: 3", [b"Content-Length: 3"]),
        ("POST", "", [b"Content-Length: 0"]),
        ("PATCH", "Content-Length: 0", [b"Content-Length: 0"]),
        ("DELETE", "Transfer-Encoding: CHUNKED", [b"Transfer-Encoding: chunked"]),
    ],
)
def test_the_length_is_written_anew_and_once(method: str, framing: str, written: list[bytes]) -> None:
    lines = (f"{method} / HTTP/1.1", "Host: a", *([framing] if framing else []), "", "")
    data = request_head(PARSER.parse("\r\n".join(lines).encode()), b"a", REPLACED, b"\r\nX: y")
    assert [line for line in data.split(b"\r\n") if line.lower().startswith((b"content-", b"transfer-"))] == written


def test_what_connection_names_is_not_written() -> None:
    head = PARSER.parse(b"GET / HTTP/1.1\r\nHost: a\r\nConnection: x-hop, keep-alive\r\nX-Hop: 1\r\nX-Kept: 1\r\n\r\n")
    written = request_head(head, b"b", REPLACED, b"\r\nX: y")
    assert written == b"GET / HTTP/1.1\r\nHost: b\r\nX-Kept: 1\r\nX: y\r\n\r\n"


@given(
    status=st.integers(200, 599).filter(lambda status: status not in {204, 304}),
    reason=st.text("abc DEF'", max_size=12),
    pairs=st.lists(st.tuples(names, values), max_size=8),
)
def test_a_response_that_was_written_reads_as_it_was(status: int, reason: str, pairs: list[tuple[str, str]]) -> None:
    fields = b"".join(f"\r\n{name}: {value}".encode() for name, value in pairs)
    data = response_head(status, reason.strip().encode(), fields, b"\r\nTransfer-Encoding: chunked")
    head = ResponseParser().parse(data, bodiless=False)
    assert (head.status, head.reason, head.fields, head.length) == (status, reason.strip().encode(), fields, CHUNKED)


def test_the_upstreams_own_reason_is_kept() -> None:
    assert status_line(200, b"OK") == b"HTTP/1.1 200 OK"
    assert status_line(200, b"Fine") == b"HTTP/1.1 200 Fine"
    assert status_line(599, b"") == b"HTTP/1.1 599 "
