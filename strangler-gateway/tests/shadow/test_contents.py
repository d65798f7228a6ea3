"""Contents that are no JSON, or are not sent as they are: codings, text, forms, bytes."""

import gzip
import tracemalloc
import zlib
from collections.abc import Callable

import pytest

from strangler.shadow.answer import Answer
from strangler.shadow.comparison import Kind
from strangler.shadow.content import decoded

from .pairs import JSON, answer, compare, found

FORM = "application/x-www-form-urlencoded"
TEXT = "text/plain; charset=utf-8"
MOST = 2 * 1024 * 1024


def raw_deflate(data: bytes) -> bytes:
    packer = zlib.compressobj(wbits=-15)
    return packer.compress(data) + packer.flush()


CODINGS: list[tuple[str, Callable[[bytes], bytes]]] = [
    ("gzip", gzip.compress),
    ("X-GZIP", gzip.compress),
    ("deflate", zlib.compress),
    ("deflate", raw_deflate),
    ("identity", bytes),
    ("gzip, deflate", lambda data: zlib.compress(gzip.compress(data))),
    ("gzip", lambda data: gzip.compress(data[:5]) + gzip.compress(data[5:])),
]


def encoded(body: bytes, coding: str, kind: str = JSON) -> Answer:
    return answer(body, kind=kind, headers=[("Content-Encoding", coding)])


@pytest.mark.parametrize(("coding", "encode"), CODINGS)
def test_a_coding_is_no_difference_and_what_is_in_it_is(coding: str, encode: Callable[[bytes], bytes]) -> None:
    assert found(compare(answer(b'{"a": 1}'), encoded(encode(b'{"a": 1}'), coding))) == []
    assert found(compare(answer(b'{"a": 1}'), encoded(encode(b'{"a": 2}'), coding))) == [("body.a", Kind.VALUE)]


@pytest.mark.parametrize(
    ("body", "coding"),
    [
        (b"no gzip", "gzip"),
        (gzip.compress(b"{}" * 99, mtime=0)[:-9], "gzip"),
        (b"x", "br"),
        (b"x", "gzip, gzip, gzip"),
        (b"", "zstd"),
    ],
)
def test_what_cannot_be_decoded_is_a_difference_and_told(body: bytes, coding: str) -> None:
    comparison = compare(answer(b"{}"), encoded(body, coding))
    assert found(comparison) == [("body", Kind.FORMAT)]
    assert comparison.cut[0].startswith("body of the candidate: ")


def test_the_same_bytes_in_the_same_unknown_coding_are_equal() -> None:
    assert compare(encoded(b"\x0b\x02", "br"), encoded(b"\x0b\x02", "br")).differences == ()


def test_a_bomb_is_decoded_no_further_than_is_allowed() -> None:
    bomb = gzip.compress(bytes(200 * 1024 * 1024), compresslevel=9)
    tracemalloc.start()
    content = decoded(bomb, "gzip", MOST)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert (len(content.data), content.cut) == (MOST, "after 2097152 bytes")
    assert peak < 4 * MOST


def test_a_small_bomb_is_decoded_no_further_than_its_size_allows() -> None:
    bomb = gzip.compress(bytes(1024 * 1024))
    content = decoded(bomb, "gzip", MOST)
    assert len(content.data) < 300 * len(bomb)
    assert content.cut == f"after {len(content.data)} bytes, 250 times its encoded size"


def test_a_bomb_in_a_bomb_is_not_decoded() -> None:
    bomb = gzip.compress(gzip.compress(bytes(100 * 1024 * 1024)))
    content = decoded(bomb, "gzip, gzip", 64 * 1024)
    assert content.trouble or len(content.data) <= 64 * 1024


def test_a_file_of_many_gzip_members_is_given_up() -> None:
    assert "gzip members" in decoded(gzip.compress(b"x") * 10_000, "gzip", MOST).trouble


TEXTS = [
    ("a line", "a\nb\nc", "a\nx\nc", [("body.lines[]", Kind.VALUE)]),
    ("a line missing", "a\nb\nc", "a\nc", [("body.lines", Kind.LENGTH)]),
    ("lines in another order", "a\nb", "b\na", [("body.lines", Kind.ORDER)]),
    ("an end of line", "a\r\nb", "a\nb", [("body.lines[]", Kind.VALUE)]),
    ("the last end of line", "a\n", "a", [("body.lines", Kind.LENGTH)]),
]


@pytest.mark.parametrize(("primary", "candidate", "expected"), [case[1:] for case in TEXTS], ids=[c[0] for c in TEXTS])
@pytest.mark.parametrize("kind", [TEXT, "application/xml", "text/html", "application/javascript"])
def test_text_is_compared_line_by_line(
    primary: str, candidate: str, expected: list[tuple[str, Kind]], kind: str
) -> None:
    assert found(compare(answer(primary, kind=kind), answer(candidate, kind=kind))) == expected


def test_a_line_is_told_by_its_number() -> None:
    (difference,) = compare(answer("a\nb", kind=TEXT), answer("a\nc", kind=TEXT)).differences
    assert (difference.at, difference.primary, difference.candidate) == ("body.lines[1]", '"b"', '"c"')


def test_text_is_the_same_in_two_charsets() -> None:
    one = answer("é\nx".encode(), kind="text/plain; charset=utf-8")
    other = answer("é\ny".encode("latin-1"), kind="text/plain; charset=iso-8859-1")
    assert found(compare(one, other)) == [("header.content-type", Kind.VALUE), ("body.lines[]", Kind.VALUE)]


@pytest.mark.parametrize("charset", ["idna", "hex", "no-such", "punycode"])
def test_text_in_a_charset_that_is_not_read_is_compared_by_its_digest(charset: str) -> None:
    kind = f"text/plain; charset={charset}"
    (difference,) = compare(answer("a\nb", kind=kind), answer("a\nc", kind=kind)).differences
    assert difference.field == "body"
    assert "SHA-256" in difference.primary


FORMS = [
    ("a value", "a=1&b=2", "a=1&b=3", [("body.b", Kind.VALUE)]),
    ("another order of names", "a=1&b=2", "b=2&a=1", []),
    ("escapes", "a=%41+b", "a=A%20b", []),
    ("a name missing", "a=1&b=2", "a=1", [("body.b", Kind.MISSING)]),
    ("an empty value is there", "a=", "", [("body", Kind.MISSING)]),
    ("a repeated name", "a=1&a=2", "a=2&a=1", [("body.a", Kind.ORDER)]),
]


@pytest.mark.parametrize(("primary", "candidate", "expected"), [case[1:] for case in FORMS], ids=[c[0] for c in FORMS])
def test_forms(primary: str, candidate: str, expected: list[tuple[str, Kind]]) -> None:
    assert found(compare(answer(primary, kind=FORM), answer(candidate, kind=FORM))) == expected


def test_bytes_are_compared_by_their_digest() -> None:
    one, other = answer(b"\x89PNG\x00", kind="image/png"), answer(b"\x89PNG\x01", kind="image/png")
    (difference,) = compare(one, other).differences
    assert (difference.field, difference.kind) == ("body", Kind.VALUE)
    assert difference.primary.startswith('"5 bytes, SHA-256 ')
    assert difference.primary != difference.candidate


def test_an_answer_without_a_type_is_compared_as_bytes() -> None:
    assert found(compare(answer("a", kind=""), answer("b", kind=""))) == [("body", Kind.VALUE)]
