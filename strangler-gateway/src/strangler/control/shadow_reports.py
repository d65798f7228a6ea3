"""What the ledger says of routes, judged by their settings: for the admin API, the metrics and the command line."""

from collections.abc import Mapping
from dataclasses import dataclass

from strangler.config.nearness import near_names
from strangler.control.targets import UnknownTarget
from strangler.ledger.ledger import NoSuchRun
from strangler.ledger.reader import LedgerReader
from strangler.model.errors import StranglerError
from strangler.model.flag import Flag, Stage
from strangler.model.route import CATCH_ALL, Route
from strangler.model.shadow import SHADOW, Heading
from strangler.model.snapshot import Snapshot
from strangler.shadow.record import RunRecord
from strangler.shadow.report import Report, make_report
from strangler.shadow.verdict import judge
from strangler.shadow.wording import claim


class NothingCompared(StranglerError):
    """A route of which the ledger knows nothing yet."""


@dataclass(frozen=True, slots=True)
class Standing:
    """One route in short."""

    route: str
    stage: Stage
    run: int
    """The number of the present run; 0 if nothing was ever mirrored."""
    began: float
    """Seconds since the epoch."""
    requests: int
    pending: int
    headings: Mapping[Heading, int]
    compared: int
    different: int
    """Of these, with a difference that is not noise."""
    judgement: str
    """``equivalent``, ``different`` or ``not_enough_seen``."""
    upper: float
    """At most this share of the requests differ."""
    claim: str
    """In words."""


class ShadowReports:
    """Reads the ledger at each call. All of it is blocking, and raises ``LedgerUnavailable``."""

    def __init__(self, reader: LedgerReader) -> None:
        self._reader = reader

    def standings(self, snapshot: Snapshot) -> list[Standing]:
        """The routes that are shadowed now or were before, in the configuration's order; those that are gone last."""
        flags = {flag.route: flag for flag in snapshot.flags}
        known = set(self._reader.routes())
        named = {route.name: route for route in snapshot.routes}
        names = [name for name in named if name in known or _is_shadowed(flags.get(name))]
        found = []
        for name in (*names, *sorted(known - named.keys())):
            stage = flags.get(name, Flag(name)).stage
            found.append(_standing(name, stage, self._reader.run(name, samples=0), named.get(name)))
        return found

    def record(self, snapshot: Snapshot, route: str, run: int | None = None, samples: int = 0) -> RunRecord:
        """One run, by default the present one. Raises ``UnknownTarget``, ``NothingCompared`` and ``NoSuchRun``."""
        found = self._reader.run(route, run, samples)
        if found is not None:
            return found
        runs = [each.number for each in self._reader.runs(route)]
        if runs:
            listed = ", ".join(map(str, sorted(runs)))
            raise NoSuchRun(f"the ledger has no run {run} of «{route}»; it has {listed}")
        names = {each.name for each in snapshot.routes} - {CATCH_ALL}
        if route not in names:
            raise UnknownTarget(route, near_names(route, sorted(names | set(self._reader.routes()))))
        raise NothingCompared(
            f"nothing of «{route}» has been mirrored yet; `strangler flip {route} shadow` begins with it"
        )

    def report(self, snapshot: Snapshot, route: str, run: int | None = None, samples: int = 1000) -> Report:
        """All that is known of a run. Raises as ``record`` does."""
        configured = next((each for each in snapshot.routes if each.name == route), None)
        shadow = configured.shadowing if configured is not None else SHADOW
        return make_report(self.record(snapshot, route, run, samples), shadow, configured)

    def numbers(self, route: str) -> list[int]:
        """The runs of a route, the present one first."""
        return [run.number for run in self._reader.runs(route)]


def _is_shadowed(flag: Flag | None) -> bool:
    return flag is not None and flag.stage in {Stage.SHADOW, Stage.CANARY}


def _standing(name: str, stage: Stage, record: RunRecord | None, route: Route | None) -> Standing:
    if record is None:
        return Standing(name, stage, 0, 0.0, 0, 0, {}, 0, 0, "not_enough_seen", 1.0, "nothing has been mirrored yet")
    verdict = judge(record.evidence, route.shadowing if route is not None else SHADOW, record.unanswered)
    return Standing(
        name,
        stage,
        record.number,
        record.began,
        record.requests,
        record.pending,
        record.headings,
        verdict.compared,
        verdict.real.seen,
        verdict.judgement.value,
        verdict.upper,
        claim(verdict),
    )
