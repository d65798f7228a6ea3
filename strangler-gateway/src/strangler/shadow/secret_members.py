"""Secrets by their names, in any text: members as JSON writes them, whole arrays and objects too, and parameters.

For what is no document: lines of JSON, JSON within a text, what was cut, URLs, cookies.
"""

import re
from collections.abc import Iterator

from strangler.shadow.secret_names import is_secret_name
from strangler.shadow.secret_patterns import PATTERNS, Pattern, Span, is_placeholder

_MEMBER = re.compile(r"(?:\"((?:[^\"\\\n]|\\.){1,200})\"|'((?:[^'\\\n]|\\.){1,200})')\s{0,8}:\s{0,8}")
_VALUE = re.compile(r"\"((?:[^\"\\]|\\.)*+)\"?|'((?:[^'\\]|\\.)*+)'?|(-?\d[\d.eE+-]*)|[\[{]", re.DOTALL)
_TOKEN = re.compile(r"\"(?:[^\"\\]|\\.)*+\"?|[\[\]{}]", re.DOTALL)
_PARAMETER = re.compile(r"(?:[?&;]\s?|\bcookie:\s?)([^\s=&;?\"'<>/]{1,100})=([^\s&;\"'<>#]{1,4096})", re.IGNORECASE)


def _members(text: str) -> Iterator[Span]:
    done = 0
    while found := _MEMBER.search(text, done):
        done = found.end()
        value = _VALUE.match(text, done) if is_secret_name(found[1] or found[2]) else None
        if value is None:
            continue
        if value.lastindex is None:
            start, done = done, _end(text, done)
        else:
            start, done = value.start(value.lastindex), value.end(value.lastindex)
        if start < done and not is_placeholder(text[start:done]):
            yield start, done, "secret"


def _end(text: str, start: int) -> int:
    """Where the array or object ends that begins there; the end of the text if it does not."""
    depth = 0
    for found in _TOKEN.finditer(text, start):
        depth += {"[": 1, "{": 1, "]": -1, "}": -1}.get(found.group(), 0)
        if depth == 0:
            return found.end()
    return len(text)


def _parameters(text: str) -> Iterator[Span]:
    for found in _PARAMETER.finditer(text):
        if is_secret_name(found[1]) and not is_placeholder(found[2]):
            yield found.start(2), found.end(2), "secret"


ALL_PATTERNS: tuple[Pattern, ...] = (*PATTERNS, _members, _parameters)
"""Those that go by how a secret looks, and those that go by its name."""
