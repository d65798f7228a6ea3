"""Whatever dies, and whenever: each request of a shadowed route is under one heading, or pending, in one run."""

import tempfile
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from unittest import mock

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from strangler.ledger.ledger import GONE_FOR_GOOD, Ledger
from strangler.ledger.outcome import Outcome
from strangler.ledger.reader import LedgerReader
from strangler.link.mirrored import Account, Batch, Mirrored, Opening
from strangler.model.shadow import COMPARED, Comparing, Heading, Shadow
from strangler.shadow.evidence import Evidence, Observation

ROUTES = ("list", "get")
ENDS = (Heading.EQUIVALENT, Heading.DIFFERENT, Heading.TOO_OLD, Heading.CANDIDATE_TIMEOUT)
SKIPS = (Heading.NOT_SAMPLED, Heading.UNSAFE, Heading.QUEUE_FULL, Heading.NO_COMPARATOR)


@dataclass
class Books:
    """What is true of one route in one worker."""

    requests: int = 0
    sent: int = 0
    skipped: Counter[Heading] = field(default_factory=Counter)

    @property
    def waiting(self) -> int:
        return self.requests - self.sent - self.skipped.total()

    def copy(self) -> "Books":
        return Books(self.requests, self.sent, self.skipped.copy())


@dataclass
class Worker:
    name: str
    books: dict[str, Books] = field(default_factory=lambda: {route: Books() for route in ROUTES})
    is_connected: bool = False

    @property
    def accounts(self) -> tuple[Account, ...]:
        return tuple(
            Account(route, its.requests, its.sent, tuple((name.value, count) for name, count in its.skipped.items()))
            for route, its in self.books.items()
            if its.requests
        )

    def copies(self) -> dict[str, Books]:
        return {route: its.copy() for route, its in self.books.items()}


