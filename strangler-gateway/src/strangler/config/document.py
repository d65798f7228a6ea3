"""YAML text to plain values that remember their lines; knows nothing of what the document means."""

import re
from collections.abc import Callable
from typing import TYPE_CHECKING, TypeAlias

import yaml

from strangler.model.errors import Problem

if TYPE_CHECKING:
    from yaml import SafeLoader as _Loader
else:
    # The C parser is ten times faster; wheels of PyYAML have it, some distributions' builds do not.
    _Loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)

Path: TypeAlias = tuple[str | int, ...]
"""Keys and indices from the document's root to a value."""
Report: TypeAlias = Callable[[Path, str], None]
"""Notes a problem at a place of the document."""
Value: TypeAlias = "bool | int | float | str | list[Value] | dict[str, Value] | None"

_NULL = "tag:yaml.org,2002:null"
_BOOL = "tag:yaml.org,2002:bool"
_INT = "tag:yaml.org,2002:int"
_FLOAT = "tag:yaml.org,2002:float"
_CORE_TAGS: dict[str, Callable[[str], Value]] = {
    _NULL: lambda _: None,
    _BOOL: lambda text: text.lower() == "true",
    _INT: int,
    _FLOAT: float,
}


class _CoreLoader(_Loader):
    """Reads scalars by YAML 1.2's core schema, in which ``off`` is a word and ``10:30`` is not a number."""

    yaml_implicit_resolvers: dict[str, list[tuple[str, re.Pattern[str]]]] = {}  # noqa: RUF012 - PyYAML's own attribute


for _tag, _pattern, _first in (
    (_NULL, r"~|null|Null|NULL|", "~nN\0"),
    (_BOOL, r"true|True|TRUE|false|False|FALSE", "tTfF"),
    (_INT, r"[-+]?[0-9]{1,30}", "-+0123456789"),
    (_FLOAT, r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?", "-+.0123456789"),
):
    for _letter in _first:
        _key = "" if _letter == "\0" else _letter
        _CoreLoader.yaml_implicit_resolvers.setdefault(_key, []).append((_tag, re.compile(rf"^(?:{_pattern})$")))


def format_path(path: Path) -> str:
    """A path as people write it: ``routes[2].match.path``; ``(file)`` for the root."""
    text = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in path)
    return text.removeprefix(".") or "(file)"


class Document:
    """One parsed file: ``value``, the line of everything in it, and what is wrong with it as YAML."""

    def __init__(self, text: str) -> None:
        self.value: Value = None
        self.problems: list[Problem] = []
        self._lines: dict[Path, int] = {}
        self._open: set[int] = set()
        try:
            node = _compose(text)
            self.value = self._read(node, ()) if node else None
        except yaml.MarkedYAMLError as error:
            mark = error.problem_mark or error.context_mark
            about = ", ".join(part for part in (error.context, error.problem) if part)
            self.problems.append(Problem(mark.line + 1 if mark else 0, "(file)", f"not valid YAML: {about}"))
        except yaml.reader.ReaderError as error:
            line = text.count("\n", 0, error.position) + 1 if isinstance(error.position, int) else 0
            self.problems.append(Problem(line, "(file)", f"not valid YAML: {error.reason}"))
        except RecursionError:
            self.problems.append(Problem(0, "(file)", "nested more deeply than anything that may stand in it"))

    def line(self, path: Path) -> int:
        """The line of ``path``, or of the nearest thing around it that stands in the file; 0 if nothing does."""
        while path not in self._lines and path:
            path = path[:-1]
        return self._lines.get(path, 0)

    def problem(self, path: Path, message: str) -> Problem:
        """A problem at ``path``."""
        return Problem(self.line(path), format_path(path), message)

    def _read(self, node: yaml.Node, path: Path) -> Value:
        # The line of a value in a mapping is its key's, which is already noted.
        self._lines.setdefault(path, node.start_mark.line + 1)
        if isinstance(node, yaml.ScalarNode):
            return self._scalar(node, path)
        if id(node) in self._open:
            self.problems.append(self.problem(path, "an alias may not contain itself"))
            return None
        self._open.add(id(node))
        try:
            if isinstance(node, yaml.SequenceNode):
                return [self._read(item, (*path, index)) for index, item in enumerate(node.value)]
            return self._mapping(node, path)
        finally:
            self._open.remove(id(node))

    def _mapping(self, node: yaml.Node, path: Path) -> dict[str, Value]:
        found: dict[str, Value] = {}
        for key_node, value_node in node.value:
            line = key_node.start_mark.line + 1
            if not isinstance(key_node, yaml.ScalarNode):
                self.problems.append(Problem(line, format_path(path), "a key must be plain text"))
                continue
            key = str(key_node.value)
            if key in found:
                first = self._lines[*path, key]
                message = f"the key «{key}» stands here a second time (first on line {first}); remove one"
                self.problems.append(Problem(line, format_path((*path, key)), message))
                continue
            self._lines[*path, key] = line
            found[key] = self._read(value_node, (*path, key))
        return found

    def _scalar(self, node: yaml.ScalarNode, path: Path) -> Value:
        if node.tag in _CORE_TAGS:
            return scalar_from_text(node.value)
        if node.tag not in {"tag:yaml.org,2002:str", "!"}:
            self.problems.append(self.problem(path, f"the tag {node.tag} is not known here; remove it"))
        return str(node.value)


def scalar_from_text(text: str) -> Value:
    """One word as it would be read in the file: ``4`` is a number, ``off`` a word."""
    for tag, pattern in _CoreLoader.yaml_implicit_resolvers.get(text[:1], []):
        if pattern.match(text):
            return _CORE_TAGS[tag](text)
    return text


def _compose(text: str) -> yaml.Node | None:
    loader = _CoreLoader(text)
    try:
        return loader.get_single_node()
    finally:
        loader.dispose()
