"""The ledger as control and the command line read it, also while no comparator runs, or none ever did."""

from dataclasses import dataclass
from pathlib import Path

from strangler.shadow.record import RunRecord


@dataclass(frozen=True, slots=True)
class RunName:
    """One run that can be read."""

    route: str
    number: int
    began: float
    ended: float | None
    reason: str


class LedgerReader:
    """Opens the file for each question, and writes nothing. A file that is absent is an empty ledger."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def routes(self) -> tuple[str, ...]:
        """Those that have a run, in alphabetical order. Raises ``LedgerUnavailable``, as all of these do."""
        raise NotImplementedError

    def runs(self, route: str) -> tuple[RunName, ...]:
        """The newest first; none for a route that has none."""
        raise NotImplementedError

    def run(self, route: str, number: int | None = None, samples: int = 1000) -> RunRecord | None:
        """One run, by default the newest, in one consistent state, with so many of its newest samples. None if there
        is none."""
        raise NotImplementedError
