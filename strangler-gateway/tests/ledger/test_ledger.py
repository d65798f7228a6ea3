"""The ledger's file: what is written, what is kept, and what is said when it cannot be."""

import contextlib
import itertools
import sqlite3
import stat
from pathlib import Path

import pytest

from strangler.ledger.ledger import Ledger, LedgerUnavailable, NoSuchRun
from strangler.ledger.outcome import Outcome
from strangler.ledger.reader import LedgerReader
from strangler.ledger.writing import LONGEST_SAMPLE, MOST_RUNS
from strangler.link.mirrored import Account, Batch, Mirrored, Opening
from strangler.model.shadow import Comparing, Heading, Shadow
from strangler.shadow.comparison import Difference, Kind
from strangler.shadow.evidence import Evidence, Observation
from strangler.shadow.record import RunRecord, Sample, Side

NOW = 1_700_000_000.0
WORKERS = itertools.count(100)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "ledger.db"


@pytest.fixture
def ledger(path: Path):
    ledger = Ledger.open(path, NOW)
    yield ledger
    ledger._connection.close()


def account(requests: int, sent: int, **skipped: int) -> Account:
    return Account("get", requests, sent, tuple(skipped.items()))


def batch(exchanges: int, told: Account) -> Batch:
    one = Mirrored("get", 1, NOW, 0.01, b"", b"", "", b"", "", b"", b"")
    return Batch((one,) * exchanges, (told,))


def connect(ledger: Ledger, *accounts: Account, worker: str = "w1") -> None:
    ledger.settle(Opening(worker, 0, 1, accounts), NOW)


def read(path: Path, number: int | None = None) -> RunRecord:
    record = LedgerReader(path).run("get", number)
    assert record is not None
    return record


def sample(at: float, *fields: str, body: str = "{}") -> Sample:
    side = Side(200, (("content-type", "application/json"),), body)
    differences = tuple(Difference(field, field, Kind.VALUE, "1", "2") for field in fields)
    return Sample(at, "GET /api/products/7", side, side, differences, "candidate_odd")


def take(ledger: Ledger, run: int, outcome: Outcome) -> None:
    """One exchange, from receipt to end, of a worker of its own."""
    ledger.receive(f"w{next(WORKERS)}", batch(1, account(1, 1)))
    ledger.finish(run, outcome)


def test_all_that_a_run_knows_can_be_read_as_it_was_told(ledger: Ledger, path: Path) -> None:
    run = ledger.open_run("get", Shadow(), NOW)
    connect(ledger)
    ledger.receive("w1", batch(2, account(7, 2, not_sampled=4)))
    evidence, _ = Evidence().observe(Observation({}), 0.005)
    evidence, _ = evidence.observe(Observation({"body.a": frozenset(("value",))}), 0.005)
    kept = sample(NOW, "body.a")
    ledger.finish(
        run, Outcome(Heading.DIFFERENT, evidence, {"date-notation": 3}, {"header.etag": 1}, ("body",), 0.01, 0.5, kept)
    )
    ledger.finish(run, Outcome(Heading.TOO_OLD, None, {"date-notation": 1}))
    ledger.flush(NOW + 1)
    record = read(path)
    assert record.headings == {Heading.NOT_SAMPLED: 4, Heading.DIFFERENT: 1, Heading.TOO_OLD: 1}
    assert (record.requests, record.pending) == (7, 1)
    assert record.evidence == evidence
    assert (record.normalised, record.ignored, record.cut) == ({"date-notation": 4}, {"header.etag": 1}, {"body": 1})
    assert record.samples == (kept,)
    assert (record.primary.total, record.candidate.total) == (1, 1)
    quantile = record.candidate.quantile(0.5)
    assert quantile is not None
    assert 0.5 <= quantile < 0.6
    assert (record.number, record.began, record.ended, record.flushed) == (1, NOW, None, NOW + 1)


def test_nothing_is_read_before_it_is_flushed(ledger: Ledger, path: Path) -> None:
    ledger.open_run("get", Shadow(), NOW)
    connect(ledger)
    ledger.receive("w1", batch(1, account(1, 1)))
    assert read(path).requests == 0
    ledger.flush(NOW)
    assert read(path).requests == 1


def test_what_is_received_and_not_finished_is_pending_and_lost_when_the_comparator_dies(path: Path) -> None:
    ledger = Ledger.open(path, NOW)
    run = ledger.open_run("get", Shadow(), NOW)
    connect(ledger)
    ledger.receive("w1", batch(3, account(3, 3)))
    ledger.flush(NOW)
    assert (read(path).pending, read(path).headings) == (3, {})
    ledger.finish(run, Outcome(Heading.EQUIVALENT))
    ledger.flush(NOW)
    assert (read(path).pending, read(path).headings) == (2, {Heading.EQUIVALENT: 1})
    ledger._connection.close()
    Ledger.open(path, NOW).close(NOW)
    assert (read(path).pending, read(path).headings) == (0, {Heading.EQUIVALENT: 1, Heading.LOST: 2})


