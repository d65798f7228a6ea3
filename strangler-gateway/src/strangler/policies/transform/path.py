"""The path that an arm is asked for, where it is another than the client's; and back, for where the arm redirects to.

Segments are taken as the client wrote them, so that what was encoded stays encoded. The result is read once more: what
the arm could take for a path outside of the new prefix is refused.
"""

import re
from typing import Protocol

from strangler.http1.refusal import RequestRefused
from strangler.model.transform import PathRewrite
from strangler.routing.path import is_plain, read_path

_PARAMETER = re.compile(r"\{([A-Za-z_][A-Za-z0-9_]*)\}")
_PERCENT = re.compile(rb"%([0-9A-Fa-f]{2})")
_REFUSED = "the path cannot be rewritten in one way only; send it without %2F, //, .. or ;"


class Rewriter(Protocol):
    """One way of rewriting paths."""

    def forward(self, path: bytes) -> bytes:
        """The arm's path for a client's. Raises ``RequestRefused``."""

    def back(self, path: bytes) -> bytes:
        """The client's path for one of the arm's."""


def rewriter(rewrite: PathRewrite, route_path: str) -> Rewriter:
    """What rewrites paths of a route that matches ``route_path``."""
    if rewrite.template:
        return _Template(rewrite.template, route_path)
    return _Prefix(rewrite.prefix, rewrite.to)


class _Prefix:
    """Replaces the first segments."""

    def __init__(self, prefix: str, to: str) -> None:
        self._prefix = prefix.rstrip("/").encode()
        self._segments = [b"", *self._prefix.split(b"/")[1:]]
        self._to = to.rstrip("/").encode()

    def forward(self, path: bytes) -> bytes:
        segments = path.split(b"/")
        count = len(self._segments)
        if [_decode(segment) for segment in segments[:count]] != self._segments:
            raise RequestRefused(400, _REFUSED)
        tail = segments[count:]
        result = self._to + b"".join(b"/" + segment for segment in tail) or b"/"
        _check(result, self._to)
        return result

    def back(self, path: bytes) -> bytes:
        if path != self._to and not path.startswith(self._to + b"/"):
            return path  # The arm redirects to where this route does not lead.
        return self._prefix + path[len(self._to) :] or b"/"


class _Template:
    """Fills a template with the route's own parameters."""

    def __init__(self, template: str, route_path: str) -> None:
        places = {name[1:-1]: place for place, name in enumerate(route_path.split("/")) if name.startswith("{")}
        # Alternately literal text and the place of a segment.
        self._parts: list[bytes | int] = [
            places[text] if number % 2 else text.encode() for number, text in enumerate(_PARAMETER.split(template))
        ]
        self._count = len(route_path.split("/"))

    def forward(self, path: bytes) -> bytes:
        segments = path.split(b"/")
        if len(segments) != self._count:
            raise RequestRefused(400, _REFUSED)
        result = b"".join(segments[part] if isinstance(part, int) else part for part in self._parts)
        _check(result, b"")
        if not is_plain(result) and read_path(result).lenient.count(b"/") != result.count(b"/"):
            raise RequestRefused(400, _REFUSED)
        return result

    def back(self, path: bytes) -> bytes:
        return path


def _check(path: bytes, within: bytes) -> None:
    """Refuse what an application could read as a host, or as a path outside of ``within``."""
    if path.startswith(b"//"):
        raise RequestRefused(400, _REFUSED)
    if not is_plain(path):
        lenient = read_path(path).lenient
        if lenient != within and not lenient.startswith(within + b"/"):
            raise RequestRefused(400, _REFUSED)


def _decode(segment: bytes) -> bytes:
    return _PERCENT.sub(lambda match: bytes((int(match[1], 16),)), segment) if b"%" in segment else segment
