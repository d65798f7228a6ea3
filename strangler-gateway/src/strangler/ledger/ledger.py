"""The ledger as the comparator writes it: what became of every request of a shadowed route, in one file.

What is told here waits in memory until ``flush`` writes all of it in one transaction, so that after a death at any
moment the file says what was true at the last flush. Nothing here waits for anything but the disk."""

from pathlib import Path

from strangler.ledger.outcome import Outcome
from strangler.link.mirrored import Batch, Opening
from strangler.model.errors import StranglerError
from strangler.model.shadow import Shadow
from strangler.shadow.evidence import Evidence


class LedgerUnavailable(StranglerError):
    """The file cannot be opened, read or written; says which, and why."""


class Ledger:
    """The only writer of the file. One thread's own."""

    @classmethod
    def open(cls, path: Path, at: float) -> "Ledger":
        """Open or make the file. What an earlier comparator had received and not settled counts as lost from here on,
        and every worker as gone until it is ``settle``d again. ``at``: seconds since the epoch, here and everywhere.
        Raises ``LedgerUnavailable``, also if another process writes it, or a newer version made it."""
        raise NotImplementedError

    def open_run(self, route: str, shadow: Shadow, at: float) -> int:
        """The run of a route that is compared by ``shadow.comparing``: the one that is going on, if those are its
        rules, otherwise a new one. Call it for each shadowed route at the start and at each snapshot. Runs of a route
        beyond the newest ten are forgotten."""
        raise NotImplementedError

    def restart(self, route: str, reason: str, at: float) -> int:
        """Begin a new run by the same rules. Raises ``NoSuchRun`` if the route has none."""
        raise NotImplementedError

    def settle(self, opening: Opening, at: float) -> None:
        """A worker has connected, for the first time or again."""
        raise NotImplementedError

    def receive(self, worker: str, batch: Batch) -> tuple[int, ...]:
        """A batch has come: the run of each of its exchanges, in their order. Each must be ``finish``ed once. A route
        that has no run yet gets one by the default rules."""
        raise NotImplementedError

    def part(self, worker: str, at: float) -> None:
        """A worker's connection has ended, and all that came over it was received."""
        raise NotImplementedError

    def finish(self, run: int, outcome: Outcome) -> None:
        """One exchange has ended."""
        raise NotImplementedError

    def evidence(self, run: int) -> Evidence:
        """The run's, as last told or, at first, as the file has it: from it goes on who compares."""
        raise NotImplementedError

    def flush(self, at: float) -> None:
        """Write all that was told since the last flush, in one transaction. Raises ``LedgerUnavailable``: nothing was
        written then, nothing is forgotten, and the next flush tries again."""
        raise NotImplementedError

    def close(self, at: float) -> None:
        """Flush; what is not finished counts as lost; close the file."""
        raise NotImplementedError


class NoSuchRun(StranglerError):
    """A route, or a run of it, that the ledger does not have."""
