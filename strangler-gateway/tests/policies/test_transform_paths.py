"""Paths that are rewritten and taken back, redirects, cookies, and values with variables."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from strangler.http1.refusal import RequestRefused
from strangler.model.notation import VARIABLES
from strangler.model.transform import CookieRewrite, PathRewrite
from strangler.policies.transform.cookies import Cookies
from strangler.policies.transform.location import Locations
from strangler.policies.transform.path import rewriter
from strangler.policies.transform.values import Facts, Value

STRIP = PathRewrite("/api", "/")
REPLACE = PathRewrite("/api/products", "/v2/items")
WHOLE = PathRewrite("/", "/inner")

FORWARD = [
    (STRIP, b"/api/products", b"/products"),
    (STRIP, b"/api", b"/"),
    (STRIP, b"/api/", b"/"),
    (STRIP, b"/%61pi/products", b"/products"),
    (STRIP, b"/api/a%20b/c%2Cd/", b"/a%20b/c%2Cd/"),
    (REPLACE, b"/api/products", b"/v2/items"),
    (REPLACE, b"/api/products/7", b"/v2/items/7"),
    (WHOLE, b"/", b"/inner/"),
    (WHOLE, b"/a/b", b"/inner/a/b"),
    (PathRewrite("/api", "/api"), b"/api/x", b"/api/x"),
]


@pytest.mark.parametrize(("rewrite", "path", "expected"), FORWARD)
def test_a_path_is_rewritten_by_whole_segments(rewrite: PathRewrite, path: bytes, expected: bytes) -> None:
    assert rewriter(rewrite, "/api/products").forward(path) == expected


REFUSED = [
    (STRIP, b"/api//evil.example/x"),
    (STRIP, b"//api/x"),
    (STRIP, b"/apix"),
    (STRIP, b"/other"),
    (REPLACE, b"/api/products/../../admin"),
    (REPLACE, b"/api/products/%2e%2e/%2e%2e/admin"),
    (REPLACE, b"/api/products/..%2f..%2fadmin"),
    (REPLACE, b"/api/products/..\\..\\admin"),
    (REPLACE, b"/api%2fproducts/x"),
]


@pytest.mark.parametrize(("rewrite", "path"), REFUSED)
def test_a_path_that_would_lead_elsewhere_is_refused(rewrite: PathRewrite, path: bytes) -> None:
    with pytest.raises(RequestRefused) as refused:
        rewriter(rewrite, "/api/products").forward(path)
    assert refused.value.status == 400


def test_a_template_takes_the_routes_parameters_as_they_were_written() -> None:
    template = rewriter(PathRewrite(template="/items/{id}/of/{user}/{id}"), "/u/{user}/p/{id}")
    assert template.forward(b"/u/a%20b/p/7") == b"/items/7/of/a%20b/7"
    for path in (b"/u/../p/7", b"/u/a/p/%2e%2e", b"/u/a/p/x%2fy", b"/u/a/p", b"/u/a/p/7/8"):
        with pytest.raises(RequestRefused):
            template.forward(path)


SEGMENTS = st.lists(st.from_regex(rb"[A-Za-z0-9._~-]{1,8}", fullmatch=True).filter(lambda s: s.strip(b".")), max_size=4)


@given(SEGMENTS, st.sampled_from([STRIP, PathRewrite("/api", "/v2/x"), WHOLE]))
def test_a_path_comes_back_as_it_went(segments: list[bytes], rewrite: PathRewrite) -> None:
    path = b"".join(b"/" + segment for segment in [rewrite.prefix.strip("/").encode(), *segments] if segment)
    there = rewriter(rewrite, "/api")
    assert there.back(there.forward(path or b"/")).rstrip(b"/") == path.rstrip(b"/")


OWN = [("127.0.0.1", 8091), ("catalog.internal", 80), ("::1", 8092)]
HOST = b"shop.example:8080"

# What the application says, and what the client gets: without a path rewrite, and with /api taken away.
LOCATIONS = [
    (b"http://127.0.0.1:8091/login", b"/login", b"/api/login"),
    (b"http://127.0.0.1:8091/login?next=/x#top", b"/login?next=/x#top", b"/api/login?next=/x#top"),
    (b"HTTP://LOCALHOST:8091/a", b"/a", b"/api/a"),
    (b"http://0.0.0.0:8091/a", b"/a", b"/api/a"),
    (b"http://[::1]:8091/a", b"/a", b"/api/a"),
    (b"http://[0:0:0:0:0:0:0:1]:8092/a", b"/a", b"/api/a"),
    (b"https://127.0.0.1:8091/a", b"/a", b"/api/a"),
    (b"//127.0.0.1:8091/a", b"/a", b"/api/a"),
    (b"http:\\\\127.0.0.1:8091/a", b"/a", b"/api/a"),
    (b"http://user:pw@127.0.0.1:8091/a", b"/a", b"/api/a"),
    (b"http://catalog.internal/a", b"/a", b"/api/a"),
    (b"http://catalog.internal:80/a", b"/a", b"/api/a"),
    (b"http://Catalog.Internal./a", b"/a", b"/api/a"),
    (b"http://127.0.0.1:8091", b"/", b"/api/"),
    (b"http://127.0.0.1:8091?x", b"/?x", b"/api/?x"),
    (b"http://10.0.0.7:9000/a", b"/a", b"/api/a"),
    (b"http://127.0.0.1:8091//evil.example/", b"/.//evil.example/", b"/api//evil.example/"),
    (b"http://127.0.0.1:8091/\\evil.example/", b"/./\\evil.example/", b"/api/\\evil.example/"),
    (b"http://127.0.0.1:8091/\t/evil.example/", b"/.//evil.example/", b"/api//evil.example/"),
    (b"/login", b"/login", b"/api/login"),
    (b"/login?x=1", b"/login?x=1", b"/api/login?x=1"),
    (b"login", b"login", b"login"),
    (b"?page=2", b"?page=2", b"?page=2"),
    (b"", b"", b""),
    (b"http://shop.example:8080/login", b"http://shop.example:8080/login", b"http://shop.example:8080/api/login"),
    (b"//shop.example:8080/x", b"//shop.example:8080/x", b"//shop.example:8080/api/x"),
    (b"https://accounts.example/authorize?x", b"https://accounts.example/authorize?x", b"https://accounts.example/authorize?x"),
    (b"http://127.0.0.1:8099/a", b"http://127.0.0.1:8099/a", b"http://127.0.0.1:8099/a"),
    (b"http://127.0.0.1.evil.example:8091/a", b"http://127.0.0.1.evil.example:8091/a", b"http://127.0.0.1.evil.example:8091/a"),
    (b"http://127.0.0.1:8091.evil.example/a", b"http://127.0.0.1:8091.evil.example/a", b"http://127.0.0.1:8091.evil.example/a"),
    (b"mailto:a@127.0.0.1", b"mailto:a@127.0.0.1", b"mailto:a@127.0.0.1"),
    (b"http://", b"http://", b"http://"),
    (b"http://[", b"http://[", b"http://["),
]  # fmt: skip


@pytest.mark.parametrize(("said", "plain", "rewritten"), LOCATIONS)
def test_a_redirect_never_names_the_applications_own_address(said: bytes, plain: bytes, rewritten: bytes) -> None:
    without = Locations(OWN, None)
    assert without.rewrite(b"location", said, HOST, b"10.0.0.7:9000") == plain
    behind = Locations(OWN, rewriter(STRIP, "/api"))
    assert behind.rewrite(b"location", said, HOST, b"10.0.0.7:9000") == rewritten


REFRESHES = [
    (b"5; url=http://127.0.0.1:8091/a", b"5; url=/a"),
    (b"0;URL='http://127.0.0.1:8091/a b'", b"0;URL='/a b'"),
    (b'3, "http://127.0.0.1:8091/a"', b'3, "/a"'),
    (b"5", b"5"),
    (b"5; url=https://other.example/", b"5; url=https://other.example/"),
    (b"never", b"never"),
]


@pytest.mark.parametrize(("said", "expected"), REFRESHES)
def test_a_refresh_is_read_like_a_redirect(said: bytes, expected: bytes) -> None:
    assert Locations(OWN, None).rewrite(b"refresh", said, HOST, b"") == expected


COOKIES = [
    (b"a=1", b"a=1"),
    (b"a=1; Path=/", b"a=1; Path=/api"),
    (b"a=1; path=/cart/x ; HttpOnly", b"a=1; path=/shop/cart/x; HttpOnly"),
    (b"a=1; Path=/cartoon", b"a=1; Path=/api/cartoon"),
    (b"a=1; Path=", b"a=1; Path="),
    (b"a=1; Path", b"a=1; Path"),
    (b"a=1; Path=cart", b"a=1; Path=cart"),
    (b"a=1; DOMAIN=.Catalog.Internal; Secure", b"a=1; DOMAIN=shop.example; Secure"),
    (b"a=1; Domain=gone.internal; Secure", b"a=1; Secure"),
    (b"a=1; Domain=sub.catalog.internal", b"a=1; Domain=sub.catalog.internal"),
    (b"a=1; Domain=catalog.internal; Domain=gone.internal", b"a=1; Domain=shop.example"),
    (b'a="x; Domain=catalog.internal"', b'a="x; Domain=catalog.internal"'),
    (b"domain=catalog.internal; Max-Age=0", b"domain=catalog.internal; Max-Age=0"),
    (b"a=1;Expires=Wed, 09 Jun 2031 10:18:14 GMT;;x=y=z", b"a=1;Expires=Wed, 09 Jun 2031 10:18:14 GMT;;x=y=z"),
    (b"__Host-a=1; Path=/; Secure", b"__Host-a=1; Path=/; Secure"),
    (b"__Secure-a=1; Path=/; Secure", b"__Secure-a=1; Path=/api; Secure"),
]  # fmt: skip


@pytest.mark.parametrize(("said", "expected"), COOKIES)
def test_domain_and_path_of_a_cookie_are_rewritten_and_nothing_else(said: bytes, expected: bytes) -> None:
    rewrite = CookieRewrite(
        domains=(("catalog.internal", "shop.example"), (".gone.internal", "")),
        paths=(("/", "/api"), ("/cart", "/shop/cart")),
    )
    assert Cookies(rewrite).rewrite(said) == expected


def test_a_path_may_become_the_root() -> None:
    cookies = Cookies(CookieRewrite(paths=(("/inner", "/"),)))
    assert cookies.rewrite(b"a=1; Path=/inner") == b"a=1; Path=/"
    assert cookies.rewrite(b"a=1; Path=/inner/x") == b"a=1; Path=/x"
    assert cookies.rewrite(b"a=1; Path=/inner/") == b"a=1; Path=/"


FACTS = Facts(b"service", b"192.0.2.1", b"shop.example", b"/a", b"id1", b"products")


def test_variables_stand_for_facts_of_the_request() -> None:
    assert Value("{arm} of {route} for {client_address}: {{{path}}} {host} {request_id}").of(FACTS) == (
        b"service of products for 192.0.2.1: {/a} shop.example id1"
    )
    assert set(VARIABLES) == set(Facts.__slots__)


@pytest.mark.parametrize("text", ["{", "}", "{}", "{user}", "{arm", "arm}", "{{arm}", "{ arm }"])
def test_what_is_no_variable_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="not a variable"):
        Value(text)
