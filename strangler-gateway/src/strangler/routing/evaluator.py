"""Flag and subject to a decision that carries its reason."""

from typing import Final

from strangler.model.decision import Arm, Decision, Reason
from strangler.model.flag import Flag, Stage
from strangler.routing.bucket import bucket

CANARY: Final = Stage.CANARY
NO_ROUTE: Final = Decision(Arm.MONOLITH, Reason.NO_ROUTE)
KILLED: Final = Decision(Arm.MONOLITH, Reason.KILLED)
FALLBACK: Final = Decision(Arm.MONOLITH, Reason.FALLBACK)
_STAGE_MONOLITH: Final = Decision(Arm.MONOLITH, Reason.STAGE_MONOLITH)
_STAGE_SHADOW: Final = Decision(Arm.MONOLITH, Reason.STAGE_SHADOW, mirror=True)
_STAGE_SERVICE: Final = Decision(Arm.SERVICE, Reason.STAGE_SERVICE)
_COHORT: Final = Decision(Arm.SERVICE, Reason.COHORT)
_BELOW: Final = Decision(Arm.SERVICE, Reason.BELOW_WEIGHT)
_ABOVE: Final = Decision(Arm.MONOLITH, Reason.ABOVE_WEIGHT, mirror=True)
_NO_SUBJECT: Final = Decision(Arm.MONOLITH, Reason.NO_SUBJECT, mirror=True)


def evaluate(flag: Flag, group: str, subject: str | None) -> Decision:
    """Decide for one request of a route that is not killed and has a service arm.

    Decisions are shared values: deciding allocates nothing. A stage that this version cannot serve goes to the
    monolith, as everything unknown does.
    """
    if flag.stage is CANARY:
        return _evaluate_canary(flag, group, subject)
    if flag.stage is Stage.SERVICE:
        return _STAGE_SERVICE
    return _STAGE_SHADOW if flag.stage is Stage.SHADOW else _STAGE_MONOLITH


def settled(flag: Flag) -> Decision | None:
    """The decision, where it does not depend on the subject; else None."""
    return None if flag.stage is Stage.CANARY else evaluate(flag, "", None)


def _evaluate_canary(flag: Flag, group: str, subject: str | None) -> Decision:
    if subject is None:
        return _NO_SUBJECT
    if subject in flag.cohorts:
        return _COHORT
    # Below, not at: weight 0 sends nobody, and raising the weight only ever adds buckets.
    return _BELOW if bucket(group, subject) < flag.weight else _ABOVE
