"""From the file's sections to values of the model, and the checks that span sections."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from strangler.config import schema
from strangler.config.addresses import overlap, parse_endpoint, parse_listener
from strangler.config.authentication import (
    build_authentication,
    build_authenticators,
    build_authorization,
    build_identity,
    query_keys,
)
from strangler.config.discovery import dns_discovery
from strangler.config.document import Path as DocumentPath
from strangler.config.document import Report
from strangler.config.loaded import Process, Serve, Topology
from strangler.config.nearness import did_you_mean
from strangler.config.rate_limits import build_limit_store, build_rate_limits
from strangler.config.resilience import resilience, retries
from strangler.config.shadow import build_mirroring, build_shadow
from strangler.config.telemetry import build_access_log, build_trace
from strangler.config.templates import shape
from strangler.config.tls import downstream_tls, upstream_tls
from strangler.config.transforms import build_transforms
from strangler.config.weight import weight_from_percent
from strangler.model.flag import Flag, Stage
from strangler.model.route import CATCH_ALL, PathKind, Route, RouteMatch, StickySource, SubjectKind, Timeouts
from strangler.model.snapshot import Gateway, Limits
from strangler.model.upstream import Endpoint, Upstream

MONOLITH = "monolith"
"""The name of the monolith's upstream."""

_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class Sound:
    """The sections of a file that are right by themselves: all of them, or what is left beside wrong ones."""

    file: schema.ConfigFile
    route_numbers: Sequence[int]
    """The position of each of ``file.routes`` in the document."""
    upstream_names: set[str] | None
    """Every upstream that the document names, wrong ones too; None if that cannot be told."""
    authenticator_names: set[str] | None
    """Every authenticator, likewise."""
    gateway: bool = True
    """Whether the section about the gateway is as it stands in the document."""

    @property
    def numbered_routes(self) -> list[tuple[int, schema.RouteSection]]:
        """The routes with their positions."""
        return list(zip(self.route_numbers, self.file.routes, strict=True))


def build_topology(sound: Sound, report: Report) -> tuple[Topology, tuple[Flag, ...]]:
    """The topology and each route's first flag. Where ``report`` was called, the result is not to be used."""
    numbered = sound.numbered_routes
    upstreams = _upstreams(sound.file, report)
    _check_names(numbered, report)
    most = sound.file.gateway.limits.body_bytes
    routes = {number: _route(section, ("routes", number), sound, most, report) for number, section in numbered}
    _check_reachable(routes, report)
    flags = tuple(_first_flag(section, ("routes", number), report) for number, section in numbered)
    topology = Topology(
        _gateway(sound.file, report),
        upstreams,
        (*routes.values(), _catch_all(most)),
        build_authenticators(sound.file.authentication, sound.upstream_names, report),
        build_identity(sound.file.identity, report),
    )
    return topology, flags


def build_serve(section: schema.GatewaySection, report: Report) -> Serve:
    """The processes' settings; two listeners may not take the same address."""
    listeners = {key: parse_listener(getattr(section, key)) for key in ("listen", "admin", "health")}
    seen: dict[str, Endpoint] = {}
    for key, address in listeners.items():
        for earlier, taken in seen.items():
            if overlap(address, taken):
                report(
                    ("gateway", key), f"{getattr(section, key)} is also the address of «{earlier}»; give each its own"
                )
        seen[key] = address
    return Serve(
        **listeners,
        workers=section.workers,
        state=Path(section.state),
        store=section.store,
        heartbeat_timeout=section.heartbeat_timeout,
        stop_delay=section.stop_delay,
    )


def build_processes(sections: dict[str, schema.ProcessSection]) -> tuple[Process, ...]:
    """What ``strangler up`` starts, in the order of the file."""
    return tuple(
        Process(name, section.command, tuple(section.before), tuple(section.env.items()), section.ready)
        for name, section in sections.items()
    )


