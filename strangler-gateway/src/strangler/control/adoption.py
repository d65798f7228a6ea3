"""What a new topology means for the flags in the store; decided purely, before anything is done."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from strangler.config.loaded import Loaded
from strangler.config.weight import percent_from_weight
from strangler.control.store import Change, ChangeKind, StoredFlag
from strangler.model.errors import ConfigError, Problem
from strangler.model.flag import Flag, Stage
from strangler.model.route import CATCH_ALL


@dataclass(frozen=True, slots=True)
class Adoption:
    """Flags to put and audit rows to write."""

    flags: tuple[StoredFlag, ...]
    changes: tuple[Change, ...]


def plan_adoption(
    loaded: Loaded, stored: Mapping[str, StoredFlag], previous: str, author: str, reason: str
) -> Adoption:
    """``previous`` is the fingerprint of the topology that was adopted before, empty if none was.

    Raises ``ConfigError`` where a route that is served by its service would lose that service.
    """
    topology = loaded.topology
    _check_service_arms(loaded, stored)
    first = {flag.route: flag for flag in loaded.first}
    flags: list[StoredFlag] = []
    changes = [
        Change(
            ChangeKind.CONFIG,
            author,
            reason,
            before={"topology": previous} if previous else None,
            after={"topology": topology.fingerprint, "routes": len(topology.routes)},
        )
    ]

    def note(route: str, what: str, before: Flag | None, after: Flag | None) -> None:
        flag = after or before
        if flag is not None:
            flags.append(StoredFlag(flag, present=after is not None))
        shown = (describe(before) if before else None, describe(after) if after else None)
        changes.append(Change(ChangeKind.CONFIG, author, f"{reason}: {what}", route, *shown))

    for route in topology.routes:
        known = stored.get(route.name)
        if route.name == CATCH_ALL:
            continue
        if known is None:
            note(route.name, "the route is new", None, first[route.name])
        elif not known.present and route.service is None and known.flag.stage is not Stage.MONOLITH:
            note(route.name, "the route is back, without its service arm", known.flag, Flag(route.name))
        elif not known.present:
            note(route.name, "the route is back", None, known.flag)
    for name, known in stored.items():
        if known.present and name not in topology.by_name:
            note(name, "the route is gone; its flag is kept", known.flag, None)
    return Adoption(tuple(flags), tuple(changes))


def describe(flag: Flag) -> dict[str, Any]:
    """A flag as the audit and the API show it."""
    return {"stage": flag.stage.value, "weight": percent_from_weight(flag.weight), "cohorts": list(flag.cohorts)}


def _check_service_arms(loaded: Loaded, stored: Mapping[str, StoredFlag]) -> None:
    problems = []
    for route in loaded.topology.routes:
        known = stored.get(route.name)
        if known is None or not known.present or route.service is not None or known.flag.stage is Stage.MONOLITH:
            continue
        place = loaded.places[route.name]
        message = (
            f"the route «{route.name}» is at stage {known.flag.stage} and would lose its service arm; "
            f"flip it to monolith first (strangler flip {route.name} monolith), or keep «service»"
        )
        problems.append(Problem(place.line, f"{place.path}.service", message))
    if problems:
        raise ConfigError(loaded.source, tuple(problems))
