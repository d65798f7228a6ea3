"""Which arm answers a request, and why."""

from dataclasses import dataclass
from enum import StrEnum


class Arm(StrEnum):
    """The two sides of a migration."""

    MONOLITH = "monolith"
    SERVICE = "service"


class Reason(StrEnum):
    """Why a request went where it went. The values stand in logs, metrics and ``explain``, and are stable."""

    NO_ROUTE = "no_route"
    """No route matched: the catch-all."""
    KILLED = "killed"
    STAGE_MONOLITH = "stage_monolith"
    STAGE_SHADOW = "stage_shadow"
    """The monolith answers; what the service would answer is compared with it."""
    STAGE_SERVICE = "stage_service"
    COHORT = "cohort"
    BELOW_WEIGHT = "below_weight"
    ABOVE_WEIGHT = "above_weight"
    NO_SUBJECT = "no_subject"
    """A canary whose sticky sources were all absent from the request."""
    FALLBACK = "fallback"
    """The service could not take a safe request, and its route lets the monolith answer instead."""


@dataclass(frozen=True, slots=True)
class Decision:
    """The evaluator's answer for one request. ``mirror``: the service is to be asked as well, behind its back."""

    arm: Arm
    reason: Reason
    mirror: bool = False
