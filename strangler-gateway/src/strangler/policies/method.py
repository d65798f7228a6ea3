"""One way of finding out who asks, as guards see it, and how its outcomes are counted."""

from collections.abc import Awaitable
from typing import Protocol

from strangler.policies.guard import Guarded
from strangler.policies.identity import Identity
from strangler.telemetry.families.policies import AUTHENTICATIONS
from strangler.telemetry.meters import Meters


class Outcomes:
    """What became of the credentials that one authenticator has met."""

    __slots__ = ("_meters", "accepted", "authenticator", "cached")

    def __init__(self, authenticator: str, meters: Meters) -> None:
        self.authenticator = authenticator
        self._meters = meters
        self.accepted = meters.of(AUTHENTICATIONS, authenticator, "accepted")
        self.cached = meters.of(AUTHENTICATIONS, authenticator, "cached")

    def count(self, outcome: str) -> None:
        """One that was not accepted; ``outcome`` is a reason of ``Rejected``, or ``unavailable``."""
        self._meters.of(AUTHENTICATIONS, self.authenticator, outcome).value += 1


class Method(Protocol):
    """An authenticator."""

    outcomes: Outcomes
    challenge: bytes
    """The scheme that a 401 offers (RFC 9110 §11.6.1), with what it says besides the realm."""

    def identify(self, request: Guarded) -> Identity | Awaitable[Identity | None] | None:
        """Who asks; None if the request has no credential of this kind. Raises ``Rejected`` and ``Unavailable``."""
