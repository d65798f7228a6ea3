"""What a flip or a kill is aimed at: one route, or all routes of a module."""

from dataclasses import dataclass

from strangler.config.loaded import Topology
from strangler.config.nearness import near_names
from strangler.model.errors import FlipRefused, StranglerError
from strangler.model.route import CATCH_ALL, Route


class UnknownTarget(StranglerError):
    """No route and no module has this name."""

    def __init__(self, target: str, near: list[str]) -> None:
        self.near = near
        hint = f"; did you mean {' or '.join(near)}?" if near else "; `strangler routes` lists them all"
        super().__init__(f"there is no route or module «{target}»{hint}")


@dataclass(frozen=True, slots=True)
class Target:
    """A name, and the routes that it stands for: never none."""

    name: str
    routes: tuple[Route, ...]
    is_module: bool


def find_target(topology: Topology, name: str) -> Target:
    """Raises ``UnknownTarget``, or ``FlipRefused`` for the catch-all, which never leaves the monolith."""
    if name == CATCH_ALL:
        raise FlipRefused(
            f"«{CATCH_ALL}» always goes to the monolith; give the requests a route of their own to move them"
        )
    route = topology.by_name.get(name)
    if route is not None:
        return Target(name, (route,), is_module=False)
    routes = tuple(route for route in topology.routes if route.module == name)
    if not routes:
        known = {route.name for route in topology.routes} | {route.module for route in topology.routes}
        raise UnknownTarget(name, near_names(name, sorted(known - {CATCH_ALL})))
    return Target(name, routes, is_module=True)
