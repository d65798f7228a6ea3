"""Text without what looks like a secret, also where that is written in escapes."""

import re
from collections.abc import Iterator, Sequence

from strangler.shadow.escapes import layers
from strangler.shadow.secret_members import ALL_PATTERNS
from strangler.shadow.secret_patterns import Pattern, Span, placeholder

_PLAIN = re.compile(
    r"[\w.,/-]{0,12}|[A-Za-z_]{0,15}|\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:\.\d{1,9})?(?:Z|[+-]\d\d:\d\d)?", re.ASCII
)
"""Most texts of a document: too short for any pattern, or a time."""


class TextRedactor:
    """Replaces what a pattern finds, those of a route included."""

    def __init__(self, own: Sequence[re.Pattern[str]]) -> None:
        self._has_own = bool(own)
        self._patterns: tuple[Pattern, ...] = (*ALL_PATTERNS, *map(_pattern, own))

    def redact(self, text: str) -> str:
        """The text with every secret in it replaced by its kind and length."""
        if not self._has_own and _PLAIN.fullmatch(text):
            return text
        spans = sorted(self._found(text), key=lambda span: (span[0], -span[1]))
        if not spans:
            return text
        parts: list[str] = []
        done = 0
        for start, end, kind in _merged(spans):
            parts += (text[done:start], placeholder(kind, end - start))
            done = end
        return "".join((*parts, text[done:]))

    def _found(self, text: str) -> Iterator[Span]:
        """In the text as it is, and as it reads without escapes."""
        for pattern in self._patterns:
            yield from pattern(text)
        for path in layers(text):
            for pattern in self._patterns:
                for start, end, kind in pattern(path[-1].text):
                    first, last = start, end
                    for view in reversed(path):
                        first, last = view.source(first, last)
                    yield first, last, kind


def _merged(spans: list[Span]) -> Iterator[Span]:
    """Spans that overlap as one, of the kind of the first."""
    start, end, kind = spans[0]
    for one in spans[1:]:
        if one[0] < end:
            end = max(end, one[1])
        else:
            yield start, end, kind
            start, end, kind = one
    yield start, end, kind


def _pattern(own: re.Pattern[str]) -> Pattern:
    def find(text: str) -> Iterator[Span]:
        for found in own.finditer(text):
            if found.group():
                yield found.start(), found.end(), "pattern"

    return find
