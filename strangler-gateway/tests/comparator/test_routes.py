"""Which routes the comparator has, what it connects to for them, and when it makes them anew."""

from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import date

import pytest

from strangler.comparator.routes import Routes
from strangler.model.errors import StranglerError
from strangler.model.flag import Flag, Stage
from strangler.model.route import Route, RouteMatch
from strangler.model.shadow import Comparing, Ignored, Shadow
from strangler.model.snapshot import Gateway, Snapshot
from strangler.model.tls import UpstreamTls
from strangler.model.upstream import Endpoint, HealthCheck, Upstream
from strangler.shadow.answer import Answer, Question
from support.asker import run, server, tasks

GET = Question(b"GET", b"/", (), b"")
ONE = Answer(200, ((b"Content-Type", b"application/json"),), b'{"id":1}')
OTHER = replace(ONE, body=b'{"id":2}')


def upstream(name: str, port: int = 9, **more: object) -> Upstream:
    return Upstream(name, (Endpoint("127.0.0.1", port),), **more)  # type: ignore[arg-type]


def route(name: str, service: str | None = "catalog", shadow: Shadow | None = None) -> Route:
    return Route(name, RouteMatch(f"/{name}"), "m", "g", "shop", service=service, shadow=shadow)


def snapshot(*routes: Route, revision: int = 1, stages: dict[str, Stage] | None = None, **more: object) -> Snapshot:
    known = {
        "upstreams": (upstream("shop"), upstream("catalog"), upstream("other")),
        "flags": tuple(Flag(name, stage) for name, stage in (stages or {}).items()),
        **more,
    }
    return Snapshot(revision, "", Gateway(), routes=routes, **known)  # type: ignore[arg-type]


def at(day: date, test: Callable[[Routes], Awaitable[None]]) -> None:
    async def within() -> None:
        routes = Routes(lambda: day)
        try:
            await test(routes)
        finally:
            routes.stop()

    run(within)


TODAY = date(2026, 12, 1)


def connected(routes: Routes) -> set[str]:
    return {pool.state().upstream for pool in routes._balancers.pools()}


def test_only_what_is_shadowed_is_connected_to() -> None:
    async def test(routes: Routes) -> None:
        known = (route("a"), route("b", "other"), route("c", None))
        assert routes.adopt(snapshot(*known)) == ()
        assert connected(routes) == set()
        stages = {"a": Stage.SHADOW, "b": Stage.SERVICE, "c": Stage.SHADOW}
        assert routes.adopt(snapshot(*known, revision=2, stages=stages)) == ("a",)
        assert connected(routes) == {"shop", "catalog"}
        assert routes.revision == 2

    at(TODAY, test)


def test_a_canary_is_shadowed_too_and_a_route_stays_ready_when_it_is_flipped_on() -> None:
    async def test(routes: Routes) -> None:
        assert routes.adopt(snapshot(route("a"), stages={"a": Stage.CANARY})) == ("a",)
        assert routes.adopt(snapshot(route("a"), stages={"a": Stage.SERVICE})) == ("a",)
        assert routes.adopt(snapshot(route("b"))) == ()
        assert routes.find("a") is None

    at(TODAY, test)


def test_an_exchange_makes_its_route_ready_whatever_the_flag_says() -> None:
    async def test(routes: Routes) -> None:
        routes.adopt(snapshot(route("a"), route("c", None)))
        found = routes.find("a")
        assert found is not None
        assert routes.find("a") is found
        assert routes.find("c") is None
        assert connected(routes) == {"shop", "catalog"}

    at(TODAY, test)


def test_what_did_not_change_is_kept_with_what_it_has_been_asked() -> None:
    async def test(routes: Routes) -> None:
        stages = {"a": Stage.SHADOW}
        routes.adopt(snapshot(route("a"), stages=stages))
        before = routes.find("a")
        routes.adopt(snapshot(route("a"), route("b"), revision=2, stages=stages))
        assert routes.find("a") is before
        routes.adopt(snapshot(route("a", shadow=Shadow(rate=7.0)), revision=3, stages=stages))
        assert routes.find("a") is not before
        changed = (upstream("shop"), upstream("catalog", 10))
        before = routes.find("a")
        routes.adopt(snapshot(route("a", shadow=Shadow(rate=7.0)), revision=4, stages=stages, upstreams=changed))
        assert routes.find("a") is not before

    at(TODAY, test)


def test_a_snapshot_that_cannot_be_used_changes_nothing() -> None:
    async def test(routes: Routes) -> None:
        stages = {"a": Stage.SHADOW}
        routes.adopt(snapshot(route("a"), stages=stages))
        before = routes.find("a")
        secured = (upstream("shop"), upstream("catalog", tls=UpstreamTls(ca="/nowhere/ca.pem")))
        with pytest.raises(StranglerError):
            routes.adopt(snapshot(route("a"), revision=2, stages=stages, upstreams=secured))
        unknown = Shadow(comparing=Comparing(normalise=("no such thing",)))
        with pytest.raises(StranglerError, match="no such thing"):
            routes.adopt(snapshot(route("a", shadow=unknown), revision=3, stages=stages))
        assert routes.revision == 1
        assert routes.find("a") is before
        assert connected(routes) == {"shop", "catalog"}

    at(TODAY, test)


def test_an_ignored_field_counts_again_from_its_day_on() -> None:
    days = [date(2026, 12, 31)]
    expiring = Shadow(comparing=Comparing(ignore=(Ignored("body.id", "until it is mended", "2027-01-01"),)))

    async def within() -> None:
        routes = Routes(lambda: days[-1])
        routes.adopt(snapshot(route("a", shadow=expiring), stages={"a": Stage.SHADOW}))
        found = routes.find("a")
        assert found is not None
        assert not found.rules.compare(GET, ONE, OTHER).differences
        days.append(date(2027, 1, 1))
        routes.look_at_date()
        found = routes.find("a")
        assert found is not None
        assert found.rules.compare(GET, ONE, OTHER).differences
        routes.stop()

    run(within)


def test_endpoints_are_checked_while_a_route_is_shadowed_and_no_longer_than_the_comparator_lives() -> None:
    async def test(routes: Routes) -> None:
        async with server() as port:
            checked = (upstream("shop"), upstream("catalog", port, health=HealthCheck("/health")))
            routes.adopt(snapshot(route("a"), upstreams=checked))
            assert not tasks("HealthChecker")
            routes.adopt(snapshot(route("a"), upstreams=checked, stages={"a": Stage.SHADOW}))
            assert len(tasks("HealthChecker")) == 1
            routes.stop()

    at(TODAY, test)


def test_services_that_register_are_found() -> None:
    async def test(routes: Routes) -> None:
        registered = (upstream("shop"), Upstream("catalog", (), registry=True))
        routes.adopt(snapshot(route("a"), upstreams=registered, stages={"a": Stage.SHADOW}))
        assert connected(routes) == {"shop"}
        routes.take_registered({"catalog": (Endpoint("127.0.0.1", 10),)})
        assert connected(routes) == {"shop", "catalog"}

    at(TODAY, test)
