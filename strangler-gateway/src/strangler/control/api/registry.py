"""``/registry``: services register themselves, renew their leases, and leave."""

import ipaddress
from typing import Annotated

from fastapi import APIRouter, Path
from pydantic import AfterValidator, BaseModel, Field

from strangler.config.addresses import parse_listener
from strangler.control.api.dependencies import Plane
from strangler.control.api.problems import responses
from strangler.model.registry import Lease

router = APIRouter(prefix="/registry", tags=["registry"])

Name = Annotated[str, Path(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$")]


def _reachable(text: str) -> str:
    """An address that can be an application's. Raises ``ValueError``."""
    endpoint = parse_listener(text)
    if endpoint.port == 0:
        raise ValueError(f"«{text}»: 0 is not a port")
    try:
        address = ipaddress.ip_address(endpoint.host)
    except ValueError:
        return text  # a name
    if address.is_unspecified or address.is_multicast or address.is_link_local:
        raise ValueError(f"«{text}» is not an address where an application can be asked; register its own")
    return text


class LeaseBody(BaseModel):
    """What a service says of itself."""

    address: Annotated[str, AfterValidator(_reachable)] = Field(
        max_length=300, description="`HOST:PORT`, where the gateway's workers reach it.", examples=["10.0.0.5:8091"]
    )
    lease: float = Field(
        default=15.0, ge=1, le=3600, description="Seconds after which it is forgotten without a renewal."
    )


class LeaseView(BaseModel):
    """One instance."""

    upstream: str
    instance: str
    address: str
    lease: float
    seconds_left: float

    @classmethod
    def of(cls, lease: Lease, left: float) -> "LeaseView":
        """From the model's value."""
        return cls(
            upstream=lease.upstream,
            instance=lease.instance,
            address=lease.endpoint.authority,
            lease=lease.seconds,
            seconds_left=round(left, 3),
        )


class LeaseList(BaseModel):
    """Everyone."""

    items: list[LeaseView]


@router.get("")
async def list_instances(plane: Plane) -> LeaseList:
    """Who is registered."""
    return LeaseList(items=[LeaseView.of(lease, left) for lease, left in plane.registry.leases()])


@router.put("/{upstream}/{instance}", responses=responses(409, 422))
async def register(upstream: Name, instance: Name, body: LeaseBody, plane: Plane) -> LeaseView:
    """Register an instance of a service, or renew its lease: the same call, three times within a lease."""
    lease = Lease(upstream, instance, parse_listener(body.address), body.lease)
    plane.registry.register(lease, plane.loaded.topology)
    return LeaseView.of(lease, lease.seconds)


@router.delete("/{upstream}/{instance}", status_code=204, responses=responses(404))
async def leave(upstream: Name, instance: Name, plane: Plane) -> None:
    """Forget an instance at once, as it does itself when it ends in order."""
    plane.registry.remove(upstream, instance)