class World:
    """Workers, comparators that follow one another, and one ledger. Each action takes a number, by which it chooses."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.now = 1000.0
        self.born = 0
        self.workers: list[Worker] = []
        self.rules = dict.fromkeys(ROUTES, Shadow())
        self.under_way: list[tuple[int, str]] = []
        self.evidence: dict[int, Evidence] = {}
        self.heard: dict[str, dict[str, Books]] = {}
        """What the comparator knows of each worker."""
        self.on_disk: dict[str, dict[str, Books]] = {}
        self.finished: Counter[tuple[str, Heading]] = Counter()
        self.finished_on_disk: Counter[tuple[str, Heading]] = Counter()
        self.ledger: Ledger | None = None
        self.a_comparator_begins(0)

    @property
    def connected(self) -> list[Worker]:
        return [worker for worker in self.workers if worker.is_connected]

    # Workers

    def a_worker_begins(self, chance: int) -> None:
        if len(self.workers) < 3:
            self.born += 1
            self.workers.append(Worker(f"w{self.born}"))
            if self.ledger and chance % 4:
                self.connect(self.workers[-1])

    def requests_end(self, chance: int) -> None:
        """Some of them are skipped, the others wait to be handed over."""
        for worker in self.workers[chance % 3 :]:
            its = worker.books[ROUTES[chance % 2]]
            its.requests += chance % 7
            if chance % 5 == 0:
                its.skipped[SKIPS[chance % len(SKIPS)]] += chance % 7 // 2

    def a_worker_drops_what_waits(self, chance: int) -> None:
        for worker in self.workers[chance % 3 :]:
            its = worker.books[ROUTES[chance % 2]]
            its.skipped[Heading.QUEUE_FULL] += min(chance % 4, its.waiting)

    def a_worker_connects(self, chance: int) -> None:
        """Also one that is connected: it has noticed before the comparator has that the connection broke."""
        if self.ledger and self.workers:
            self.connect(self.workers[chance % len(self.workers)])

    def connect(self, worker: Worker) -> None:
        worker.is_connected = True
        self.living.settle(Opening(worker.name, 0, 1, worker.accounts), self.now)
        self.heard[worker.name] = worker.copies()

    def a_worker_hands_over(self, chance: int) -> None:
        if not self.connected:
            return
        worker = self.connected[chance % len(self.connected)]
        routes = [route for route, its in worker.books.items() for _ in range(min(chance % 9, its.waiting))]
        for route in routes:
            worker.books[route].sent += 1
        if chance % 11 == 0:  # The frame is lost with the connection.
            worker.is_connected = False
            self.living.part(worker.name, self.now)
            return
        runs = self.living.receive(worker.name, Batch(tuple(map(mirrored, routes)), worker.accounts))
        self.under_way += zip(runs, routes, strict=True)
        self.heard[worker.name] = worker.copies()

    def a_worker_dies(self, chance: int) -> None:
        if self.workers:
            worker = self.workers.pop(chance % len(self.workers))
            if worker.is_connected:
                self.living.part(worker.name, self.now)

    # The comparator

    @property
    def living(self) -> Ledger:
        assert self.ledger is not None
        return self.ledger

    def a_comparator_begins(self, chance: int) -> None:
        if self.ledger is None:
            self.ledger = Ledger.open(self.path, self.now)
            for route in ROUTES:
                self.ledger.open_run(route, self.rules[route], self.now)
            for worker in self.workers[chance % 3 :]:
                self.connect(worker)

    def exchanges_are_finished(self, chance: int) -> None:
        for _ in range(min(chance % 6, len(self.under_way))):
            self.finish(*self.under_way.pop(chance % len(self.under_way)), ENDS[chance % len(ENDS)])

    def finish(self, run: int, route: str, heading: Heading) -> None:
        evidence = None
        if heading in COMPARED:
            differing = {"status": frozenset(("value",))} if heading is Heading.DIFFERENT else {}
            before = self.evidence.get(run) or self.living.evidence(run)
            evidence, finding = before.observe(Observation(differing), 0.005)
            self.evidence[run] = evidence
            assert finding.heading is heading
        self.living.finish(run, Outcome(heading, evidence))
        self.finished[route, heading] += 1

    def the_ledger_is_flushed(self, _chance: int = 0) -> None:
        if self.ledger:
            self.ledger.flush(self.now)
            self.on_disk = dict(self.heard)
            self.finished_on_disk = self.finished.copy()

    def a_run_begins(self, chance: int) -> None:
        if self.ledger is None:
            return
        route = ROUTES[chance % 2]
        if chance % 3 == 0:
            self.rules[route] = Shadow(comparing=Comparing(headers=(f"h{chance}",)))
            self.ledger.open_run(route, self.rules[route], self.now)
        else:
            self.ledger.restart(route, "again", self.now)
        self.the_ledger_is_flushed()

    def the_comparator_is_killed(self, chance: int) -> None:
        if self.ledger is None:
            return
        if chance % 3 == 0:
            dying = mock.patch.object(Ledger, "_write_workers", side_effect=KeyboardInterrupt)
            with suppress(KeyboardInterrupt), dying:
                self.the_ledger_is_flushed()  # If it returns, there was nothing to write.
        self.ledger._connection.close()  # What SIGKILL does: nothing of what is in memory gets out.
        self.it_is_gone(chance)

    def the_comparator_ends_in_good_order(self, chance: int) -> None:
        if self.ledger is not None:
            self.the_ledger_is_flushed()
            self.ledger.close(self.now)
            self.it_is_gone(chance)

    def it_is_gone(self, chance: int) -> None:
        self.ledger = None
        self.under_way.clear()
        self.evidence.clear()
        self.heard = dict(self.on_disk)
        self.finished = self.finished_on_disk.copy()
        for worker in self.workers:
            worker.is_connected = False
        if chance % 2:
            self.a_comparator_begins(chance)

    def time_goes_by(self, chance: int) -> None:
        """More than an hour only while all workers that live are connected: they try every second."""
        self.now += 1
        if self.ledger and len(self.connected) == len(self.workers):
            self.now += GONE_FOR_GOOD * (chance % 2)

    # What must hold

    def every_run_adds_up(self) -> None:
        """Also in the middle of everything, and without a comparator."""
        for route in ROUTES:
            for record in records(self.path, route):
                assert record.requests == sum(record.headings.values()) + record.pending
                assert min(record.headings.values(), default=1) > 0
                assert record.pending >= 0
                assert record.evidence.compared == sum(record.headings.get(heading, 0) for heading in COMPARED)

    def nothing_is_missing(self, _chance: int = 0) -> None:
        """Once all have spoken, everything is where it belongs."""
        self.a_comparator_begins(0)
        for worker in self.workers:
            self.connect(worker)
        while self.under_way:
            self.finish(*self.under_way.pop(), Heading.OURS)
        self.the_ledger_is_flushed()
        alive = {worker.name for worker in self.workers}
        for route in ROUTES:
            known = {name: books[route] for name, books in self.on_disk.items()}
            expected = Counter({heading: count for (its, heading), count in self.finished.items() if its == route})
            lost = sum(its.sent for its in known.values()) - expected.total()
            lost += sum(its.waiting for name, its in known.items() if name not in alive)
            for its in known.values():
                expected.update(its.skipped)
            expected[Heading.LOST] += lost
            found: Counter[Heading] = Counter()
            runs = records(self.path, route)
            for record in runs:
                found.update(record.headings)
            assert found == +expected
            assert sum(record.requests for record in runs) == sum(its.requests for its in known.values())
            assert sum(record.pending for record in runs) == sum(known[name].waiting for name in known.keys() & alive)


ACTIONS = (
    *4 * (World.requests_end,),
    *4 * (World.a_worker_hands_over,),
    *3 * (World.exchanges_are_finished,),
    *2 * (World.the_ledger_is_flushed,),
    *2 * (World.a_worker_begins,),
    World.a_worker_drops_what_waits,
    World.a_worker_connects,
    World.a_worker_dies,
    World.time_goes_by,
    World.a_comparator_begins,
    World.a_run_begins,
    World.the_comparator_is_killed,
    World.the_comparator_ends_in_good_order,
    World.nothing_is_missing,
)


WRITING = frozenset(ACTIONS[-5:]) | {World.the_ledger_is_flushed}
"""Actions after which the file is another."""


def mirrored(route: str) -> Mirrored:
    return Mirrored(route, 1, 1.0, 0.01, b"", b"", "", b"", "", b"", b"")


def records(path: Path, route: str) -> list:
    reader = LedgerReader(path)
    return [reader.run(route, name.number) for name in reader.runs(route)]


@contextmanager
def world() -> Iterator[World]:
    with tempfile.TemporaryDirectory() as folder, mock.patch("strangler.ledger.writing.MOST_RUNS", 1000):
        its = World(Path(folder) / "ledger.db")
        try:
            yield its
        finally:
            if its.ledger is not None:
                its.ledger.close(its.now)


STEPS = st.lists(st.tuples(st.sampled_from(ACTIONS), st.integers(0, 10**6)), min_size=10, max_size=60)


def go_through(steps: list) -> None:
    with world() as its:
        for action, chance in steps:
            action(its, chance)
            if action in WRITING:
                its.every_run_adds_up()
        its.nothing_is_missing()


@settings(max_examples=80, deadline=None)
@given(steps=STEPS)
def test_each_request_is_under_one_heading_whatever_dies(steps: list) -> None:
    go_through(steps)


@pytest.mark.soak
@settings(max_examples=3000, deadline=None)
@given(steps=STEPS)
def test_each_request_is_under_one_heading_whatever_dies_at_length(steps: list) -> None:
    go_through(steps)
