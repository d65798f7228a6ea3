"""Targets and hosts, as a table."""

import pytest

from strangler.http1.headers import is_host
from strangler.http1.refusal import RequestRefused
from strangler.http1.target import read_host, read_target


@pytest.mark.parametrize(
    ("method", "target", "expected"),
    [
        (b"GET", b"/", (b"/", None)),
        (b"GET", b"//a//b?c", (b"//a//b?c", None)),
        (b"OPTIONS", b"*", (b"*", None)),
        (b"GET", b"http://a", (b"/", b"a")),
        (b"GET", b"HTTPS://a:1/b?c", (b"/b?c", b"a:1")),
        (b"GET", b"http://a?b", (b"/?b", b"a")),
        (b"OPTIONS", b"http://a", (b"*", b"a")),
        (b"OPTIONS", b"http://a/", (b"/", b"a")),
        (b"OPTIONS", b"http://a?b", (b"/?b", b"a")),
    ],
)
def test_a_target_becomes_origin_form(method: bytes, target: bytes, expected: tuple[bytes, bytes | None]) -> None:
    assert read_target(method, target) == expected


@pytest.mark.parametrize(
    ("method", "target", "status"),
    [
        (b"GET", b"*", 400),
        (b"GET", b"a", 400),
        (b"GET", b"", 400),
        (b"GET", b"/a#b", 400),
        (b"GET", b"/\xc3\xa4", 400),
        (b"GET", b"/\x7f", 400),
        (b"GET", b"ftp://a/", 400),
        (b"GET", b"http:///a", 400),
        (b"GET", b"http://u:p@a/", 400),
        (b"CONNECT", b"a:443", 405),
        (b"CONNECT", b"/a", 405),
    ],
)
def test_what_is_no_target_is_refused(method: bytes, target: bytes, status: int) -> None:
    with pytest.raises(RequestRefused) as refused:
        read_target(method, target)
    assert refused.value.status == status


@pytest.mark.parametrize("value", [b"a", b"a:80", b"a:", b"1.2.3.4", b"[::1]", b"[::ffff:1.2.3.4]:1", b"a-b_c.d~"])
def test_these_are_hosts(value: bytes) -> None:
    assert is_host(value)


@pytest.mark.parametrize(
    "value",
    [
        b"",
        b":80",
        b"a b",
        b"a/b",
        b"a@b",
        b"a#b",
        b"a?b",
        b"a:b",
        b"a:123456",
        b"[a",
        b"a]",
        b"::1",
        b"a\xe4",
        b'"',
        b"a..b",
        b"..a:80",
    ],
)
def test_these_are_none(value: bytes) -> None:
    assert not is_host(value)


def test_the_authority_of_an_absolute_target_wins_but_a_bad_host_is_still_refused() -> None:
    assert read_host([b"a"], b"b", 1) == b"b"
    for hosts in ([], [b"a", b"a"], [b"a b"]):
        with pytest.raises(RequestRefused):
            read_host(hosts, b"b", 1)


def test_only_http_1_0_may_come_without_a_host() -> None:
    assert read_host([], None, 0) == b""
    with pytest.raises(RequestRefused):
        read_host([], None, 1)
