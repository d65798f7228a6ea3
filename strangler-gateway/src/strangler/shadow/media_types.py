"""The value of Content-Type, taken apart (RFC 9110 §8.3.1)."""

import re
from dataclasses import dataclass

_PARAMETER = re.compile(r';\s*(?:([^\s=;"]+)=(?:"((?:[^"\\]|\\.)*)"|([^\s;"]*)))?\s*')
_LONGEST = 1024
_ALWAYS_UTF8 = frozenset(("text/csv", "text/event-stream", "text/javascript", "text/vtt"))
"""RFC 7111 §5.1, HTML's section on event streams, RFC 9239 §6.1.1.1, WebVTT's section on its type."""


@dataclass(frozen=True, slots=True)
class MediaType:
    """Name and parameters; names in lower case, values as they are but for quotes."""

    name: str
    parameters: tuple[tuple[str, str], ...] = ()
    """Sorted by name."""

    def parameter(self, name: str) -> str:
        """Its value; empty if it is not given."""
        return next((value for given, value in self.parameters if given == name), "")

    def without_utf8(self) -> "MediaType":
        """Without a charset of UTF-8."""
        return MediaType(
            self.name, tuple(pair for pair in self.parameters if (pair[0], pair[1].lower()) != ("charset", "utf-8"))
        )

    @property
    def is_utf8_anyway(self) -> bool:
        """Whether content of this type is UTF-8 also where nothing says so."""
        return self.name == "application/json" or self.name.endswith("+json") or self.name in _ALWAYS_UTF8

    def folded(self) -> "MediaType":
        """With the charset in lower case: its name means the same in any case."""
        return MediaType(
            self.name,
            tuple((name, value.lower() if name == "charset" else value) for name, value in self.parameters),
        )


def media_type(value: str) -> MediaType:
    """The media type that a header names; an empty name for none."""
    value = value[:_LONGEST]
    name, _, _ = value.partition(";")
    parameters = [
        (found[1].lower(), re.sub(r"\\(.)", r"\1", found[2]) if found[2] is not None else found[3])
        for found in _PARAMETER.finditer(value, len(name))
        if found[1]
    ]
    return MediaType(name.strip().lower(), tuple(sorted(parameters)))
