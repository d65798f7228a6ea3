"""What routing asks of a request's header fields."""

from collections.abc import Sequence
from typing import Protocol


class Fields(Protocol):
    """Header fields by name."""

    def values(self, name: bytes) -> list[bytes]:
        """The values of all fields of this name (in lower case), in their order."""


class PairFields:
    """Header fields from pairs of name and value; for those who have no request's bytes at hand."""

    def __init__(self, pairs: Sequence[tuple[str, str]]) -> None:
        self._pairs = [
            (name.lower().encode("latin-1", "replace"), value.encode("latin-1", "replace")) for name, value in pairs
        ]

    def values(self, name: bytes) -> list[bytes]:
        """The values of all fields of this name (in lower case), in their order."""
        return [value for found, value in self._pairs if found == name]
