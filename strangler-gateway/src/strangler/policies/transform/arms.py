"""The changes of a route's arms, compiled for the upstreams behind them."""

from strangler.http1.request import RequestHead
from strangler.model.decision import Arm
from strangler.model.route import Route
from strangler.model.transform import SERVICE
from strangler.model.upstream import Upstream
from strangler.policies.transform.arm import ArmTransform
from strangler.telemetry.meters import Meters


def arm_transform(route: Route, arm: Arm, upstream: Upstream, meters: Meters) -> ArmTransform | None:
    """What is changed between a route and one of its arms; None for nothing."""
    transform = route.monolith_transform if arm is Arm.MONOLITH else route.service_transform or SERVICE
    if transform is None:
        return None
    return ArmTransform(
        transform,
        route=route.name,
        route_path=route.match.path,
        arm=arm.value,
        endpoints=_known_as(upstream),
        meters=meters,
    )


class Rewrites:
    """The arms of a route that are asked for other paths than the client's."""

    def __init__(self, transforms: tuple[ArmTransform, ...]) -> None:
        self._transforms = transforms

    def check(self, head: RequestHead) -> None:
        """Judge before anything is decided, for either arm may answer in the end. Raises ``RequestRefused``."""
        for transform in self._transforms:
            transform.target(head)


def rewrites(*transforms: ArmTransform | None) -> Rewrites | None:
    """What judges the paths of requests; None where there is nothing to judge."""
    rewriting = tuple(transform for transform in transforms if transform is not None and transform.rewrites_path)
    return Rewrites(rewriting) if rewriting else None


def _known_as(upstream: Upstream) -> list[tuple[str, int]]:
    """Where an application may say that it is, besides the endpoint that was asked: by its name in the DNS, too."""
    names = [(endpoint.host, endpoint.port) for endpoint in upstream.endpoints]
    if upstream.dns is not None and upstream.dns.host:
        names.append((upstream.dns.host, upstream.dns.port))
    return names
