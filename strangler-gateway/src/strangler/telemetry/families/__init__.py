"""Every metric that there is, one file per part of the gateway. A ``Family`` declared in one of them is in the list."""

from types import ModuleType

from strangler.telemetry.families import (
    comparing,
    control,
    discovery,
    holds,
    policies,
    processes,
    requests,
    shadow,
    tls,
    upstreams,
)
from strangler.telemetry.family import Family


def _declared(module: ModuleType) -> list[Family]:
    return [value for value in vars(module).values() if isinstance(value, Family)]


FAMILIES: tuple[Family, ...] = tuple(
    family
    for module in (requests, policies, holds, shadow, comparing, upstreams, discovery, tls, processes, control)
    for family in _declared(module)
)
"""In the order of the metrics reference, which is made from it."""
BY_NAME = {family.name: family for family in FAMILIES}
