"""What a comparison finds."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum


class Kind(StrEnum):
    """How two values differ."""

    VALUE = "value"
    TYPE = "type"
    MISSING = "missing"
    """The primary has it, the candidate has not."""
    ADDED = "added"
    """The candidate has it, the primary has not."""
    ORDER = "order"
    LENGTH = "length"
    FORMAT = "format"
    """One side cannot be read as what it says it is."""


@dataclass(frozen=True, slots=True)
class Difference:
    """One place in which two answers differ."""

    field: str
    """The kind of place, of which there are few: ``status``, ``header.etag``, ``body.items[].price``,
    ``effects.rows.orders.insert.total_minor``, ``effects.events.order.placed``. Array positions are ``[]``."""
    at: str
    """The very place: ``body.items[3].price``."""
    kind: Kind
    primary: str
    """JSON, cut to some hundred characters, and empty for what is not there; not redacted: that is for whoever keeps
    it."""
    candidate: str


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two answers side by side. They are equivalent if ``differences`` is empty."""

    differences: tuple[Difference, ...]
    normalised: Mapping[str, int] = field(default_factory=dict)
    """How often each normaliser made two values equal that were not: name and count."""
    ignored: Mapping[str, int] = field(default_factory=dict)
    """How many differences each ignore rule swallowed: its field and count."""
    cut: tuple[str, ...] = ()
    """What was not looked at, in words: ``body of the primary after 2097152 bytes``."""

    @property
    def fields(self) -> frozenset[str]:
        """The fields that differ."""
        return frozenset(difference.field for difference in self.differences)
