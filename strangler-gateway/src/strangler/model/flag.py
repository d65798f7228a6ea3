"""The state of a route's migration: its stage, its weight, and whether it is killed."""

from dataclasses import dataclass
from enum import StrEnum

WEIGHT_SCALE = 100
"""Weights are kept as whole hundredths of a percent: 5 % is 500."""
FULL_WEIGHT = 100 * WEIGHT_SCALE


class Stage(StrEnum):
    """The steps of a migration, in their order."""

    MONOLITH = "monolith"
    SHADOW = "shadow"
    CANARY = "canary"
    SERVICE = "service"
    RETIRED = "retired"


@dataclass(frozen=True, slots=True)
class Flag:
    """What the store says of one route."""

    route: str
    stage: Stage = Stage.MONOLITH
    weight: int = 0
    """Hundredths of a percent that go to the service, 0 to 10,000; it has a meaning at stage ``canary`` only."""
    cohorts: tuple[str, ...] = ()
    """Subjects that go to the service regardless of the weight, at stage ``canary``."""


@dataclass(frozen=True, slots=True)
class Kill:
    """A route forced back to its monolith arm, whatever its flag says, until the kill is lifted."""

    route: str
    author: str
    reason: str
    at: str
    """RFC 3339, UTC."""
