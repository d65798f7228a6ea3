"""A text without its escapes, and where each character of that stands in the text: ``%40`` is an ``@``."""

import re
from bisect import bisect_right
from collections.abc import Iterator

_ESCAPE = re.compile(
    r"%[0-9A-Fa-f]{2}|\\u[0-9A-Fa-f]{4}|\\x[0-9A-Fa-f]{2}|\\[nrtbf\"'/\\]|&#[0-9]{1,7};|&#[xX][0-9A-Fa-f]{1,6};|"
    r"&(?:amp|apos|colon|commat|equals|gt|lowbar|lt|nbsp|num|period|plus|quot|sol);"
)
_NAMED = {
    "amp": "&", "apos": "'", "colon": ":", "commat": "@", "equals": "=", "gt": ">", "lowbar": "_", "lt": "<",
    "nbsp": " ", "num": "#", "period": ".", "plus": "+", "quot": '"', "sol": "/",
}  # fmt: skip
_CONTROLS = {"n": "\n", "r": "\r", "t": "\t", "b": "\b", "f": "\f"}
_MOST_LAYERS = 3
"""A URL in a JSON text in an HTML page."""


class View:
    """A text as it reads once (one layer of) its escapes are undone."""

    def __init__(self, source: str) -> None:
        parts: list[str] = []
        # Of each piece: where it begins here, where in the source, and how long an escape is there (0 for plain text).
        self._here: list[int] = []
        self._there: list[int] = []
        self._escape: list[int] = []
        done = length = 0
        for found in _ESCAPE.finditer(source):
            if found.start() > done:
                self._add(length, done, 0)
                parts.append(source[done : found.start()])
                length += found.start() - done
            self._add(length, found.start(), found.end() - found.start())
            parts.append(_undone(found.group()))
            length += 1
            done = found.end()
        if done < len(source):
            self._add(length, done, 0)
            parts.append(source[done:])
        self.text = "".join(parts)

    def _add(self, here: int, there: int, escape: int) -> None:
        self._here.append(here)
        self._there.append(there)
        self._escape.append(escape)

    def source(self, start: int, end: int) -> tuple[int, int]:
        """Where a part of the view, of at least one character, stands in the source."""
        return self._at(start)[0], self._at(end - 1)[1]

    def _at(self, position: int) -> tuple[int, int]:
        piece = bisect_right(self._here, position) - 1
        there, escape = self._there[piece], self._escape[piece]
        if escape:
            return there, there + escape
        start = there + position - self._here[piece]
        return start, start + 1


def layers(text: str) -> Iterator[list[View]]:
    """The views of a text: its escapes undone once, twice, three times. Each as the views that lead to it."""
    path: list[View] = []
    for _ in range(_MOST_LAYERS):
        if not _ESCAPE.search(text):
            return
        path = [*path, View(text)]
        text = path[-1].text
        yield path


def _undone(escape: str) -> str:
    """The one character that an escape stands for; bytes of UTF-8 come out one by one, which is enough to find by."""
    if escape[0] == "%":
        return chr(int(escape[1:], 16))
    if escape[0] == "&":
        if escape[1] != "#":
            return _NAMED[escape[1:-1]]
        code = int(escape[3:-1], 16) if escape[2] in "xX" else int(escape[2:-1])
        return chr(code) if code < 0x110000 else "?"
    if escape[1] in "ux":
        digits = escape[2:]
        return chr(int(digits, 16))
    return _CONTROLS.get(escape[1], escape[1])
