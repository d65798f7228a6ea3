"""Shadow over the admin API: what the ledger says, a new run, and a comparator for which nobody waits."""

import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from strangler.ledger import FILE
from strangler.ledger.ledger import Ledger
from strangler.ledger.outcome import Outcome
from strangler.link.mirrored import Account, Batch, Mirrored, Opening
from strangler.model.messages import BeginRun, Message, Refused, RunBegun, SnapshotPush
from strangler.model.shadow import SHADOW
from strangler.shadow.comparison import Difference, Kind
from strangler.shadow.evidence import Observation
from strangler.shadow.record import Sample, Side

from .conftest import Control, Peer, Supervisor, Workers, until

ROUTE = "products-get"
WHY = {"reason": "a test", "author": "maria"}


def exchange(route: str = ROUTE) -> Mirrored:
    return Mirrored(route, 1, 0.0, 0.0, b"", b"", "", b"", "", b"", b"")


def sample(field: str) -> Sample:
    difference = Difference(field, field, Kind.VALUE, "7", "8")
    one, other = Side(200, (("Content-Type", "application/json"),), "{}"), Side(200, (), "{}")
    return Sample(1.5, "GET /api/products/7", one, other, (difference,), "candidate_odd")


class Books:
    """A ledger as a comparator writes it."""

    def __init__(self, state: Path) -> None:
        self.ledger = Ledger.open(state / FILE, time.time())
        self.ledger.settle(Opening("a1", 0, 1, ()), time.time())
        self._sent = 0

    def compare(self, *fields: str, route: str = ROUTE) -> None:
        """One more request, whose answers differ in these fields."""
        self._sent += 1
        account = Account(route, self._sent + 2, self._sent, (("not_sampled", 2),))
        self.ledger.open_run(route, SHADOW, time.time())
        (run,) = self.ledger.receive("a1", Batch((exchange(route),), (account,)))
        observation = Observation({field: frozenset(("value",)) for field in fields})
        evidence, finding = self.ledger.evidence(run).observe(observation, 0.005)
        kept = sample(fields[0]) if fields else None
        self.ledger.finish(run, Outcome(finding.heading, evidence, primary=0.01, candidate=0.02, sample=kept))
        self.ledger.flush(time.time())

    def restart(self, order: BeginRun) -> None:
        self.ledger.restart(order.route, order.reason, time.time())


@pytest.fixture
def books(control: Control) -> Iterator[Books]:
    books = Books(control.state)
    yield books
    books.ledger.close(time.time())


def comparator(workers: Workers, answer: Callable[[Peer, Message], None] = lambda *_: None) -> Peer:
    """A comparator that answers orders as it is told."""
    peer = workers.join(-1, role="comparator", acknowledge=False)
    on_message = peer._on_message

    def hear(peer: Peer, message: Message) -> None:
        on_message(peer, message)
        answer(peer, message)

    peer._on_message = hear
    return peer


def test_the_comparator_is_given_every_snapshot_and_no_flip_waits_for_it(
    supervisor: Supervisor, control: Control, workers: Workers
) -> None:
    for slot in (0, 1):
        workers.join(slot)
    peer = comparator(workers)
    until(lambda: peer.of(SnapshotPush), "the first snapshot")
    flipped = control.api.post("/api/v1/flips", json={"target": ROUTE, "stage": "shadow", **WHY}).json()
    assert flipped["missing"] == []
    until(lambda: peer.of(SnapshotPush)[-1].snapshot.revision == flipped["revision"], "the next")
    status = control.api.get("/api/v1/status").json()
    assert status["comparator"] == "connected"
    assert [worker["slot"] for worker in status["workers"]] == [0, 1]
    peer.close()
    until(lambda: control.api.get("/api/v1/status").json()["comparator"] == "lost", "it is missed")


def test_who_is_neither_worker_nor_comparator_is_refused(control: Control, workers: Workers) -> None:
    peer = workers.join(0, role="cli")
    until(lambda: peer.of(Refused), "a refusal")
    assert "only workers and the comparator connect here" in peer.of(Refused)[0].reason


