"""What is written to the store and read from it: plain values."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from strangler.model.flag import Flag


class ChangeKind(StrEnum):
    """What an audit row tells of."""

    FLIP = "flip"
    KILL = "kill"
    LIFT = "lift"
    CONFIG = "config"
    HOLD = "hold"
    RELEASE = "release"
    RESTART = "restart"
    """A new run of comparisons."""
    RECORD = "record"
    """Exchanges are kept."""


@dataclass(frozen=True, slots=True)
class StoredFlag:
    """A flag, and whether the adopted topology has its route."""

    flag: Flag
    present: bool


@dataclass(frozen=True, slots=True)
class Change:
    """One audit row to be written. ``before`` and ``after`` are JSON objects, or None where there is nothing."""

    action: ChangeKind
    author: str
    reason: str
    route: str | None = None
    before: dict[str, Any] | None = None
    after: dict[str, Any] | None = None
    at: str = ""
    """RFC 3339, UTC; empty for the time of writing."""


@dataclass(frozen=True, slots=True)
class AuditRow:
    """One audit row as it was written."""

    id: int
    at: str
    author: str
    action: str
    route: str | None
    before: dict[str, Any] | None
    after: dict[str, Any] | None
    reason: str
    revision: int
