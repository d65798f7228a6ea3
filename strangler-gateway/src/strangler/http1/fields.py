"""The header fields of one head, found without touching each of them in Python."""

import re

_NAME = re.compile(rb"\r\n([^:\r\n]+):")


class Fields:
    """Header fields in their order. To be made from a head that llhttp has accepted, and from no other bytes."""

    __slots__ = ("lines", "names")

    def __init__(self, head: bytes) -> None:
        self.lines = head.split(b"\r\n")[1:-2]
        """As they were sent, without CRLF."""
        self.names: list[bytes] = _NAME.findall(head.lower())
        """In lower case; one for each line."""

    def values(self, name: bytes) -> list[bytes]:
        """The values of all fields of this name (in lower case), in their order."""
        names = self.names
        if name not in names:
            return []
        after = len(name) + 1
        if names.count(name) == 1:
            return [self.lines[names.index(name)][after:].strip(b" \t")]
        return [line[after:].strip(b" \t") for found, line in zip(names, self.lines, strict=True) if found == name]

    def without(self, dropped: frozenset[bytes]) -> list[bytes]:
        """The lines of all fields but those with these names (in lower case)."""
        if dropped.isdisjoint(self.names):
            return self.lines
        # The parsers have checked that there are as many names as lines; asking again would cost a tenth of this.
        return [line for name, line in zip(self.names, self.lines, strict=False) if name not in dropped]