def test_a_comparator_that_ends_in_good_order_leaves_nothing_pending(ledger: Ledger, path: Path) -> None:
    ledger.open_run("get", Shadow(), NOW)
    connect(ledger)
    ledger.receive("w1", batch(2, account(2, 2)))
    ledger.close(NOW)
    assert (read(path).pending, read(path).headings) == (0, {Heading.LOST: 2})


def test_a_run_goes_on_where_it_was_after_a_death(path: Path) -> None:
    ledger = Ledger.open(path, NOW)
    run = ledger.open_run("get", Shadow(), NOW)
    connect(ledger)
    evidence, _ = Evidence().observe(Observation({"status": frozenset(("value",))}), 0.005)
    take(ledger, run, Outcome(Heading.DIFFERENT, evidence, primary=0.001))
    ledger.flush(NOW)
    ledger._connection.close()
    ledger = Ledger.open(path, NOW)
    assert ledger.open_run("get", Shadow(), NOW) == run
    assert ledger.evidence(run) == evidence
    evidence, _ = evidence.observe(Observation({}), 0.005)
    take(ledger, run, Outcome(Heading.EQUIVALENT, evidence, primary=0.001))
    ledger.close(NOW)
    record = read(path)
    assert record.evidence.compared == 2
    assert record.headings == {Heading.DIFFERENT: 1, Heading.EQUIVALENT: 1}
    assert record.primary.total == 2