def _gateway(file: schema.ConfigFile, report: Report) -> Gateway:
    section = file.gateway
    limits = Limits(**section.limits.model_dump())
    return Gateway(
        limits,
        tuple(section.trusted_proxies),
        build_access_log(section.access_log, query_keys(file.authentication)),
        build_trace(section.trace, report),
        section.watchdog,
        build_limit_store(section.limit_store),
        downstream_tls(section.tls),
        build_mirroring(section.shadow),
    )


def _upstreams(file: schema.ConfigFile, report: Report) -> tuple[Upstream, ...]:
    sections = dict(file.upstreams)
    if file.monolith is not None:
        if MONOLITH in sections:
            report((MONOLITH,), "the monolith also stands under «upstreams»; keep one of the two")
        sections[MONOLITH] = schema.UpstreamSection(endpoints=[file.monolith])
    elif MONOLITH not in sections:
        report((MONOLITH,), "there is no monolith; write monolith: http://HOST:PORT")
    return tuple(_upstream(name, section, report) for name, section in sorted(sections.items()))


def _upstream(name: str, section: schema.UpstreamSection, report: Report) -> Upstream:
    endpoints = tuple(parse_endpoint(url) for url in section.endpoints)
    place = ("upstreams", name)
    for index in _repeated(endpoints):
        report((*place, "endpoints", index), f"{section.endpoints[index]} stands here a second time; remove one")
    failing = resilience(section)
    times_and_bounds = section.model_dump(exclude={"endpoints", "discovery", "tls", *failing})
    return Upstream(
        name,
        endpoints,
        **times_and_bounds,
        **failing,
        tls=upstream_tls(section, place, report),
        dns=dns_discovery(section, place, report),
        registry=section.discovery is not None and section.discovery.registry,
    )


def _check_names(numbered: Sequence[tuple[int, schema.RouteSection]], report: Report) -> None:
    """Route names are unique, and a target of ``flip`` is either a route or a module."""
    first: dict[str, int] = {}
    for number, section in numbered:
        place = ("routes", number, "name")
        if section.name == CATCH_ALL:
            report(place, f"«{CATCH_ALL}» is the name of the route that every gateway has; choose another")
        elif section.name in first:
            message = (
                f"a route called «{section.name}» stands already at routes[{first[section.name]}]; choose another name"
            )
            report(place, message)
        first.setdefault(section.name, number)
    for number, section in numbered:
        module = section.module
        if module == CATCH_ALL or (module in first and module != section.name):
            message = f"«{module}» is also the name of a route, so that «flip {module}» could mean either; rename one"
            report(("routes", number, "module"), message)


def _route(section: schema.RouteSection, place: DocumentPath, sound: Sound, most: int, report: Report) -> Route:
    _check_service(section.service, (*place, "service"), sound.upstream_names, report)
    if section.fallback and section.service is None:
        report((*place, "fallback"), "there is no service to fall back from; add «service», or remove «fallback»")
    for key, items in (("sticky", section.sticky), ("writes", section.writes)):
        for index in _repeated(items):
            report((*place, key, index), f"«{items[index]}» stands here a second time; remove one")
    if section.authenticate is None:
        for index, text in enumerate(section.sticky):
            if text.startswith("token:"):
                report((*place, "sticky", index), f"«{text}» needs a verified token; add «authenticate» to the route")
    module = section.module or section.name
    match = _match(section.match, (*place, "match"), report)
    monolith_transform, service_transform = build_transforms(section, match, sound.file.identity, place, report)
    return Route(
        name=section.name,
        match=match,
        module=module,
        group=section.group or module,
        monolith=MONOLITH,
        service=section.service,
        sticky=tuple(_sticky(text) for text in section.sticky),
        timeouts=Timeouts(**section.timeouts.model_dump()),
        retries=retries(section.retries),
        fallback=section.fallback,
        writes=tuple(sorted(section.writes)),
        strict=section.strict,
        authentication=build_authentication(
            section.authenticate, (*place, "authenticate"), sound.authenticator_names, report
        ),
        authorization=build_authorization(section, (*place, "authorize"), report),
        rate_limits=build_rate_limits(
            section.rate_limits,
            (*place, "rate_limits"),
            store=sound.file.gateway.limit_store is not None or not sound.gateway,
            report=report,
        ),
        body_bytes=most if section.body_bytes is None else section.body_bytes,
        shadow=build_shadow(section, (*place, "shadow"), sound.file.gateway.shadow if sound.gateway else None, report),
        monolith_transform=monolith_transform,
        service_transform=service_transform,
    )


