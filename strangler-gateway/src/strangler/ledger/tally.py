"""What one worker has told of one route: arithmetic on its running totals."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from strangler.link.mirrored import Account


@dataclass(frozen=True, slots=True)
class Tally:
    """Totals, or the part of them that belongs to one run. ``requests`` is never less than what is settled."""

    requests: int = 0
    sent: int = 0
    skipped: Mapping[str, int] = field(default_factory=dict)
    """``Heading`` and count."""

    @property
    def settled(self) -> int:
        """Requests that the worker has handed over or skipped."""
        return self.sent + sum(self.skipped.values())

    @property
    def waiting(self) -> int:
        """Requests that still wait in the worker."""
        return self.requests - self.settled

    def without_waiting(self) -> "Tally":
        """What is settled."""
        return Tally(self.settled, self.sent, self.skipped)

    def __sub__(self, other: "Tally") -> "Tally":
        skipped = {name: count - other.skipped.get(name, 0) for name, count in self.skipped.items()}
        return Tally(self.requests - other.requests, self.sent - other.sent, skipped)

    def __add__(self, other: "Tally") -> "Tally":
        skipped = dict(self.skipped)
        for name, count in other.skipped.items():
            skipped[name] = skipped.get(name, 0) + count
        return Tally(self.requests + other.requests, self.sent + other.sent, skipped)


def tally_of(account: Account) -> Tally:
    """Totals as a worker tells them."""
    tally = Tally(account.requests, account.sent, dict(account.skipped))
    return tally if tally.waiting >= 0 else tally.without_waiting()
