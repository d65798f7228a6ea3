"""Ten thousand writes in shadow beside others in earnest: alike, and none of them left behind. What others wait."""

import itertools
import os
import random
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_EXCEPTION, Future, ThreadPoolExecutor, wait
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from statistics import quantiles
from typing import Any

import pytest
from contract.case import Case
from contract.client import Client
from contract.implementations import Site
from contract.keys import token
from contract.world import unique

from chassis.shadow_turns import SHARE
from strangler.bench.statistics import median_interval
from support.postgresql import postgresql
from support.shadowed_writes import Asker, Seen, fixed
from support.shared_catalog import SharedCatalog, shared_catalog

WRITES = int(os.environ.get("SHADOWED_WRITES", "10000"))
SHADOWERS, WRITERS = 2, 2
BOTH = ("beside", "apart")
"""The services on the writers' database and on the copy."""
ASKED = {"shadows here and elsewhere": BOTH, "as many, all elsewhere": ("apart", "apart"), "no shadows": ()}
"""Whom shadowers ask in turn, so that it can be told apart what writers wait for: locks, the processor, or others."""
TURNS, SECONDS = 20, float(os.environ.get("SHADOW_WINDOW_SECONDS", "6"))
"""So often each of them, and so long at a time."""
WRITER_EVERY = 0.05
SHADOWER_EVERY = {"postgresql": 0.1, "sqlite": 2.0}
"""Seconds from one write to the next: two cores that do everything at once are then busy, and nobody waits for them.
On SQLite shadows come about as often as their share lets them."""
PRICE = {"amount": "5.00", "currency": "EUR"}


@dataclass
class Findings:
    """What all threads have come upon."""

    outcomes: Counter[str] = field(default_factory=Counter)
    differences: list[tuple[Any, Any]] = field(default_factory=list)
    windows: list[list[float]] = field(default_factory=lambda: [[]])
    """Seconds of the writes of those who do nothing else; another list whenever others are asked."""
    asked: Sequence[str] = BOTH
    latest: dict[str, tuple[int, Seen]] = field(default_factory=dict)
    """Of products that everybody changes: the report of their newest version."""
    over: threading.Event = field(default_factory=threading.Event)


class Somebody:
    """One thread with clients of its own: products that it makes, changes and deletes, and some that all change."""

    def __init__(self, shared: SharedCatalog, findings: Findings, number: int) -> None:
        self._shared = shared
        self._found = findings
        self._chance = random.Random(number)
        self._own: list[int] = []
        self._asker = Asker(shared.secret)
        self._shop, self._beside, self._apart = (
            Client(client.url).bearing(token(1, roles=("staff",)))
            for client in (shared.shop["staff"], shared.beside["staff"], shared.apart["staff"])
        )

    def write(self) -> tuple[Case, Seen]:
        """One write in earnest."""
        case = fixed(self._case(), self._shared.world)
        seen = self._asker.in_earnest(self._shop, case)
        if case.method == "POST" and seen.answer.status == 201 and case.target == "/api/products":
            self._own.append(seen.answer.json()["id"])
        return case, seen

    def shadow(self, case: Case, primary: Seen) -> None:
        """The same by services."""
        for where in self._found.asked:
            client = self._beside if where == "beside" else self._apart
            candidate = self._asker.shadowed(client, case, primary)
            self._found.outcomes[f"{where}, {'locked' if candidate is None else 'compared'}"] += 1
            if candidate is not None and candidate.masked() != primary.masked():
                if case.name == "shared" and not primary.report["rows"]:
                    # The shop found nothing to change, and somebody else has changed the row since.
                    self._found.outcomes[f"{where}, overtaken"] += 1
                else:
                    self._found.differences.append((candidate.masked(), primary.masked()))

    def follow(self, case: Case, seen: Seen) -> None:
        """Let the copy follow: at once, or in the end for what others change as well."""
        if case.name == "shared" and seen.report["rows"]:
            version = seen.report["rows"][0]["after"]["version"]
            if version > self._found.latest.get(case.target, (0, seen))[0]:
                self._found.latest[case.target] = (version, seen)
        else:
            self._shared.follow(seen)

    def _case(self) -> Case:
        dice, world = self._chance.random(), self._shared.world
        name = self._chance.choice(["Chair", "Tîsch", "ﬁ lamp", "中文"]) + str(self._chance.randrange(100))
        if dice < 0.1:
            product = world.products[self._chance.randrange(4)]
            return _staff("PATCH", f"/api/products/{product['id']}", {"name": name}, name="shared")
        if dice < 0.15:
            return _staff("POST", "/api/products", {"sku": world["sku"], "name": name, "price": PRICE})
        if dice < 0.2:
            return _staff("DELETE", f"/api/categories/{world['category']}")
        if dice < 0.5 or not self._own:
            product = {"sku": unique("soak"), "name": name, "price": PRICE, "category_id": world["category"]}
            return _staff("POST", "/api/products", product)
        return self._change(f"/api/products/{self._chance.choice(self._own)}", name)

    def _change(self, target: str, name: str) -> Case:
        dice = self._chance.random()
        if dice < 0.5:
            return _staff("PATCH", target, {"name": name, "price": PRICE, "active": dice < 0.25})
        if dice < 0.7:
            return _staff("PATCH", target, {"name": name}, {"If-Match": '"7"'})
        self._own.remove(int(target.rpartition("/")[2]))
        return _staff("DELETE", target)


