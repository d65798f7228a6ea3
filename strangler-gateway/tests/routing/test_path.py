"""Which paths can be read in more than one way."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from strangler.model.authentication import Authentication
from strangler.model.route import PathKind, Route, RouteMatch
from strangler.routing.explain import AmbiguousPath, find_route
from strangler.routing.fields import PairFields
from strangler.routing.matcher import Matcher
from strangler.routing.path import is_plain, read_path

AMBIGUOUS = [
    b"/a//b", b"/a/../b", b"/a/./b", b"/a/..", b"/a/.", b"/a%2Fb", b"/a%2fb", b"/a%5Cb", b"/a\\b", b"/a;x=1/b",
    b"/a%3Bx", b"/%2e%2e/b", b"/a/%2e%2e/b", b"/a%252Fb", b"/%252e%252e/a", b"/a%00", b"/a%0d%0ab", b"/a%7f", b"/a%zz",
    b"/a%", b"//a", b"/a/%2e/b", b"/a/%c0%ae%c0%ae/b", b"/a%c0%afb", b"/a%e0%80%afb", b"/a%f0%80%80%afb", b"/a%C1%9Cb",
]  # fmt: skip
CLEAR = [
    b"/",
    b"/a",
    b"/a/",
    b"/a/b",
    b"/caf%C3%A9",
    b"/caf%E9",
    b"/%E3%80%82%F0%9F%8E%81",
    b"/%E2%82%AC%E0%A4%80",
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
        (b"/a/%c0%ae%c0%ae/b", b"/b"), (b"/a%e0%80%afb", b"/a/b"), (b"/a%f0%80%80%aeb", b"/a.b"), (b"/%c1%81", b"/A"),
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


def lax(name: str, path: str, **policies: object) -> Route:
    match = RouteMatch(path, PathKind.PREFIX)
    return Route(name, match, "m", "g", "monolith", strict=False, **policies)  # type: ignore[arg-type]


REST = lax("rest", "/")
GUARDED = lax("admin", "/admin", authentication=Authentication(("tokens",)))
WRITING = lax("admin", "/admin", writes=("orders",))
OPEN = lax("admin", "/admin")


@pytest.mark.parametrize("path", [b"/x/../admin", b"//admin", b"/x;/../admin", b"/x%2f..%2fadmin", b"/admin/../x"])
@pytest.mark.parametrize("route", [GUARDED, WRITING])
def test_no_spelling_leads_around_a_policy_although_the_route_takes_odd_paths(path: bytes, route: Route) -> None:
    with pytest.raises(AmbiguousPath, match="policies"):
        find_route(Matcher((one.match, one) for one in (route, REST)), b"GET", path, PairFields(()))


def test_a_route_that_takes_odd_paths_takes_them_where_both_readings_lead_to_it() -> None:
    matcher = Matcher((one.match, one) for one in (GUARDED, REST))
    assert find_route(matcher, b"GET", b"/admin/a//b;c", PairFields(())) is GUARDED
    assert find_route(matcher, b"GET", b"/x//b;c", PairFields(())) is REST


def test_without_policies_an_odd_path_goes_where_it_is_written_to_go() -> None:
    matcher = Matcher((one.match, one) for one in (OPEN, REST))
    assert find_route(matcher, b"GET", b"/x/../admin", PairFields(())) is REST
    assert find_route(matcher, b"GET", b"/admin/../x", PairFields(())) is OPEN
