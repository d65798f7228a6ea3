"""Which route takes a request: a tree of path segments, compiled once per snapshot.

Precedence, the most telling first (that of the Kubernetes Gateway API, with templates in between): exact path, template
with the earliest literal segment, longest prefix; then a named method, more headers, more query parameters, and the
order of declaration. Cost depends on the depth of the path, not on the number of routes.
"""

from collections.abc import Iterable
from typing import Generic, TypeVar
from urllib.parse import parse_qsl

from strangler.model.route import PathKind, RouteMatch
from strangler.routing.fields import Fields

T = TypeVar("T")


class _Candidate(Generic[T]):
    """The conditions of one route at one place of the tree, beside those on the path."""

    __slots__ = ("headers", "methods", "query", "rank", "value")

    def __init__(self, match: RouteMatch, methods: frozenset[str], order: tuple[int, ...], value: T) -> None:
        self.methods = frozenset(method.encode() for method in methods)
        self.headers = tuple((name.encode(), value.encode()) for name, value in match.headers)
        self.query = match.query
        self.rank = (not methods, -len(match.headers), -len(match.query), *order)
        self.value = value

    def takes(self, method: bytes, fields: Fields, query: bytes) -> bool:
        if self.methods and method not in self.methods:
            return False
        if self.headers and not all(value in fields.values(name) for name, value in self.headers):
            return False
        return not self.query or self._takes_query(query)

    def _takes_query(self, query: bytes) -> bool:
        present = parse_qsl(query.decode("latin-1"), keep_blank_values=True)
        return all(pair in present for pair in self.query)


class _Node(Generic[T]):
    __slots__ = ("children", "here", "parameter", "prefix")

    def __init__(self) -> None:
        self.children: dict[bytes, _Node[T]] = {}
        self.parameter: _Node[T] | None = None
        self.here: list[_Candidate[T]] = []
        self.prefix: list[_Candidate[T]] = []


class Matcher(Generic[T]):
    """Finds what was filed under the best of the matching conditions."""

    __slots__ = ("_root",)

    def __init__(self, entries: Iterable[tuple[RouteMatch, T]]) -> None:
        self._root: _Node[T] = _Node()
        for order, (match, value) in enumerate(entries):
            self._add(match, order, value)

    def match(self, method: bytes, path: bytes, fields: Fields, query: bytes = b"") -> T | None:
        """Return what the best match was filed with.

        ``path`` is decoded and starts with a slash.
        """
        segments = path.split(b"/")
        del segments[0]
        return self._find(self._root, segments, 0, method, fields, query)

    def _find(
        self, node: _Node[T], segments: list[bytes], depth: int, method: bytes, fields: Fields, query: bytes
    ) -> T | None:
        """The best below this node: literal before parameter before prefix, and the deepest prefix first."""
        while depth < len(segments) and not node.prefix and node.parameter is None:
            # Only one way leads on, and there is nothing to come back to.
            only = node.children.get(segments[depth])
            if only is None:
                return None
            node = only
            depth += 1
        if depth < len(segments):
            segment = segments[depth]
            child = node.children.get(segment)
            if child is not None:
                found = self._find(child, segments, depth + 1, method, fields, query)
                if found is not None:
                    return found
            if node.parameter is not None and segment:
                found = self._find(node.parameter, segments, depth + 1, method, fields, query)
                if found is not None:
                    return found
        else:
            for candidate in node.here:
                if candidate.takes(method, fields, query):
                    return candidate.value
        for candidate in node.prefix:
            if candidate.takes(method, fields, query):
                return candidate.value
        return None

    def _add(self, match: RouteMatch, order: int, value: T) -> None:
        is_prefix = match.kind is PathKind.PREFIX
        # A trailing slash of a prefix is the border that every prefix has anyway.
        segments = (match.path.rstrip("/") if is_prefix else match.path).split("/")[1:]
        node = self._root
        for segment in segments:
            if not is_prefix and segment.startswith("{") and segment.endswith("}"):
                if node.parameter is None:
                    node.parameter = _Node()
                node = node.parameter
            else:
                node = node.children.setdefault(segment.encode(), _Node())
        filed = node.prefix if is_prefix else node.here
        filed.append(_Candidate(match, match.methods, (0, order), value))
        if "GET" in match.methods and "HEAD" not in match.methods:
            # HEAD follows GET, behind any route that names HEAD itself.
            filed.append(_Candidate(match, frozenset({"HEAD"}), (1, order), value))
        filed.sort(key=lambda candidate: candidate.rank)