def _check_service(service: str | None, place: DocumentPath, known: set[str] | None, report: Report) -> None:
    if service == MONOLITH:
        report(place, "the service arm is the monolith itself; leave «service» out until there is another application")
    elif service is not None and known is not None and service not in known:
        report(place, f"there is no upstream «{service}»{did_you_mean(service, sorted(known))}")


def _match(section: schema.MatchSection, place: DocumentPath, report: Report) -> RouteMatch:
    if section.path is not None and section.prefix is not None:
        report((*place, "prefix"), "a match has either «path» or «prefix», not both; remove one")
    elif section.path is None and section.prefix is None:
        report(place, "a match needs «path» or «prefix»")
    kind = PathKind.TEMPLATE if section.path is not None else PathKind.PREFIX
    path = section.path or section.prefix or "/"
    headers = sorted((name.lower(), value) for name, value in section.headers.items())
    for index in _repeated([name for name, _ in headers]):
        report((*place, "headers"), f"the header {headers[index][0]} stands here twice; case does not count in names")
    return RouteMatch(path, kind, frozenset(section.methods), tuple(headers), tuple(sorted(section.query.items())))


def _check_reachable(routes: dict[int, Route], report: Report) -> None:
    """Among routes with the same conditions the first takes all, so that a later one could never match."""
    seen: dict[tuple[object, ...], list[tuple[frozenset[str], int]]] = {}
    for index, route in routes.items():
        match = route.match
        conditions = (match.kind, shape(match.path), match.headers, match.query, bool(match.methods))
        earlier = seen.setdefault(conditions, [])
        taken = frozenset().union(*(methods for methods, _ in earlier))
        if earlier and match.methods <= taken:
            names = ", ".join(
                f"«{routes[other].name}»" for methods, other in earlier if methods & match.methods or not methods
            )
            message = (
                f"this route can never match: {names} before it takes the same requests; remove it or narrow the other"
            )
            report(("routes", index, "match"), message)
        earlier.append((match.methods, index))


def _first_flag(section: schema.RouteSection, place: DocumentPath, report: Report) -> Flag:
    stage = Stage(section.stage)
    if stage is not Stage.MONOLITH and section.service is None:
        report((*place, "stage"), f"the stage «{stage}» needs a service arm; add «service», or begin at monolith")
    if stage is Stage.CANARY and section.weight is None:
        report((*place, "stage"), "a canary needs a weight; add for example weight: 5")
    if stage is not Stage.CANARY and section.weight is not None:
        report((*place, "weight"), f"a weight has a meaning at stage canary only, not at {stage}; remove it")
    return Flag(section.name, stage, weight_from_percent(section.weight) if section.weight is not None else 0)


def _sticky(text: str) -> StickySource:
    kind, _, name = text.partition(":")
    source = SubjectKind(kind)
    return StickySource(source, name.lower() if source is SubjectKind.HEADER else name)


def _catch_all(most: int) -> Route:
    match = RouteMatch("/", PathKind.PREFIX)
    return Route(CATCH_ALL, match, module=CATCH_ALL, group=CATCH_ALL, monolith=MONOLITH, strict=False, body_bytes=most)


def _repeated(items: Iterable[_T]) -> list[int]:
    """Positions of items that stand before already."""
    seen: list[_T] = []
    positions = []
    for index, item in enumerate(items):
        if item in seen:
            positions.append(index)
        seen.append(item)
    return positions
