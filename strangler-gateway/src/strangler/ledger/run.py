"""One run of one route while the comparator writes it: what is in memory, and what of it is not in the file yet."""

from bisect import bisect_left
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

from strangler.ledger.outcome import Outcome
from strangler.ledger.tally import Tally
from strangler.shadow.evidence import Evidence
from strangler.shadow.record import BOUNDS, Sample

PAST = ""
"""Stands for all workers that are gone for good."""
MOST_NAMES = 500
"""Different names that are counted of each kind; more are counted as ``OTHERS``."""
OTHERS = "(others)"
_MOST_SAMPLES = 200
"""Samples that wait for the next flush, the newest: the disk may be full."""


@dataclass(slots=True)
class Run:
    """Changes are collected until ``written``."""

    id: int
    route: str
    number: int
    fingerprint: str
    rules: str
    began: float
    reason: str
    keep: int = 20
    """Samples per field."""
    ended: float | None = None
    queued: int = 0
    """Received and not finished."""
    evidence: Evidence = field(default_factory=Evidence)
    unreadable: bytes | None = None
    """The evidence in the file, which stays there as it is, if this version cannot read it."""
    primary: list[int] = field(default_factory=lambda: [0] * (len(BOUNDS) + 1))
    candidate: list[int] = field(default_factory=lambda: [0] * (len(BOUNDS) + 1))
    told: dict[str, Tally] = field(default_factory=dict)
    """What each worker has told last."""
    before: dict[str, Tally] = field(default_factory=dict)
    """What of that belongs to runs before this one."""
    names: set[tuple[str, str]] = field(default_factory=set)
    """Kinds and names that are counted already."""

    is_new: bool = True
    is_changed: bool = True
    retold: set[str] = field(default_factory=set)
    """Workers whose totals are not in the file yet."""
    removed: set[str] = field(default_factory=set)
    """Workers that are in the file, and shall not be."""
    counts: Counter[tuple[str, str]] = field(default_factory=Counter)
    """By kind and name, since the last flush."""
    samples: list[Sample] = field(default_factory=list)

    def tell(self, worker: str, tally: Tally) -> None:
        """A worker's totals are these now."""
        if self.told.get(worker) != tally:
            self.told[worker] = tally
            self.retold.add(worker)
            self.is_changed = True

    def share(self, worker: str) -> Tally:
        """What a worker has added to this run."""
        return self.told[worker] - self.before.get(worker, Tally())

    def receive(self) -> None:
        """One exchange has come."""
        self.queued += 1
        self.is_changed = True

    def finish(self, outcome: Outcome) -> None:
        """One has ended."""
        self.queued -= 1
        self.is_changed = True
        self.counts["heading", outcome.heading.value] += 1
        for kind, counts in (("normalised", outcome.normalised), ("ignored", outcome.ignored)):
            for name, count in counts.items():
                self._count(kind, name, count)
        for name in outcome.cut:
            self._count("cut", name, 1)
        # Exchanges end in their own order; the evidence that has most of them in it has all.
        if outcome.evidence is not None and outcome.evidence.compared > self.evidence.compared:
            self.evidence = outcome.evidence
        for seconds, buckets in ((outcome.primary, self.primary), (outcome.candidate, self.candidate)):
            if seconds is not None:
                buckets[bisect_left(BOUNDS, seconds)] += 1
        if outcome.sample is not None:
            self.samples.append(outcome.sample)
            del self.samples[:-_MOST_SAMPLES]

    def _count(self, kind: str, name: str, count: int) -> None:
        if (kind, name) not in self.names:
            if sum(known == kind for known, _ in self.names) >= MOST_NAMES:
                name = OTHERS
            self.names.add((kind, name))
        self.counts[kind, name] += count

    def succeed(self, new: "Run", at: float) -> None:
        """Another run of the route begins. What waits in a worker is of that one: it will be handed over in it."""
        workers = tuple(self._workers())
        for worker in workers:
            told = self.told[worker]
            new.before[worker] = told.without_waiting()
            new.tell(worker, told)
            self.tell(worker, told.without_waiting())
        for worker in workers:
            self.fold(worker)
        self.ended = at
        self.is_changed = True

    def fold(self, worker: str) -> None:
        """A worker is gone for good: its share joins those of all others that are."""
        if worker not in self.told:
            return
        self.before.setdefault(PAST, Tally())
        self.tell(PAST, self.told.get(PAST, Tally()) + self.share(worker))
        del self.told[worker]
        self.before.pop(worker, None)
        self.retold.discard(worker)
        self.removed.add(worker)
        self.is_changed = True

    def _workers(self) -> Iterator[str]:
        return (worker for worker in self.told if worker != PAST)

    def written(self) -> None:
        """All of it is in the file."""
        self.is_new = self.is_changed = False
        self.retold.clear()
        self.removed.clear()
        self.counts.clear()
        self.samples.clear()
