"""Which route takes a request: precedence as a table, and the tree against a plain search."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from strangler.model.route import PathKind, RouteMatch
from strangler.routing.fields import PairFields
from strangler.routing.matcher import Matcher

NOTHING = PairFields([])


Pairs = tuple[tuple[str, str], ...]


def template(path: str, *methods: str, headers: Pairs = (), query: Pairs = ()) -> RouteMatch:
    return RouteMatch(path, PathKind.TEMPLATE, frozenset(methods), headers, query)


def prefix(path: str, *methods: str) -> RouteMatch:
    return RouteMatch(path, PathKind.PREFIX, frozenset(methods))


ROUTES = {
    "everything": prefix("/"),
    "api": prefix("/api"),
    "api-products": prefix("/api/products/"),
    "product": template("/api/products/{id}", "GET"),
    "featured": template("/api/products/featured"),
    "write": template("/api/products/{id}", "PATCH", "DELETE"),
    "reviews": template("/api/products/{id}/reviews", "GET"),
    "variant": template("/api/products/{id}", "GET", headers=(("x-variant", "new"),)),
    "variant-v2": template("/api/products/{id}", "GET", headers=(("x-variant", "new"),), query=(("v", "2"),)),
    "root": template("/"),
    "head": template("/api/only-head", "HEAD"),
    "get": template("/api/only-head", "GET"),
    "any": template("/api/only-head"),
}
MATCHER = Matcher((match, name) for name, match in ROUTES.items())

CASES = [
    ("GET", "/", "", [], "root"),
    ("GET", "/elsewhere", "", [], "everything"),
    ("GET", "/apix", "", [], "everything"),
    ("GET", "/api", "", [], "api"),
    ("GET", "/api/", "", [], "api"),
    ("GET", "/api/products", "", [], "api-products"),
    ("GET", "/api/products/7", "", [], "product"),
    ("HEAD", "/api/products/7", "", [], "product"),
    ("PUT", "/api/products/7", "", [], "api-products"),
    ("PATCH", "/api/products/7", "", [], "write"),
    ("GET", "/api/products/featured", "", [], "featured"),
    ("PATCH", "/api/products/featured", "", [], "featured"),
    ("GET", "/api/products/featured/reviews", "", [], "reviews"),
    ("GET", "/api/products/", "", [], "api-products"),
    ("GET", "/api/products//reviews", "", [], "api-products"),
    ("GET", "/api/products/7", "", [("X-Variant", "new")], "variant"),
    ("GET", "/api/products/7", "", [("X-Variant", "old")], "product"),
    ("GET", "/api/products/7", "v=2", [("X-Variant", "new")], "variant-v2"),
    ("GET", "/api/products/7", "a=1&v=%32", [("X-Variant", "new")], "variant-v2"),
    ("GET", "/api/products/7", "v=22", [("X-Variant", "new")], "variant"),
    ("HEAD", "/api/only-head", "", [], "head"),
    ("GET", "/api/only-head", "", [], "get"),
    ("POST", "/api/only-head", "", [], "any"),
]


@pytest.mark.parametrize(("method", "path", "query", "headers", "expected"), CASES)
def test_the_most_telling_route_wins(
    method: str, path: str, query: str, headers: list[tuple[str, str]], expected: str
) -> None:
    assert MATCHER.match(method.encode(), path.encode(), PairFields(headers), query.encode()) == expected


def test_the_order_of_declaration_decides_between_equals() -> None:
    matcher = Matcher([(template("/a/{x}"), "first"), (template("/a/{y}"), "second")])
    assert matcher.match(b"GET", b"/a/1", NOTHING) == "first"


def test_without_a_catch_all_nothing_may_match() -> None:
    assert Matcher([(template("/a"), "a")]).match(b"GET", b"/b", NOTHING) is None


segments = st.sampled_from(["a", "b", "{p}"])
templates = st.lists(segments, min_size=1, max_size=4).map(lambda parts: "/" + "/".join(parts))
paths = st.lists(st.sampled_from(["a", "b", "c"]), min_size=1, max_size=4).map(lambda parts: "/" + "/".join(parts))


def _takes(pattern: str, path: str) -> bool:
    ours, theirs = pattern.split("/"), path.split("/")
    return len(ours) == len(theirs) and all(a in {"{p}", b} for a, b in zip(ours, theirs, strict=True))


@given(st.lists(templates, max_size=12, unique=True), paths)
def test_the_tree_finds_what_a_plain_search_finds(patterns: list[str], path: str) -> None:
    matcher = Matcher([(template(pattern), pattern) for pattern in patterns])
    # Literal before parameter, from the left: the order of the patterns with "{" after every letter.
    expected = min((pattern for pattern in patterns if _takes(pattern, path)), default=None)
    assert matcher.match(b"GET", path.encode(), NOTHING) == expected


def test_ten_thousand_routes_are_all_found() -> None:
    names = [f"/api/{a}/{{id}}/{b}" for a, b in itertools.product(range(100), range(100))]
    matcher = Matcher([(template(name), name) for name in names])
    assert all(matcher.match(b"GET", name.replace("{id}", "7").encode(), NOTHING) == name for name in names)