def _staff(
    method: str, target: str, json: Any = None, headers: dict[str, str] | None = None, name: str = "own"
) -> Case:
    more = {} if json is None else {"json": json}
    return Case(name=name, method=method, target=target, caller="staff", headers=headers or {}, status=0, **more)


def _write_in_shadow(somebody: Somebody, found: Findings, beats: Iterator[None], writes: int | None = None) -> None:
    """So many times, or until it is over."""
    for _ in itertools.count() if writes is None else range(writes):
        if found.over.is_set():
            break
        case, seen = somebody.write()
        somebody.shadow(case, seen)
        somebody.follow(case, seen)
        next(beats)


def _write(somebody: Somebody, found: Findings, beats: Iterator[None]) -> None:
    while not found.over.is_set():
        began = time.perf_counter()
        case, seen = somebody.write()
        found.windows[-1].append(time.perf_counter() - began)
        somebody.follow(case, seen)
        next(beats)


def _beats(seconds: float) -> Iterator[None]:
    """Waits for the next beat; those that were missed are left out."""
    due = time.perf_counter()
    while True:
        due = max(due + seconds, time.perf_counter())
        time.sleep(max(0.0, due - time.perf_counter()))
        yield


@contextmanager
def _shared(database: str, folder: Path, shadow_share: float) -> Iterator[SharedCatalog]:
    with ExitStack() as stack:
        if database == "sqlite":
            urls = [f"sqlite:///{folder / name}.db" for name in ("live", "copy")]
        else:
            server = stack.enter_context(postgresql())
            urls = [server.create_database(name) for name in ("live", "copy")]
        yield stack.enter_context(shared_catalog(Site(folder, str), "flask", *urls, shadow_share=shadow_share))


@contextmanager
def _busy(
    shared: SharedCatalog, found: Findings, every: float, writes: int | None = None
) -> Iterator[list[Future[None]]]:
    """Everybody at work; gives the shadowers, who go on until the end or have so many writes to do."""
    numbers = itertools.count(1)
    with ThreadPoolExecutor(SHADOWERS + WRITERS) as pool:
        writers = [
            pool.submit(_write, Somebody(shared, found, next(numbers)), found, _beats(WRITER_EVERY))
            for _ in range(WRITERS)
        ]
        shadowers = [
            pool.submit(_write_in_shadow, Somebody(shared, found, next(numbers)), found, _beats(every), writes)
            for _ in range(SHADOWERS)
        ]
        try:
            yield shadowers
        finally:
            found.over.set()
        for each in (*shadowers, *writers):
            each.result()


