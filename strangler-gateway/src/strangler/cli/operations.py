"""An OpenAPI document to routes: one per operation, named, and grouped into modules. No I/O.

Documents in the wild break the specification in many ways; what cannot become a route is left out with the reason, and
goes to the monolith like everything else that no route takes.
"""

import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote, urlsplit

from strangler.cli.failures import BadInput
from strangler.cli.path_match import Match, NotARoute, match_of

_METHODS = ("get", "head", "post", "put", "patch", "delete", "options", "trace", "query")
_SAFE = {"get", "head", "options", "trace", "query"}  # RFC 9110 §9.2.1, and the QUERY method
_LONGEST_NAME = 80
_RESERVED = {"catch-all"}
_VERSION = re.compile(r"v[0-9]+([._][0-9]+)*")


@dataclass(frozen=True, slots=True)
class Operation:
    """One route to be."""

    name: str
    method: str
    match: Match
    module: str
    is_write: bool


@dataclass(frozen=True, slots=True)
class LeftOut:
    """An operation that did not become a route."""

    operation: str
    why: str


@dataclass(frozen=True, slots=True)
class Survey:
    """What an OpenAPI document amounts to; the operations of one module stand together."""

    operations: tuple[Operation, ...] = ()
    left_out: tuple[LeftOut, ...] = ()

    @property
    def modules(self) -> list[str]:
        """In the order of the document."""
        return list(dict.fromkeys(operation.module for operation in self.operations))


@dataclass(slots=True)
class _Found:
    """An operation as the document has it."""

    method: str
    path: str
    content: Mapping[str, Any]
    match: Match = field(default_factory=lambda: Match("/"))


def survey(document: Any) -> Survey:
    """Raises ``BadInput`` if ``document`` is not OpenAPI (2 or 3) at all."""
    if not isinstance(document, Mapping) or not isinstance(document.get("paths"), Mapping):
        raise BadInput("this is no OpenAPI document: there is no mapping «paths» in it")
    found: list[_Found] = []
    left_out: list[LeftOut] = []
    taken: dict[tuple[object, ...], _Found] = {}
    base = _base_path(document)
    for each in _operations(document):
        label = f"{each.method.upper()} {each.path}"
        try:
            each.match = match_of(base + each.path if each.path.startswith("/") else f"{base}/{each.path}")
        except NotARoute as reason:
            left_out.append(LeftOut(label, str(reason)))
            continue
        earlier = taken.setdefault((each.method, *each.match.conditions), each)
        if earlier is not each:
            left_out.append(LeftOut(label, f"takes the same requests as {earlier.method.upper()} {earlier.path}"))
            continue
        found.append(each)
    return Survey(tuple(_named(found)), tuple(left_out))


def _operations(document: Mapping[str, Any]) -> Iterator[_Found]:
    for path, raw in document["paths"].items():
        item = _resolve(raw, document)
        for method in _METHODS:
            content = item.get(method)
            if isinstance(content, Mapping):
                yield _Found(method, str(path), content)


def _resolve(item: Any, document: Mapping[str, Any]) -> Mapping[str, Any]:
    """The path item that a local ``$ref`` means; nothing for what is not there, or elsewhere, or a ring."""
    for _ in range(8):
        if not isinstance(item, Mapping):
            break
        reference = item.get("$ref")
        if not isinstance(reference, str):
            return item
        item = document if reference.startswith("#/") else None
        for part in reference[2:].split("/"):
            name = unquote(part).replace("~1", "/").replace("~0", "~")
            item = item.get(name) if isinstance(item, Mapping) else None
    return {}


def _base_path(document: Mapping[str, Any]) -> str:
    """The path that stands before every other: of the first server (OpenAPI 3), or ``basePath`` (Swagger 2)."""
    base = document.get("basePath", "")
    servers = document.get("servers")
    if isinstance(servers, Sequence) and servers and isinstance(servers[0], Mapping):
        url = str(servers[0].get("url", ""))
        variables = servers[0].get("variables")
        for name, variable in (variables if isinstance(variables, Mapping) else {}).items():
            default = variable.get("default", "") if isinstance(variable, Mapping) else ""
            url = url.replace(f"{{{name}}}", str(default))
        try:
            base = urlsplit(url).path
        except ValueError:
            base = ""
    return f"/{base}".replace("//", "/").rstrip("/") if isinstance(base, str) and base else ""


def _named(found: Sequence[_Found]) -> list[Operation]:
    """Modules first, since no route may have the name of a module; then names, each once."""
    skipped = _common_prefix([each.match.path for each in found])
    modules = [_module(each, skipped) for each in found]
    used = _RESERVED | set(modules)
    operations = []
    for each, module in zip(found, modules, strict=True):
        name = _unique(_candidates(each), used)
        used.add(name)
        operations.append(Operation(name, each.method.upper(), each.match, module, each.method not in _SAFE))
    order = {module: position for position, module in enumerate(dict.fromkeys(modules))}
    return sorted(operations, key=lambda operation: order[operation.module])


def _module(each: _Found, skipped: int) -> str:
    tags = each.content.get("tags")
    first_tag = tags[0] if isinstance(tags, list) and tags and isinstance(tags[0], str) else ""
    literals = [segment for segment in each.match.path.split("/")[1 + skipped :] if segment and "{" not in segment]
    words = (segment for segment in literals if segment.lower() != "api" and not _VERSION.fullmatch(segment.lower()))
    module = _slug(first_tag) or _slug(next(words, "")) or "root"
    return f"{module}-module" if module in _RESERVED else module


def _common_prefix(paths: Sequence[str]) -> int:
    """How many literal segments all paths begin with, and go on after."""
    split = [path.split("/")[1:-1] for path in paths if path != "/"]
    count = 0
    for column in zip(*split, strict=False):
        if len(set(column)) > 1 or "{" in column[0]:
            break
        count += 1
    return count if len(split) > 1 else 0


def _candidates(each: _Found) -> Iterator[str]:
    """Names to try, the best first."""
    by_path = _slug(f"{each.method} {each.match.path}")
    identifier = str(each.content.get("operationId") or "")
    # FastAPI appends path and method to the function's name, which says the same thing twice.
    suffix = re.sub(r"\W", "_", each.path) + "_" + each.method
    shortened = identifier.removesuffix(suffix)
    yield from filter(None, (_slug(shortened), _slug(identifier), by_path))
    number = 2
    while True:
        yield f"{by_path}-{number}"
        number += 1


def _unique(candidates: Iterable[str], used: set[str]) -> str:
    return next(name for name in candidates if name not in used)


def _slug(text: str) -> str:
    """Lower-case words of ASCII letters and digits with hyphens between: ``listProducts`` is ``list-products``."""
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode()
    words = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "-", plain)
    return re.sub(r"[^a-z0-9]+", "-", words.lower()).strip("-")[:_LONGEST_NAME].strip("-")
