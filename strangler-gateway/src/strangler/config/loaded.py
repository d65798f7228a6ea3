"""What a configuration file comes to: a topology for the snapshot, first flags, and settings of the processes."""

import hashlib
from dataclasses import asdict, dataclass, field
from functools import cached_property
from pathlib import Path

import orjson

from strangler.model.authentication import Authenticator, IdentityForm
from strangler.model.errors import Problem
from strangler.model.flag import Flag
from strangler.model.route import Route
from strangler.model.snapshot import Gateway
from strangler.model.upstream import Endpoint, Upstream


@dataclass(frozen=True)
class Topology:
    """The part that snapshots carry. ``routes`` has the catch-all last."""

    gateway: Gateway
    upstreams: tuple[Upstream, ...]
    routes: tuple[Route, ...]
    authenticators: tuple[Authenticator, ...] = ()
    identity: IdentityForm = field(default_factory=IdentityForm)

    @cached_property
    def fingerprint(self) -> str:
        """SHA-256 (hex) of the canonical form: comments, key order and spelling in the file do not count."""
        return hashlib.sha256(orjson.dumps(asdict(self), option=orjson.OPT_SORT_KEYS, default=sorted)).hexdigest()

    @cached_property
    def by_name(self) -> dict[str, Route]:
        """The routes by their names."""
        return {route.name: route for route in self.routes}


@dataclass(frozen=True, slots=True)
class Serve:
    """Settings of the processes; they count at start only. Port 0 takes a free one."""

    listen: Endpoint
    admin: Endpoint
    health: Endpoint
    workers: int
    """0 for one per core."""
    state: Path
    store: str | None
    """A database URL; None for SQLite in the state folder."""
    heartbeat_timeout: float = 10.0
    stop_delay: float = 0.0


@dataclass(frozen=True, slots=True)
class Process:
    """An application that ``strangler up`` starts for development."""

    name: str
    command: str
    before: tuple[str, ...] = ()
    """Commands that must succeed first, one after the other."""
    env: tuple[tuple[str, str], ...] = ()
    ready: str | None = None
    """A URL that answers 2xx once the application can take requests."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where something stands in the file: its line, counted from 1, and its path in the document."""

    line: int
    path: str


@dataclass(frozen=True, slots=True)
class Loaded:
    """A configuration in which nothing is wrong."""

    source: str
    topology: Topology
    first: tuple[Flag, ...]
    """The flag that each route begins with, if the store has none for it; the catch-all has no flag."""
    serve: Serve
    processes: tuple[Process, ...]
    places: dict[str, Place]
    """Where each route stands, for problems that only the store can know of."""
    warnings: tuple[Problem, ...] = ()
    """What is allowed and dangerous."""
