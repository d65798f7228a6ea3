"""Services that register themselves: who answers for an upstream, and for how long that holds without a renewal."""

from collections.abc import Iterable
from dataclasses import dataclass

from strangler.model.upstream import Endpoint


@dataclass(frozen=True, slots=True)
class Lease:
    """One instance of a service."""

    upstream: str
    instance: str
    endpoint: Endpoint
    seconds: float
    """How long it holds from its last renewal on."""


def endpoints_of(leases: Iterable[Lease]) -> dict[str, tuple[Endpoint, ...]]:
    """The endpoints by upstream, in the order of the instances' names."""
    found: dict[str, tuple[Endpoint, ...]] = {}
    for lease in sorted(leases, key=lambda lease: lease.instance):
        found[lease.upstream] = (*found.get(lease.upstream, ()), lease.endpoint)
    return found
