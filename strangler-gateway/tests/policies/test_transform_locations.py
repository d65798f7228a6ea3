"""Which addresses in a redirect are the application's own."""

import pytest

from strangler.model.decision import Arm
from strangler.model.discovery import DnsDiscovery
from strangler.model.route import Route, RouteMatch
from strangler.model.upstream import Endpoint, Upstream
from strangler.policies.transform.arms import arm_transform
from strangler.telemetry.meters import Meters

NAMED = Upstream("catalog", (Endpoint("10.0.0.9", 8091),), dns=DnsDiscovery("catalog.internal", 8091))
ROUTE = Route("products", RouteMatch("/products"), "catalog", "catalog", "monolith", "catalog")


@pytest.mark.parametrize(
    ("location", "told"),
    [
        ("http://10.0.0.5:8091/login?next=1", "/login?next=1"),
        ("http://10.0.0.9:8091/login", "/login"),
        ("http://catalog.internal:8091/login", "/login"),
        ("//CATALOG.internal.:8091/login", "/login"),
        ("http://catalog.internal/login", "http://catalog.internal/login"),
        ("http://other.internal:8091/login", "http://other.internal:8091/login"),
    ],
)
def test_an_application_that_is_found_by_its_name_may_call_itself_so(location: str, told: str) -> None:
    transform = arm_transform(ROUTE, Arm.SERVICE, NAMED, Meters())
    assert transform is not None
    locations = transform._locations
    assert locations is not None
    assert locations.rewrite(b"location", location.encode(), b"shop.example", b"10.0.0.5:8091").decode() == told
