"""What is changed on the way: what holds for both arms, for one of them, and where nothing is said."""

from pathlib import Path

from strangler.config import load_text
from strangler.link.codec import decode_snapshot, encode_snapshot
from strangler.model.route import Route
from strangler.model.snapshot import Snapshot
from strangler.model.transform import SERVICE, CookieRewrite, FieldChanges, JsonShape, PathRewrite, Transform

GOOD = (Path(__file__).parent / "good.yaml").read_text()


def reshaped() -> Route:
    return next(route for route in load_text(GOOD).topology.routes if route.name == "reshaped")


def test_an_arm_has_what_is_said_for_both_but_for_what_is_said_for_itself() -> None:
    route = reshaped()
    monolith, service = route.monolith_transform, route.service_transform
    assert monolith is not None
    assert service is not None
    assert (monolith.path, service.path) == (PathRewrite("/v1", "/"), PathRewrite("/v1", "/v2"))
    assert monolith.request == service.request
    assert service.request == FieldChanges(("X-Debug",), (("X-Arm", "{arm}"),), (("X-Via", "gateway"),))
    assert monolith.locations
    assert service.cookies == CookieRewrite((("old.example", ""),), (("/", "/v1"),))
    assert service.json is not None
    assert service.json.shape == JsonShape((), ("internal", "price.cost"), (("title", "name"),), "data")
    assert [(variant.header, variant.query) for variant in service.json.variants] == [("x-client", ""), ("", "view")]


def test_where_nothing_is_said_redirects_of_a_service_are_looked_at_and_those_of_the_monolith_are_not() -> None:
    by_name = {route.name: route for route in load_text(GOOD).topology.routes}
    assert by_name["products-list"].service_transform is None
    assert SERVICE.locations
    assert not Transform().locations
    assert by_name["products-list"].monolith_transform is None
    assert by_name["legacy"].service_transform is None
    assert by_name["catch-all"].monolith_transform is None


def test_it_survives_the_way_to_the_workers() -> None:
    topology = load_text(GOOD).topology
    snapshot = Snapshot(1, "1", topology.gateway, topology.upstreams, topology.routes)
    assert decode_snapshot(encode_snapshot(snapshot)).routes == topology.routes
