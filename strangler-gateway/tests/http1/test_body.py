"""Where a body ends: chunks and lengths read alike however they are cut, and nothing but exact framing is taken."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from strangler.http1.body import (
    CHUNKED,
    LAST_CHUNK,
    UNTIL_CLOSE,
    BodyReader,
    BoundedReader,
    ChunkedReader,
    ChunkError,
    CloseReader,
    LengthReader,
    body_reader,
    chunk,
    request_reader,
)
from strangler.http1.refusal import RequestRefused
from strangler.model.snapshot import Limits

WHOLE = b'5\r\nhello\r\n0A;name="x;y"\r\n 0123\r\n678\r\n1 ;e\r\n!\r\n000\r\nX-Sum: 1\r\nX-Other:\r\n\r\n'
CONTENT = b"hello 0123\r\n678!"


def feed(reader: BodyReader, *parts: bytes) -> tuple[bytes, bytes]:
    """Feed all parts; returns the content, and what was left over."""
    content = rest = b""
    for part in parts:
        if reader.done:
            rest += part
            continue
        pieces, left = reader.feed(part)
        assert all(pieces), "no piece is empty: it would be relayed as the end"
        content += b"".join(pieces)
        rest += left
    return content, rest


def test_a_chunked_body_and_what_follows_it_are_told_apart() -> None:
    reader = ChunkedReader()
    assert feed(reader, WHOLE + b"GET / HTTP/1.1\r\n") == (CONTENT, b"GET / HTTP/1.1\r\n")
    assert reader.done


@pytest.mark.parametrize("place", range(1, len(WHOLE) + 4))
def test_a_chunked_body_split_anywhere_equals_the_whole(place: int) -> None:
    reader = ChunkedReader()
    data = WHOLE + b"next"
    assert feed(reader, data[:place], data[place:]) == (CONTENT, b"next")
    assert reader.done


def test_a_chunked_body_byte_by_byte_equals_the_whole() -> None:
    reader = ChunkedReader()
    assert feed(reader, *(WHOLE[place : place + 1] for place in range(len(WHOLE)))) == (CONTENT, b"")
    assert reader.done


@given(
    content=st.lists(st.binary(min_size=1, max_size=300)), cuts=st.lists(st.integers(1, 40), min_size=1, max_size=30)
)
def test_what_was_cut_into_chunks_comes_out_as_it_was(content: list[bytes], cuts: list[int]) -> None:
    data = b"".join(map(chunk, content)) + LAST_CHUNK
    parts = []
    while data:
        size = cuts[len(parts) % len(cuts)]
        parts.append(data[:size])
        data = data[size:]
    reader = ChunkedReader()
    assert feed(reader, *parts) == (b"".join(content), b"")
    assert reader.done


@given(data=st.binary(max_size=60), place=st.integers(0, 60))
def test_garbage_is_judged_alike_however_it_is_cut(data: bytes, place: int) -> None:
    def judge(*parts: bytes) -> tuple[bytes, bytes] | str:
        try:
            return feed(ChunkedReader(), *parts)
        except ChunkError:
            return "refused"

    assert judge(data[:place], data[place:]) == judge(data)


NOT_CHUNKS = {
    "an empty size": b"\r\n",
    "a sign": b"+5\r\nhello\r\n",
    "a minus": b"-5\r\nhello\r\n",
    "a prefix": b"0x5\r\nhello\r\n",
    "an underscore": b"1_0\r\nhello\r\n",
    "a space before": b" 5\r\nhello\r\n",
    "a space behind": b"5 \r\nhello\r\n",
    "a letter beyond f": b"g\r\n",
    "sixteen digits": b"0000000000000005\r\nhello\r\n",
    "a bare line feed": b"5\nhello\r\n",
    "a bare carriage return in an extension": b"5;a\rb\r\nhello\r\n",
    "a NUL in an extension": b"5;a\0\r\nhello\r\n",
    "only an extension": b";a\r\nhello\r\n",
    "too much content": b"5\r\nhello!\r\n",
    "content without its end": b"5\r\nhello0\r\n\r\n",
    "content with a bare line feed": b"5\r\nhello\n0\r\n\r\n",
    "a trailer without a colon": b"0\r\nGET / HTTP/1.1\r\n\r\n",
    "a folded trailer": b"0\r\nX: 1\r\n\tmore\r\n\r\n",
    "a trailer with a bare carriage return": b"0\r\nX: 1\rY: 2\r\n\r\n",
    "an end with a bare line feed": b"0\r\n\n",
}


@pytest.mark.parametrize("case", NOT_CHUNKS)
def test_anything_but_exact_chunks_is_refused(case: str) -> None:
    with pytest.raises(ChunkError):
        feed(ChunkedReader(), NOT_CHUNKS[case])
    with pytest.raises(ChunkError):
        feed(ChunkedReader(), *(bytes((byte,)) for byte in NOT_CHUNKS[case]))


def test_a_line_is_bounded_also_while_it_has_no_end() -> None:
    reader = ChunkedReader(Limits(chunk_line_bytes=4096))
    feed(reader, b"1;" + b"a" * 4094)
    with pytest.raises(ChunkError, match="longer than 4096"):
        reader.feed(b"a")


@pytest.mark.parametrize(
    ("sent", "limits"),
    [
        (b"1;aaa\r\nx\r\n2;bbb\r\nxx\r\n", Limits(chunk_extension_bytes=7)),
        (b"0\r\nX: 1\r\nY: 2\r\nZ: 3\r\n", Limits(trailer_count=2)),
        (b"0\r\nX: 1\r\nY: 2\r\n", Limits(trailer_bytes=11)),
        (b"0\r\nX: 1\r\n", Limits(trailer_count=0)),
        (b"1;" + b"a" * 1000 + b"\r\nx\r\n" + (b"1;" + b"a" * 1000 + b"\r\nx\r\n") * 16, Limits()),
        (b"0\r\n" + b"X: y\r\n" * 101, Limits()),
        (b"0\r\n" + (b"X: " + b"a" * 4000 + b"\r\n") * 5, Limits()),
    ],
)
def test_what_carries_no_content_is_bounded(sent: bytes, limits: Limits) -> None:
    with pytest.raises(ChunkError, match="more than"):
        ChunkedReader(limits).feed(sent)


@pytest.mark.parametrize(
    ("sent", "limits"),
    [
        (b"1;aaa\r\nx\r\n2;bb\r\nxx\r\n0\r\n\r\n", Limits(chunk_extension_bytes=7)),
        (b"0\r\nX: 1\r\nY: 2\r\n\r\n", Limits(trailer_count=2, trailer_bytes=12)),
        (b"0\r\n\r\n", Limits(trailer_count=0, trailer_bytes=0, chunk_extension_bytes=0)),
    ],
)
def test_what_just_fits_is_not_refused(sent: bytes, limits: Limits) -> None:
    reader = ChunkedReader(limits)
    reader.feed(sent)
    assert reader.done


@pytest.mark.parametrize("name", ["Content-Length", "transfer-encoding", "HOST", "Trailer", "TE", "Upgrade"])
def test_a_trailer_that_would_change_the_framing_is_refused_both_ways(name: str) -> None:
    for reader in (body_reader(CHUNKED), request_reader(CHUNKED, Limits())):
        with pytest.raises(ChunkError, match="cannot be a trailer"):
            reader.feed(f"0\r\n{name}: 5\r\n\r\n".encode())


@pytest.mark.parametrize("name", ["Authorization", "cookie", "Content-Type", "Expect", "Forwarded"])
def test_a_trailer_that_says_who_asks_is_refused_in_requests_only(name: str) -> None:
    sent = f"0\r\n{name}: 5\r\n\r\n".encode()
    with pytest.raises(ChunkError, match="cannot be a trailer"):
        request_reader(CHUNKED, Limits()).feed(sent)
    reader = body_reader(CHUNKED)
    reader.feed(sent)
    assert reader.done


def test_a_bounded_body_may_be_as_long_as_its_bound_and_no_longer() -> None:
    sent = chunk(b"12345") + chunk(b"67890") + LAST_CHUNK
    for cut in range(1, len(sent)):
        enough = BoundedReader(ChunkedReader(), 10)
        assert feed(enough, sent[:cut], sent[cut:]) == (b"1234567890", b"")
        assert enough.done
        with pytest.raises(RequestRefused) as refused:
            feed(BoundedReader(ChunkedReader(), 9), sent[:cut], sent[cut:])
        assert refused.value.status == 413


@given(length=st.integers(1, 500), parts=st.lists(st.binary(min_size=1, max_size=100), min_size=1))
def test_a_body_of_known_length_ends_exactly_there(length: int, parts: list[bytes]) -> None:
    reader = LengthReader(length)
    data = b"".join(parts)
    assert feed(reader, *parts) == (data[:length], data[length:])
    assert reader.done is (len(data) >= length)


def test_a_body_of_no_length_is_done_before_it_begins() -> None:
    assert LengthReader(0).done


def test_a_body_until_close_takes_everything_and_never_ends_by_itself() -> None:
    reader = CloseReader()
    assert feed(reader, b"0\r\n\r\n", b"more") == (b"0\r\n\r\nmore", b"")
    assert not reader.done


@pytest.mark.parametrize(("length", "kind"), [(5, LengthReader), (CHUNKED, ChunkedReader), (UNTIL_CLOSE, CloseReader)])
def test_each_framing_has_its_reader(length: int, kind: type) -> None:
    assert type(body_reader(length)) is kind