def test_evidence_of_another_version_ends_its_run_which_keeps_its_counts(
    path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    ledger = Ledger.open(path, NOW)
    run = ledger.open_run("get", Shadow(), NOW)
    other = ledger.open_run("list", Shadow(), NOW)
    connect(ledger, account(3, 2, not_sampled=1))
    ledger.receive("w1", batch(1, account(5, 3, not_sampled=1)))
    ledger.finish(run, Outcome(Heading.DIFFERENT, Evidence(compared=1), primary=0.001, sample=sample(NOW, "status")))
    ledger.close(NOW)
    unknown = b'{"compared":"of another kind"}'
    with contextlib.closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("UPDATE runs SET evidence = ? WHERE id = ?", (unknown, run))
    ledger = Ledger.open(path, NOW + 9)
    assert ledger.open_run("list", Shadow(), NOW + 9) == other
    new = ledger.open_run("get", Shadow(), NOW + 9)
    assert new not in {run, other}
    assert "run 1 of get" in caplog.text
    assert "a new run begins" in caplog.text
    connect(ledger, account(7, 4, not_sampled=1))
    ledger.flush(NOW + 9)
    old, present = read(path, 1), read(path)
    assert (old.ended, old.requests, old.pending) == (NOW + 9, 4, 0)
    assert old.headings == {Heading.NOT_SAMPLED: 1, Heading.DIFFERENT: 1, Heading.LOST: 2}
    assert "cannot be read" in old.reason
    assert (present.number, present.requests, present.headings) == (2, 3, {Heading.LOST: 1})
    assert present.pending == 2
    assert present.reason == "the evidence of run 1 cannot be read"
    ledger.close(NOW + 9)
    with contextlib.closing(sqlite3.connect(path)) as connection:
        assert connection.execute("SELECT evidence FROM runs WHERE id = ?", (run,)).fetchone() == (unknown,)


def test_samples_of_another_version_are_left_out(ledger: Ledger, path: Path) -> None:
    run = ledger.open_run("get", Shadow(), NOW)
    take(ledger, run, Outcome(Heading.DIFFERENT, sample=sample(NOW, "status")))
    ledger.flush(NOW)
    assert len(read(path).samples) == 1
    with contextlib.closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("UPDATE samples SET content = ?", (b'{"at":"noon"}',))
    record = read(path)
    assert (record.samples, record.headings) == ((), {Heading.DIFFERENT: 1})


def test_other_rules_of_comparing_are_another_run_and_other_bounds_are_not(ledger: Ledger, path: Path) -> None:
    first = ledger.open_run("get", Shadow(), NOW)
    assert ledger.open_run("get", Shadow(at_most=0.1, samples=3, rate=1), NOW + 1) == first
    second = ledger.open_run("get", Shadow(comparing=Comparing(headers=("etag",))), NOW + 2)
    assert second != first
    assert [(name.number, name.ended) for name in LedgerReader(path).runs("get")] == [(2, None), (1, NOW + 2)]
    assert '"headers":["etag"]' in read(path).rules


def test_an_exchange_ends_in_the_run_in_which_it_was_received(ledger: Ledger, path: Path) -> None:
    first = ledger.open_run("get", Shadow(), NOW)
    connect(ledger)
    (run,) = ledger.receive("w1", batch(1, account(3, 1)))
    second = ledger.restart("get", "the service was deployed", NOW)
    ledger.finish(run, Outcome(Heading.EQUIVALENT))
    ledger.receive("w1", batch(2, account(3, 3)))
    ledger.flush(NOW)
    assert (first, second) == (run, run + 1)
    assert (read(path, 1).requests, read(path, 1).headings) == (1, {Heading.EQUIVALENT: 1})
    assert (read(path, 2).requests, read(path, 2).pending) == (2, 2)
    assert read(path, 2).reason == "the service was deployed"


def test_a_route_of_which_nothing_was_compared_cannot_be_restarted(ledger: Ledger) -> None:
    with pytest.raises(NoSuchRun, match="«get»"):
        ledger.restart("get", "again", NOW)


def test_an_exchange_of_a_run_that_is_over_is_refused(ledger: Ledger) -> None:
    run = ledger.open_run("get", Shadow(), NOW)
    ledger.restart("get", "again", NOW)
    with pytest.raises(NoSuchRun):
        ledger.finish(run, Outcome(Heading.EQUIVALENT))


def test_the_newest_runs_are_kept(ledger: Ledger, path: Path) -> None:
    ledger.open_run("get", Shadow(), NOW)
    ledger.open_run("list", Shadow(), NOW)
    for _ in range(MOST_RUNS + 2):
        take(ledger, ledger.restart("get", "again", NOW), Outcome(Heading.DIFFERENT, sample=sample(NOW, "status")))
    ledger.flush(NOW)
    reader = LedgerReader(path)
    assert [name.number for name in reader.runs("get")] == list(range(MOST_RUNS + 3, 3, -1))
    assert len(reader.runs("list")) == 1
    assert read(path, 3 + MOST_RUNS).samples == (sample(NOW, "status"),)
    assert reader.run("get", 3) is None
    with sqlite3.connect(path) as connection:
        assert connection.execute("SELECT count(*) FROM samples").fetchone() == (MOST_RUNS,)


def test_the_newest_samples_of_each_field_are_kept(ledger: Ledger, path: Path) -> None:
    run = ledger.open_run("get", Shadow(samples=2), NOW)
    for number in range(6):
        fields = ("body.often", "body.once") if number == 1 else ("body.often",)
        take(ledger, run, Outcome(Heading.DIFFERENT, sample=sample(NOW + number, *fields)))
        if number % 2:
            ledger.flush(NOW)
    assert [kept.at - NOW for kept in read(path).samples] == [5, 4, 1]
    record = LedgerReader(path).run("get", samples=1)
    assert record is not None
    assert [kept.at - NOW for kept in record.samples] == [5]


def test_samples_are_bounded_in_bytes(ledger: Ledger, path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("strangler.ledger.writing.MOST_SAMPLE_BYTES", 5000)
    run = ledger.open_run("get", Shadow(), NOW)
    for number in range(6):
        take(ledger, run, Outcome(Heading.DIFFERENT, sample=sample(NOW + number, f"body.f{number}", body="x" * 500)))
        ledger.flush(NOW)
    assert [kept.at - NOW for kept in read(path).samples] == [5, 4, 3]


def test_of_a_sample_beyond_all_bounds_the_differences_are_kept(ledger: Ledger, path: Path) -> None:
    run = ledger.open_run("get", Shadow(), NOW)
    take(ledger, run, Outcome(Heading.DIFFERENT, sample=sample(NOW, "status", body="x" * LONGEST_SAMPLE)))
    ledger.flush(NOW)
    (kept,) = read(path).samples
    assert kept.primary.body == "(too long to be kept)"
    assert [difference.field for difference in kept.differences] == ["status"]


def test_counted_names_are_bounded(ledger: Ledger, path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("strangler.ledger.run.MOST_NAMES", 2)
    run = ledger.open_run("get", Shadow(), NOW)
    for number in range(5):
        take(ledger, run, Outcome(Heading.EQUIVALENT, cut=(f"body after {number} bytes",)))
        ledger.flush(NOW)
    assert read(path).cut == {"body after 0 bytes": 1, "body after 1 bytes": 1, "(others)": 3}


def test_a_run_that_begins_with_requests_of_which_none_was_mirrored_begins_now(ledger: Ledger, path: Path) -> None:
    ledger.flush(NOW + 1)
    ledger.receive("w1", batch(0, account(3, 0, not_sampled=3)))
    ledger.flush(NOW + 2)
    assert read(path).began == NOW + 1


def test_a_worker_that_tells_less_than_it_has_settled_does_not_break_the_sum(ledger: Ledger, path: Path) -> None:
    ledger.open_run("get", Shadow(), NOW)
    connect(ledger, account(3, 2, not_sampled=4))
    ledger.flush(NOW)
    assert (read(path).requests, read(path).headings) == (6, {Heading.NOT_SAMPLED: 4, Heading.LOST: 2})


def test_without_a_file_the_ledger_is_empty(path: Path) -> None:
    reader = LedgerReader(path)
    assert reader.routes() == ()
    assert reader.runs("get") == ()
    assert reader.run("get") is None
    assert not path.exists()


def test_a_file_that_was_made_and_not_filled_yet_is_an_empty_ledger(path: Path) -> None:
    path.touch()
    assert LedgerReader(path).routes() == ()


def test_reading_goes_on_while_the_comparator_writes_and_writing_while_somebody_reads(
    ledger: Ledger, path: Path
) -> None:
    run = ledger.open_run("get", Shadow(), NOW)
    with sqlite3.connect(path) as reading:
        reading.execute("BEGIN")
        assert reading.execute("SELECT count(*) FROM counts").fetchone() == (0,)
        take(ledger, run, Outcome(Heading.EQUIVALENT))
        ledger.flush(NOW)
        assert reading.execute("SELECT count(*) FROM counts").fetchone() == (0,)
    ledger._connection.execute("BEGIN IMMEDIATE")
    assert read(path).headings == {Heading.EQUIVALENT: 1}
    ledger._connection.execute("ROLLBACK")


def test_only_its_owner_can_read_the_file(ledger: Ledger, path: Path) -> None:
    ledger.open_run("get", Shadow(), NOW)
    modes = {stat.S_IMODE(file.stat().st_mode) for file in path.parent.iterdir()}
    assert modes == {0o600}


def test_a_comparator_that_was_given_up_cannot_write_any_more(ledger: Ledger, path: Path) -> None:
    run = ledger.open_run("get", Shadow(), NOW)
    take(ledger, run, Outcome(Heading.EQUIVALENT))
    successor = Ledger.open(path, NOW)
    with pytest.raises(LedgerUnavailable, match="another comparator has taken over"):
        ledger.flush(NOW)
    successor.close(NOW)
    assert read(path).headings == {}


def test_what_cannot_be_written_is_written_by_the_next_flush(
    ledger: Ledger, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = ledger.open_run("get", Shadow(), NOW)
    take(ledger, run, Outcome(Heading.EQUIVALENT, normalised={"charset": 1}))
    with monkeypatch.context() as patched:
        patched.setattr("strangler.ledger.ledger.write_run", full_disk)
        with pytest.raises(LedgerUnavailable, match="disk is full"):
            ledger.flush(NOW)
    assert read(path).headings == {}
    take(ledger, run, Outcome(Heading.EQUIVALENT))
    ledger.flush(NOW)
    assert read(path).headings == {Heading.EQUIVALENT: 2}
    assert read(path).normalised == {"charset": 1}


def full_disk(*_: object) -> None:
    raise sqlite3.OperationalError("database or disk is full")


def test_a_file_of_a_newer_version_is_refused_by_name(ledger: Ledger, path: Path) -> None:
    ledger._connection.execute("PRAGMA user_version=99")
    with pytest.raises(LedgerUnavailable, match="newer version"):
        Ledger.open(path, NOW)
    with pytest.raises(LedgerUnavailable, match="newer version"):
        LedgerReader(path).routes()


def test_a_file_that_is_no_ledger_is_refused_with_what_to_do(path: Path) -> None:
    path.write_text("certainly no database " * 100)
    for use in (lambda: Ledger.open(path, NOW), lambda: LedgerReader(path).routes()):
        with pytest.raises(LedgerUnavailable, match="move the file away"):
            use()


def test_a_folder_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(LedgerUnavailable, match="No such file"):
        Ledger.open(tmp_path / "absent" / "ledger.db", NOW)


def test_what_a_later_version_counted_under_headings_of_its_own_is_counted_still(ledger: Ledger, path: Path) -> None:
    ledger.open_run("get", Shadow(), NOW)
    connect(ledger, account(9, 2, not_sampled=3, not_asked_on_sundays=1, answered_by_an_oracle=1))
    ledger.flush(NOW)
    found = read(path)
    assert found.headings == {Heading.NOT_SAMPLED: 3, Heading.UNKNOWN: 2, Heading.LOST: 2}
    assert found.requests == sum(found.headings.values()) + found.pending
