"""The header fields of one head, found without touching each of them in Python.

A section is the bytes from the CRLF before the first field to the empty line. A block is lines with a CRLF before each.
"""

import re
from typing import Final

_NAME: Final = re.compile(rb"\r\n([^:\r\n]+):")


class Fields:
    """Header fields in their order. To be made from a section that llhttp has accepted, and from no other bytes."""

    __slots__ = ("lines", "names")

    def __init__(self, section: bytes) -> None:
        self.lines = section.split(b"\r\n")[1:-2]
        """As they were sent, without CRLF."""
        self.names: list[bytes] = _NAME.findall(section.lower())
        """In lower case; one for each line, which is for the parsers to check."""

    def values(self, name: bytes) -> list[bytes]:
        """The values of all fields of this name (in lower case), in their order."""
        names = self.names
        if name not in names:
            return []
        after = len(name) + 1
        if names.count(name) == 1:
            return [self.lines[names.index(name)][after:].strip(b" \t")]
        return [line[after:].strip(b" \t") for found, line in zip(names, self.lines, strict=True) if found == name]

    def block_without(self, dropped: frozenset[bytes]) -> bytes:
        """The block of all fields but those with these names (in lower case)."""
        # Not strict: the parsers have checked that there are as many names as lines.
        kept = [line for name, line in zip(self.names, self.lines, strict=False) if name not in dropped]
        return b"\r\n".join((b"", *kept)) if kept else b""
