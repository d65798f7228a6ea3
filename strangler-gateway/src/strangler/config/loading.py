"""A configuration file to a ``Loaded``, or to every problem in it with its line."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from strangler.config.document import Document, Report, format_path
from strangler.config.document import Path as DocumentPath
from strangler.config.environment import read_overrides
from strangler.config.loaded import Loaded, Place, Topology
from strangler.config.messages import message
from strangler.config.schema import ConfigFile
from strangler.config.tls import check_files, warn_of_tls
from strangler.config.topology import MONOLITH, Sound, build_processes, build_serve, build_topology
from strangler.model.errors import ConfigError, Problem

_COLLECTIONS = {"authentication", "routes", "upstreams", "processes"}
_STAGED = {"service", "stage", "weight"}
_IDENTIFIED = {"authenticate", "authorize", "sticky"}


Trial = Callable[[Topology, Report], None]
"""What else is to be tried of a configuration in which nothing is wrong by itself."""


def load(path: Path, *, with_files: bool = False, trial: Trial | None = None) -> Loaded:
    """Read and check a file; the environment may override what stands under ``gateway:``.

    ``with_files``: also read the files of certificates that it names; ``trial``: and what others than this room can
    read. Raises ``ConfigError`` with every problem. A configuration that cannot be read is one problem on line 0.
    """
    source = str(path)
    try:
        text = path.read_bytes().decode()
    except OSError as error:
        message = f"cannot be read: {error.strerror}; `strangler init` writes one"
        raise ConfigError(source, (Problem(0, "(file)", message),)) from None
    except UnicodeDecodeError as error:
        raise ConfigError(source, (Problem(0, "(file)", f"not UTF-8: byte {error.start}"),)) from None
    return load_text(text, source, with_files=with_files, trial=trial)


def load_text(
    text: str, source: str = "strangler.yaml", *, with_files: bool = False, trial: Trial | None = None
) -> Loaded:
    """As ``load``, for a text that is at hand."""
    document = Document(text)
    overrides, unreadable = read_overrides()
    problems = [*unreadable, *document.problems]
    if not problems and not isinstance(document.value, dict):
        problems.append(document.problem((), "the file must be a mapping; write at least monolith: http://HOST:PORT"))
    if not isinstance(document.value, dict):
        raise ConfigError(source, tuple(problems))

    def report(place: DocumentPath, message: str) -> None:
        variable = overrides.variable(place)
        problems.append(Problem(0, variable, message) if variable else document.problem(place, message))

    sound = _validate(overrides.applied(document.value), report)
    topology, first = build_topology(sound, report)
    serve = build_serve(sound.file.gateway, report)
    if with_files:
        check_files(sound.file, report)
    if trial is not None and not problems:
        trial(topology, report)
    if problems:
        raise ConfigError(source, tuple(sorted(problems, key=lambda problem: problem.line)))
    places = {
        route.name: Place(document.line(("routes", number)), format_path(("routes", number)))
        for number, route in enumerate(sound.file.routes)
    }
    warnings: list[Problem] = []
    warn_of_tls(sound.file, lambda place, message: warnings.append(document.problem(place, message)))
    return Loaded(source, topology, first, serve, build_processes(sound.file.processes), places, tuple(warnings))


def _validate(data: dict[str, Any], report: Report) -> Sound:
    """The sections in which nothing is wrong; what is wrong in the others is reported.

    The sound ones are judged further, so that one round shows every problem and not only those of one kind.
    """
    try:
        file = ConfigFile.model_validate(data)
        return Sound(file, range(len(file.routes)), {*file.upstreams, MONOLITH}, set(file.authentication))
    except ValidationError as error:
        details = error.errors(include_url=False)
    wrong: set[DocumentPath] = set()
    for detail in details:
        place = tuple(part for part in detail["loc"] if part != "[key]")
        report(place, message(place, detail, ConfigFile))
        wrong |= _unsound(place)
    remainder = _without(data, wrong)
    if ("monolith",) in wrong:
        remainder["monolith"] = "http://refused.invalid"
    routes = data.get("routes")
    total = len(routes) if isinstance(routes, list) and ("routes",) not in wrong else 0
    numbers = [number for number in range(total) if ("routes", number) not in wrong]
    upstreams = data.get("upstreams", {})
    names = {*upstreams, MONOLITH} if isinstance(upstreams, dict) else None
    authenticators = data.get("authentication", {})
    known = set(authenticators) if isinstance(authenticators, dict) else None
    file = ConfigFile.model_validate(remainder)
    return Sound(file, numbers, names, known, gateway=("gateway",) not in wrong)


def _unsound(place: DocumentPath) -> set[DocumentPath]:
    """What to leave out for one error: the smallest part without which the rest still means the same."""
    if place[0] not in _COLLECTIONS:
        return {place[:1]}
    if place[0] != "routes" or len(place) < 3 or place[2] in {"name", "match"}:
        return {place[:2]}
    # A stage is judged by its weight and its service arm, claims by how they are verified: without one of them the
    # others say nothing.
    keys = next((kin for kin in (_STAGED, _IDENTIFIED) if place[2] in kin), {place[2]})
    return {(*place[:2], key) for key in keys}


def _without(value: Any, wrong: set[DocumentPath], place: DocumentPath = ()) -> Any:
    """A copy of ``value`` without the ``wrong`` places."""
    if isinstance(value, dict):
        return {key: _without(item, wrong, (*place, key)) for key, item in value.items() if (*place, key) not in wrong}
    if isinstance(value, list) and place == ("routes",):
        return [_without(item, wrong, (*place, at)) for at, item in enumerate(value) if (*place, at) not in wrong]
    return value