DATABASES = ["sqlite", pytest.param("postgresql", marks=pytest.mark.postgresql)]


@pytest.mark.soak
@pytest.mark.parametrize("database", DATABASES)
def test_ten_thousand_writes_are_alike_and_leave_nothing(
    database: str, tmp_path: Path, figure: Callable[[str], None]
) -> None:
    with _shared(database, tmp_path, shadow_share=1.0) as shared:
        others, found = shared.others(), Findings()
        with _busy(shared, found, every=0.0, writes=WRITES // SHADOWERS) as shadowers:
            wait(shadowers, return_when=FIRST_EXCEPTION)
        for _, seen in found.latest.values():
            shared.follow(seen)
        live, copy, others_after = shared.rows(shared.live), shared.rows(shared.copy), shared.others()
        told = _metrics(shared)
    figure(f"shadowed: {dict(found.outcomes)}")
    assert all('outcome="refused"' not in text for text in told.values())
    assert found.differences == []
    assert found.outcomes["beside, compared"] >= 0.9 * WRITES
    assert found.outcomes["apart, compared"] >= 0.9 * WRITES
    assert live == copy, "the copy has heard of what was done in earnest, and of nothing else"
    assert others_after == others


@pytest.mark.soak
@pytest.mark.parametrize("database", DATABASES)
def test_what_writers_wait_while_others_are_shadowed(
    database: str, tmp_path: Path, figure: Callable[[str], None]
) -> None:
    found = Findings()
    with _shared(database, tmp_path, shadow_share=SHARE) as shared:
        with _busy(shared, found, SHADOWER_EVERY[database]) as shadowers:
            for asked in itertools.islice(itertools.cycle(ASKED.values()), TURNS * len(ASKED)):
                found.asked = asked
                found.windows.append([])
                wait(shadowers, SECONDS)
        told = _metrics(shared)
    for words in _waits(found.windows[1:]):
        figure(words)
    figure(f"shadowed: {dict(found.outcomes)}")
    for where, text in told.items():
        lines = dict(
            line.rsplit(" ", 1) for line in text.splitlines() if line.startswith("shadow_transaction_seconds_")
        )
        mean = float(lines["shadow_transaction_seconds_sum"]) / float(lines["shadow_transaction_seconds_count"])
        figure(f"{where}: a shadow's transaction lasts {mean * 1e3:.1f} ms on average")
    assert found.differences == []
    assert found.outcomes["beside, compared"] > 0.5 * sum(found.outcomes.values()) / len(ASKED)


def _metrics(shared: SharedCatalog) -> dict[str, str]:
    return {
        where: client.get("/metrics").body.decode()
        for where, client in (("beside", shared.beside["staff"]), ("apart", shared.apart["staff"]))
    }


def _waits(windows: Sequence[list[float]]) -> Iterator[str]:
    """What others' shadows cost a writer, beside what two windows without any differ by themselves."""
    turns = {when: windows[number :: len(ASKED)] for number, when in enumerate(ASKED)}
    for when, those in turns.items():
        waits = [wait for window in those for wait in window]
        median, tail = _cut(waits, 50), _cut(waits, 99)
        yield f"{when}: {len(waits)} writes in earnest, p50 {median:.1f} ms, p99 {tail:.1f} ms"
    for percent in (50, 99):
        here, elsewhere, without = ([_cut(window, percent) for window in those] for those in turns.values())
        ratios = {
            "here beside elsewhere": zip(here, elsewhere, strict=True),
            "here beside none": zip(here, without, strict=True),
            "none beside none": pairwise(without),
        }
        for what, pairs in ratios.items():
            found = median_interval([one / other for one, other in pairs])
            yield f"p{percent} of neighbouring windows, {what}: {found.median:.2f} × ({found.low:.2f}–{found.high:.2f})"


def _cut(waits: Sequence[float], percent: int) -> float:
    """A percentile, in milliseconds."""
    return quantiles(waits, n=100)[percent - 1] * 1e3