def test_routes_that_are_or_were_shadowed_are_listed_with_their_sum(control: Control, books: Books) -> None:
    assert control.api.get("/api/v1/shadow").json() == {"comparator": False, "items": []}
    control.api.post("/api/v1/flips", json={"target": "products-list", "stage": "shadow", **WHY})
    books.compare()
    books.compare("body.id")
    first, second = control.api.get("/api/v1/shadow").json()["items"]
    assert (first["route"], first["stage"], first["run"], first["requests"]) == ("products-list", "shadow", 0, 0)
    assert first["claim"] == "nothing has been mirrored yet"
    assert (second["route"], second["stage"], second["run"]) == (ROUTE, "monolith", 1)
    assert second["headings"] == {"equivalent": 1, "different": 1, "not_sampled": 2}
    assert (second["requests"], second["pending"], second["compared"], second["different"]) == (4, 0, 2, 1)
    assert second["verdict"] == "not_enough_seen"


def test_a_report_can_be_had_as_a_document_as_text_and_as_a_page_without_script(control: Control, books: Books) -> None:
    books.compare("body.id")
    document = control.api.get(f"/api/v1/shadow/{ROUTE}").json()
    assert document["route"] == ROUTE
    text = control.api.get(f"/api/v1/shadow/{ROUTE}/text")
    assert text.headers["content-type"].startswith("text/plain")
    assert text.text.startswith(f"{ROUTE}: not enough seen\n")
    page = control.api.get(f"/api/v1/shadow/{ROUTE}/page", params={"run": 1})
    assert page.headers["content-type"].startswith("text/html")
    assert "body.id" in page.text
    assert "<script" not in page.text
    assert page.headers["content-security-policy"].startswith("default-src 'none';")


def test_samples_can_be_had_by_field(control: Control, books: Books) -> None:
    for field in ("body.id", "body.name", "body.id"):
        books.compare(field)
    everything = control.api.get(f"/api/v1/shadow/{ROUTE}/samples").json()
    assert (everything["route"], everything["run"], len(everything["items"])) == (ROUTE, 1, 3)
    assert everything["items"][0]["at"] == "1970-01-01T00:00:01.500Z"
    named = control.api.get(f"/api/v1/shadow/{ROUTE}/samples", params={"field": "body.name"}).json()["items"]
    assert [item["differences"][0]["field"] for item in named] == ["body.name"]
    assert len(control.api.get(f"/api/v1/shadow/{ROUTE}/samples", params={"limit": 1}).json()["items"]) == 1


@pytest.mark.parametrize(
    ("path", "says"),
    [
        ("products-gte", "did you mean products-get"),
        ("products-list", "nothing of «products-list» has been mirrored yet; `strangler flip products-list shadow`"),
        (f"{ROUTE}?run=9", f"the ledger has no run 9 of «{ROUTE}»; it has 1"),
        (f"{ROUTE}/samples?run=9", "has no run 9"),
        (f"{ROUTE}?run={10**20}", f"the ledger has no run {10**20} of"),
        ("%ED%A0%80", "is no route"),
        ("a%00b", "is no route"),
    ],
)
def test_what_is_not_there_is_a_problem_that_says_what_to_do(
    control: Control, books: Books, path: str, says: str
) -> None:
    books.compare()
    answer = control.api.get(f"/api/v1/shadow/{path}")
    assert answer.status_code == 404
    assert answer.headers["content-type"] == "application/problem+json"
    assert says in answer.json()["detail"]


def test_a_new_run_is_asked_for_written_down_and_in_the_history(
    control: Control, books: Books, workers: Workers
) -> None:
    books.compare()
    peer = comparator(workers)
    until(lambda: control.api.get("/api/v1/status").json()["comparator"] == "connected", "the comparator")
    with ThreadPoolExecutor(1) as thread:
        asked = thread.submit(control.api.post, f"/api/v1/shadow/{ROUTE}/restart", json=WHY)
        (order,) = until(lambda: peer.of(BeginRun), "the order")
        assert order == BeginRun(ROUTE, "maria", "a test")
        assert not asked.done(), "it is answered when it is on disk"
        books.restart(order)
        peer.send(RunBegun(ROUTE))
        assert asked.result().json() == {"route": ROUTE, "run": 2, "before": 1}
    (change, *_) = control.api.get("/api/v1/history", params={"route": ROUTE}).json()["items"]
    assert (change["action"], change["author"], change["reason"]) == ("restart", "maria", "a test")
    assert (change["before"], change["after"]) == ({"run": 1}, {"run": 2})


