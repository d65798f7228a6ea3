"""Nobody gets around what a route demands by a path's spelling, a method, or what stands on the same connection."""

import itertools

import pytest

from strangler.model.rate_limit import RateLimit
from strangler.model.route import PathKind, Route, RouteMatch
from support.bench import Bench
from support.raw_http import request

numbers = itertools.count()


def limited(strict: bool) -> Route:
    """A new route that nobody may ask twice in an hour: what reaches the application after that went around it."""
    match = RouteMatch("/admin", PathKind.PREFIX)
    once = RateLimit("once", 1, 3600, burst=1)
    return Route(f"admin-{next(numbers)}", match, "m", "m", "monolith", strict=strict, rate_limits=(once,))


SPELLINGS = [
    *("/admin", "/admin/", "/admin/x", "/admin?x", "/admin#", "/%61dmin", "/%61%64%6d%69%6e", "/%2561dmin"),
    *("//admin", "/./admin", "/x/../admin", "/admin/.", "/admin/..", "/x/%2e%2e/admin", "/x/.%2e/admin", "/%2e/admin"),
    *("/x/..;/admin", "/x/;/../admin", "/;/admin", "/admin;x", "/;x=1/admin", "/admin%3bx", "/x%2f..%2fadmin"),
    *(
        "/x\\..\\admin",
        "\\admin",
        "/\\admin",
        "/%5cadmin",
        "/x/%252e%252e/admin",
        "/admin%2f",
        "/%2fadmin",
        "/adm%69n/",
    ),
    *("http://shop.example/admin", "http://shop.example//admin", "HTTP://shop.example/%61dmin", "http://x/../admin"),
    *("/admin%0d%0a", "/admin%00.png", "/%00/../admin", "/ad%0amin", "/admin%2500", "/admin%00", "/admin%0a"),
    *("/admin/%zz", "/adm%69n/", "/admin\t", "///admin", "/x/y/../../admin", "/admin//", "/x/.%0a./admin"),
]


@pytest.mark.parametrize("strict", [True, False], ids=["strict", "lax"])
def test_no_spelling_of_a_path_reaches_the_application_past_its_route(bench: Bench, strict: bool) -> None:
    with bench.upstream(routes=(limited(strict),)) as upstream, bench.client() as client:
        assert client.ask(request("GET", "/admin")).status == 200
        assert client.ask(request("GET", "/admin")).status == 429
        answers = {spelling: bench.ask(request("GET", spelling)).status for spelling in SPELLINGS}
        assert {spelling: status for spelling, status in answers.items() if status not in {400, 429}} == {}
        assert upstream.targets() == [b"/admin"]


def test_no_method_and_no_connection_reaches_the_application_past_its_route(bench: Bench) -> None:
    with bench.upstream(routes=(limited(strict=True),)) as upstream, bench.client() as client:
        assert client.ask(request("GET", "/admin")).status == 200
        for method in ("GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "TRACE", "PROPFIND"):
            assert bench.ask(request(method, "/admin")).status == 429
        pipelined = [request("GET", "/open"), request("GET", "/admin"), request("POST", "/admin", chunks=(b"x",))]
        client.send(b"".join(pipelined))
        assert [client.answer().status for _ in pipelined] == [200, 429, 429]
        opening = ("Connection: Upgrade", "Upgrade: websocket", "Sec-WebSocket-Version: 13",
                   "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==")  # fmt: skip
        assert bench.ask(request("GET", "/admin", *opening)).status == 429
        assert upstream.targets() == [b"/admin", b"/open"]


def test_a_refused_upload_is_not_read_as_the_next_request(bench: Bench) -> None:
    inner = request("GET", "/open?smuggled")
    with bench.upstream(routes=(limited(strict=True),)) as upstream, bench.client() as client:
        assert client.ask(request("GET", "/admin")).status == 200
        for sent in (request("POST", "/admin", body=inner), request("POST", "/admin", chunks=(inner,))):
            with bench.client() as other:
                other.send(sent)
                assert other.answer().status == 429
                other.shut()
                assert other.rest()[0] == b""
        assert upstream.targets() == [b"/admin"]
