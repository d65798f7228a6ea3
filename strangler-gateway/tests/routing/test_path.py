"""Which paths can be read in more than one way."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from strangler.routing.path import is_plain, read_path

AMBIGUOUS = [
    b"/a//b", b"/a/../b", b"/a/./b", b"/a/..", b"/a/.", b"/a%2Fb", b"/a%2fb", b"/a%5Cb", b"/a\\b", b"/a;x=1/b",
    b"/a%3Bx", b"/%2e%2e/b", b"/a/%2e%2e/b", b"/a%252Fb", b"/%252e%252e/a", b"/a%00", b"/a%0d%0ab", b"/a%7f", b"/a%zz",
    b"/a%", b"//a", b"/a/%2e/b",
]  # fmt: skip
CLEAR = [
    b"/",
    b"/a",
    b"/a/",
    b"/a/b",
    b"/caf%C3%A9",
    b"/a%20b",
    b"/%7Euser",
    b"/a.b/c.html",
    b"/a..b",
    b"/100%25",
    b"/...a",
]


@pytest.mark.parametrize("path", AMBIGUOUS)
def test_applications_may_disagree_on(path: bytes) -> None:
    assert not is_plain(path)
    assert read_path(path).ambiguous


@pytest.mark.parametrize("path", CLEAR)
def test_applications_agree_on(path: bytes) -> None:
    assert is_plain(path) or not read_path(path).ambiguous


@pytest.mark.parametrize(
    ("path", "lenient"),
    [
        (b"/a/../b", b"/b"), (b"/../../a", b"/a"), (b"/a%2Fb", b"/a/b"), (b"/a%252Fb", b"/a/b"),
        (b"/a;v=1/b;w", b"/a/b"),
        (b"/a//b", b"/a/b"), (b"/a\\..\\b", b"/b"), (b"/a/.", b"/a/"), (b"/caf%C3%A9", "/café".encode()),
    ],
)  # fmt: skip
def test_the_most_obliging_reading_of(path: bytes, lenient: bytes) -> None:
    assert read_path(path).lenient == lenient


@given(st.lists(st.text("abcXYZ019-_~", min_size=1), min_size=1).map(lambda parts: ("/" + "/".join(parts)).encode()))
def test_a_plain_path_reads_as_it_is_written(path: bytes) -> None:
    assert is_plain(path)
    assert read_path(path).lenient == path
    assert not read_path(path).ambiguous