def test_a_comparator_that_is_only_just_started_is_waited_for(control: Control, books: Books, workers: Workers) -> None:
    books.compare()
    with ThreadPoolExecutor(1) as thread:
        asked = thread.submit(control.api.post, f"/api/v1/shadow/{ROUTE}/restart", json=WHY)
        peer = comparator(workers)
        (order,) = until(lambda: peer.of(BeginRun), "the order")
        books.restart(order)
        peer.send(RunBegun(ROUTE))
        assert asked.result().json() == {"route": ROUTE, "run": 2, "before": 1}


def test_without_a_comparator_no_run_begins_and_nothing_is_in_the_history(control: Control, books: Books) -> None:
    books.compare()
    answer = control.api.post(f"/api/v1/shadow/{ROUTE}/restart", json=WHY, timeout=30)
    assert answer.status_code == 503
    assert "the comparator has not been connected for" in answer.json()["detail"]
    items = control.api.get("/api/v1/history").json()["items"]
    assert "restart" not in {item["action"] for item in items}


def test_a_comparator_that_cannot_or_that_ends_is_told_of(control: Control, books: Books, workers: Workers) -> None:
    books.compare()

    def refuse(peer: Peer, message: Message) -> None:
        if isinstance(message, BeginRun):
            peer.send(RunBegun(message.route, error="the disk is full"))

    def end(peer: Peer, message: Message) -> None:
        if isinstance(message, BeginRun):
            peer.close()

    for answer, says in ((refuse, "the disk is full"), (end, "ended before it answered")):
        peer = comparator(workers, answer)
        until(lambda: control.api.get("/api/v1/status").json()["comparator"] == "connected", "the comparator")
        refused = control.api.post(f"/api/v1/shadow/{ROUTE}/restart", json=WHY)
        assert refused.status_code == 503
        assert says in refused.json()["detail"]
        peer.close()
        until(lambda: control.api.get("/api/v1/status").json()["comparator"] == "lost", "it is gone")


def test_a_late_answer_about_one_route_is_none_about_another(control: Control, books: Books, workers: Workers) -> None:
    books.compare()

    def answer(peer: Peer, message: Message) -> None:
        if isinstance(message, BeginRun):
            peer.send(RunBegun("products-list"))  # Of an order for which nobody waits any more.
            peer.send(RunBegun(message.route, error="the disk is full"))

    comparator(workers, answer)
    until(lambda: control.api.get("/api/v1/status").json()["comparator"] == "connected", "the comparator")
    refused = control.api.post(f"/api/v1/shadow/{ROUTE}/restart", json=WHY)
    assert refused.status_code == 503
    assert "the disk is full" in refused.json()["detail"]


def test_a_restart_needs_a_reason(control: Control) -> None:
    assert control.api.post(f"/api/v1/shadow/{ROUTE}/restart", json={"author": "maria"}).status_code == 422


def test_metrics_say_what_the_ledger_says(control: Control, books: Books) -> None:
    books.compare()
    books.compare("body.id")
    page = control.api.get("/metrics").text
    for line in (
        'strangler_shadow_outcomes_total{heading="equivalent",route="products-get"} 1.0',
        'strangler_shadow_outcomes_total{heading="not_sampled",route="products-get"} 2.0',
        'strangler_shadow_compared{route="products-get"} 2.0',
        'strangler_shadow_different{route="products-get"} 1.0',
        'strangler_shadow_run{route="products-get"} 1.0',
        'strangler_shadow_verdict{route="products-get",verdict="not_enough_seen"} 1.0',
        'strangler_shadow_verdict{route="products-get",verdict="different"} 0.0',
        "strangler_comparator_connected 0.0",
    ):
        assert line in page, line


def test_a_damaged_ledger_costs_its_metrics_and_no_others(control: Control) -> None:
    (control.state / FILE).write_bytes(b"this is no database, and long enough to be taken for one" * 100)
    answer = control.api.get("/api/v1/shadow")
    assert answer.status_code == 503
    assert FILE in answer.json()["detail"]
    page = control.api.get("/metrics")
    assert page.status_code == 200
    assert "strangler_revision 1.0" in page.text
    assert "its metrics are left out" in control.process.output()
