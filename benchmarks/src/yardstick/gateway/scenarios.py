"""What is asked of the proxies: how large requests and answers are, what is switched on, what is compared."""

from dataclasses import dataclass

from yardstick.gateway.peers import NGINX, PEERS, PYTHON, STRANGLER, Peer
from yardstick.gateway.peers.variants import SOURCES, at_stage, with_routes, with_tokens


@dataclass(frozen=True, slots=True)
class Asked:
    """The requests of a load."""

    target: str = "/api/products/7"
    method: str = "GET"
    body_bytes: int = 0
    tokens: bool = False
    """Whether each user sends a token."""


@dataclass(frozen=True, slots=True)
class Goal:
    """A peer's cost is to be at most so many times another's."""

    peer: str
    beside: str
    at_most: float


@dataclass(frozen=True, slots=True)
class Scenario:
    """One comparison."""

    name: str
    title: str
    asked: Asked
    peers: tuple[Peer, ...]
    baseline: str
    """The peer that ratios are taken to."""
    goals: tuple[Goal, ...] = ()
    connections: int = 32
    data_plane: bool = False
    """Whether only the processes that carry requests count."""


_ROUTES = tuple(with_routes(count) for count in (10, 1_000, 10_000))
_TOKENS = with_tokens()
_PLAIN, _SHADOWED = at_stage("monolith"), at_stage("shadow")

SCENARIOS: tuple[Scenario, ...] = (
    Scenario(
        "small",
        "GET, 170 bytes",
        Asked(),
        (*PEERS, *PYTHON),
        NGINX.name,
        (
            Goal("strangler", "nginx", 2.0),
            Goal("strangler", "envoy", 0.6),
            Goal("strangler", "traefik", 0.6),
            Goal("strangler", "caddy", 0.6),
        ),
    ),
    Scenario("post", "POST, 1 KiB, answered with 170 bytes", Asked(method="POST", body_bytes=1024), PEERS, "nginx"),
    Scenario(
        "large",
        "GET, 1 MB",
        Asked(target="/large"),
        PEERS,
        "haproxy",
        (Goal("strangler", "haproxy", 1.3),),
        connections=8,
    ),
    Scenario(
        "upload",
        "POST, 1 MB, answered with 170 bytes",
        Asked(method="POST", body_bytes=1_000_000),
        PEERS,
        "haproxy",
        (Goal("strangler", "haproxy", 1.3),),
        connections=8,
    ),
    Scenario(
        "tokens",
        "GET with the tokens of 64 users, verified or not",
        Asked(tokens=True),
        (STRANGLER, _TOKENS),
        STRANGLER.name,
        (Goal(_TOKENS.name, STRANGLER.name, 1.15),),
    ),
    Scenario(
        "routes",
        "GET with 10, 1,000 and 10,000 routes",
        Asked(),
        _ROUTES,
        _ROUTES[0].name,
        (Goal(_ROUTES[2].name, _ROUTES[0].name, 1.1),),
    ),
    Scenario(
        "shadow",
        "GET, every exchange mirrored",
        Asked(),
        (_PLAIN, _SHADOWED),
        _PLAIN.name,
        (Goal(_SHADOWED.name, _PLAIN.name, 1.25),),
        data_plane=True,
    ),
    Scenario("compiled", "GET, data plane compiled or not", Asked(), (NGINX, STRANGLER, SOURCES), STRANGLER.name),
)
BY_NAME = {scenario.name: scenario for scenario in SCENARIOS}
