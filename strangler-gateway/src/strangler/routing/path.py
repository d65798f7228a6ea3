"""The one reading of a path that flag, policy and upstream share; or the finding that there is none.

Applications read an odd path differently: one decodes ``%2f``, one folds ``//``, one resolves ``..``, one cuts at
``;``. So an odd path is read as the most obliging application would read it, and is called ambiguous where that differs
from a plain decoding of its segments. A strict route refuses an ambiguous path that would reach it in either reading,
and one with policies what would reach another route in the other; the catch-all forwards it as it is written. Nothing
is ever rewritten.
"""

import re
from dataclasses import dataclass
from typing import Final

from strangler.model.route import Route

_ODD: Final = re.compile(rb"%|//|/\.|;|\\")
_PERCENT: Final = re.compile(rb"%([0-9A-Fa-f]{2})")
_DOUBT: Final = re.compile(rb"%(?![0-9A-Fa-f]{2})|%[01][0-9A-Fa-f]|%7[Ff]")
"""A percent sign that encodes nothing, or an encoded control character: NUL, CR and LF among them."""
_OVERLONG: Final = re.compile(rb"(?:\xf0\x80|\xe0)?([\x80\x81\xc0\xc1])([\x80-\xbf])")
"""ASCII in two, three or four bytes of what UTF-8 forbids; some decoders read a slash or a dot all the same."""
_CONTROLS: Final = bytes((*range(1, 32), 127))
_BACKSLASH_TO_SLASH: Final = bytes.maketrans(b"\\", b"/")


@dataclass(frozen=True, slots=True)
class PathReading:
    """How a path is understood."""

    lenient: bytes
    """Decoded twice, overlong UTF-8 too, backslashes as slashes, without control characters, segments cut at parameters
    and NUL, slashes folded, dot segments resolved."""
    ambiguous: bool
    """Whether two applications may disagree on what the path names."""


def is_plain(path: bytes) -> bool:
    """Whether every application reads this path alike: the only question that most requests have to answer."""
    return _ODD.search(path) is None


def read_path(path: bytes) -> PathReading:
    """The reading of a path that starts with a slash."""
    lenient = _lenient(path)
    segments = [_decode(segment) for segment in path.split(b"/")]
    return PathReading(lenient, _DOUBT.search(path) is not None or segments != lenient.split(b"/"))


def refusing(lenient: Route | None, literal: Route | None) -> Route | None:
    """The route because of which an ambiguous path is refused; None where it may pass as it is written.

    Given are the routes of both readings. Where they differ, neither's policies could be relied upon.
    """
    routes = [route for route in (lenient, literal) if route is not None]
    for route in routes:
        if route.strict or (lenient is not literal and route.judges):
            return route
    return None


def _decode(text: bytes) -> bytes:
    return _PERCENT.sub(lambda match: bytes((int(match[1], 16),)), text)


def _shortest(overlong: re.Match[bytes]) -> bytes:
    high, low = overlong[1][0], overlong[2][0]
    if (high < 0xC0) is (len(overlong[0]) == 2):  # C0 and C1 stand alone, 80 and 81 behind E0 or F0 80.
        return overlong[0]
    return bytes(((high & 1) << 6 | low & 0x3F,))


def _lenient(path: bytes) -> bytes:
    text = _OVERLONG.sub(_shortest, _decode(_decode(path))).translate(_BACKSLASH_TO_SLASH, _CONTROLS)
    segments: list[bytes] = []
    for segment in text.split(b"/"):
        name = segment.partition(b";")[0].partition(b"\0")[0]
        if name == b"..":
            del segments[-1:]
        elif name not in {b"", b"."}:
            segments.append(name)
    trailing = b"/" if segments and text.endswith((b"/", b"/.", b"/..")) else b""
    return b"/" + b"/".join(segments) + trailing
