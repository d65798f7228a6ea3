"""Headers: those of the list are compared by what they mean, the others are counted; cookies without their values."""

import pytest

from strangler.model.shadow import Ignored
from strangler.shadow.answer import Answer
from strangler.shadow.comparison import Kind

from .pairs import answer, compare, found

NOTHING_KNOWN: dict[str, tuple[str, ...]] = {"normalise": ()}


def with_headers(*headers: tuple[str, str]) -> Answer:
    return answer({}, headers=headers)


def test_a_header_that_is_not_compared_is_counted_as_ignored() -> None:
    comparison = compare(with_headers(("X-Request-Id", "1"), ("X-A", "1")), with_headers(("X-Request-Id", "2")))
    assert found(comparison) == []
    assert comparison.ignored == {"header.x-request-id": 1, "header.x-a": 1}


def test_every_header_can_be_compared() -> None:
    comparison = compare(with_headers(("X-A", "1")), with_headers(("X-B", "1")), headers=("*",))
    assert found(comparison) == [("header.x-a", Kind.MISSING), ("header.x-b", Kind.ADDED)]


@pytest.mark.parametrize("name", ["Connection", "Content-Length", "Keep-Alive", "Transfer-Encoding"])
def test_framing_is_no_part_of_an_answer(name: str) -> None:
    comparison = compare(with_headers((name, "1")), with_headers(), headers=("*",), **NOTHING_KNOWN)
    assert (found(comparison), comparison.ignored) == ([], {})


def test_names_are_the_same_in_any_case() -> None:
    assert not compare(with_headers(("ETag", "1")), with_headers(("etag", "1")), **NOTHING_KNOWN).differences


def test_a_missing_and_an_added_header_are_found() -> None:
    comparison = compare(with_headers(("Location", "/a")), with_headers(("Retry-After", "1")))
    assert found(comparison) == [("header.location", Kind.MISSING), ("header.retry-after", Kind.ADDED)]
    assert [difference.at for difference in comparison.differences] == ["header.location", "header.retry-after"]


def test_values_over_several_lines_are_all_compared() -> None:
    comparison = compare(with_headers(("Link", "<a>"), ("Link", "<b>")), with_headers(("Link", "<a>")))
    assert found(comparison) == [("header.link", Kind.VALUE)]


def test_an_ignored_header_is_counted_under_its_rule() -> None:
    rule = Ignored("header.etag", "made of the body")
    comparison = compare(with_headers(("ETag", "1")), with_headers(("ETag", "2")), ignore=(rule,))
    assert (found(comparison), comparison.ignored) == ([], {"header.etag": 1})


def test_a_time_in_a_header_may_be_apart() -> None:
    one, other = "Sat, 28 Nov 2026 08:00:00 GMT", "Sat, 28 Nov 2026 08:00:02 GMT"
    tolerances = (("header.last-modified", 2.0),)
    comparison = compare(
        with_headers(("Last-Modified", one)), with_headers(("Last-Modified", other)), tolerances=tolerances
    )
    assert (found(comparison), comparison.normalised) == ([], {"tolerance": 1})


COOKIES = [
    ("a cookie missing", ["s=a", "t=b"], ["s=a"], [("header.set-cookie.t", Kind.MISSING)]),
    ("a cookie added", ["s=a"], ["s=a", "t=b"], [("header.set-cookie.t", Kind.ADDED)]),
    ("all missing", ["s=a"], [], [("header.set-cookie.s", Kind.MISSING)]),
    ("another order", ["s=a", "t=b"], ["t=b", "s=a"], []),
    ("an attribute missing", ["s=a; HttpOnly"], ["s=a"], [("header.set-cookie.s.httponly", Kind.MISSING)]),
    ("a name in another case", ["s=a; Path=/"], ["s=a; path=/"], []),
    ("an attribute added", ["s=a"], ["s=a; Secure"], [("header.set-cookie.s.secure", Kind.ADDED)]),
    ("another lifetime", ["s=a; Max-Age=60"], ["s=a; max-age=61"], [("header.set-cookie.s.max-age", Kind.VALUE)]),
    ("another path", ["s=a; Path=/A"], ["s=a; Path=/a"], [("header.set-cookie.s.path", Kind.VALUE)]),
    ("a word in another case", ["s=a; SameSite=Lax"], ["s=a; SameSite=lax"], []),
    ("another value", ["s=a"], ["s=b"], [("header.set-cookie.s", Kind.VALUE)]),
    ("two of one name", ["s=a; Path=/a", "s=b; Path=/b"], ["s=a; Path=/a", "s=b; Path=/b"], []),
]  # fmt: skip


@pytest.mark.parametrize(
    ("primary", "candidate", "expected"), [case[1:] for case in COOKIES], ids=[c[0] for c in COOKIES]
)
def test_cookies(primary: list[str], candidate: list[str], expected: list[tuple[str, Kind]]) -> None:
    one, other = (with_headers(*(("Set-Cookie", value) for value in values)) for values in (primary, candidate))
    assert found(compare(one, other, **NOTHING_KNOWN)) == expected


def test_two_cookies_of_one_name_are_two() -> None:
    both, one = ["s=a; Path=/a", "s=b; Path=/b"], ["s=b; Path=/b"]
    primary, candidate = (with_headers(*(("Set-Cookie", value) for value in values)) for values in (both, one))
    assert ('header.set-cookie."s /b"', Kind.MISSING) in found(compare(primary, candidate))


def test_the_value_of_a_cookie_is_never_told() -> None:
    one, other = with_headers(("Set-Cookie", "s=open-sesame")), with_headers(("Set-Cookie", "t=another-secret; Path=/"))
    told = repr(compare(one, other, **NOTHING_KNOWN))
    assert "sesame" not in told
    assert "another-secret" not in told


def test_statuses_of_two_classes_leave_nothing_else_to_compare() -> None:
    comparison = compare(answer({"a": 1}, headers=[("ETag", "1")]), answer({"detail": "x"}, status=500))
    assert found(comparison) == [("status", Kind.VALUE)]
    assert comparison.differences[0].primary == "200"
    assert comparison.cut == ("headers and body, because the statuses are of two classes",)


def test_statuses_of_one_class_do() -> None:
    comparison = compare(answer({"a": 1}, status=200), answer({"a": 2}, status=201))
    assert found(comparison) == [("status", Kind.VALUE), ("body.a", Kind.VALUE)]
