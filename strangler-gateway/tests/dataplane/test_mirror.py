"""From the event loop to the comparator: sums that are exact whatever it does, and an event loop that never waits."""

import contextlib
import os
import resource
import socket
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from strangler.dataplane import mirror_line
from strangler.dataplane.mirror import Mirror
from strangler.dataplane.secrets import SecretMissing
from strangler.link.mirrored import Account
from strangler.model.authentication import Secret
from strangler.model.failure import Failure
from strangler.model.flag import Flag, Stage
from strangler.model.route import CATCH_ALL, PathKind, Route, RouteMatch
from strangler.model.shadow import Heading, Mirroring, Shadow
from strangler.model.snapshot import Gateway, Snapshot
from strangler.policies.marks import SecretTooShort
from strangler.telemetry.families.shadow import SHADOW_REQUESTS, SHADOW_SENT, SHADOW_SKIPPED, SHADOW_WAITING
from strangler.telemetry.meters import Meters
from support.comparator_stub import ComparatorStub, comparator_stub
from support.raw_http import wait_until

from .capturing import ABOVE, ANSWER, ASKED, HEAD, parsed
from .finished import finished

ROUTE = Route("products-get", RouteMatch("/p"), "m", "g", "monolith", "service")
SHADOWED = Flag("products-get", Stage.SHADOW)


@pytest.fixture(name="folder")
def short_folder() -> Iterator[Path]:
    """Unix socket paths are limited to about 100 bytes, which pytest's folders can exceed."""
    with tempfile.TemporaryDirectory(prefix="mirror-") as folder:
        yield Path(folder)


@pytest.fixture(name="stub")
def listening_stub(folder: Path) -> Iterator[ComparatorStub]:
    with comparator_stub(folder / "comparator.sock") as stub:
        yield stub


class Side:
    """A worker's side of the mirror, without the rest of the worker."""

    def __init__(self, folder: Path, **settings: int) -> None:
        self.meters = Meters()
        self.mirror = Mirror(self.meters, folder / "comparator.sock", 3)
        self.mirror.adopt(Mirroring(**settings), None)
        route = self.mirror.shadowed(ROUTE, SHADOWED, 1)
        assert route is not None
        self.route = route

    def exchange(self, content: bytes = b"good", **ended: object) -> None:
        capture = self.route.begin(parsed(), ABOVE)
        capture.asked(ASKED)
        capture.answered(ANSWER, HEAD)
        capture.relayed([content], ended=True)
        self.mirror.desk.judge(finished(capture=capture, **ended))

    def write(self) -> None:
        self.mirror.desk.judge(finished(capture=self.route.begin(parsed("POST"), ABOVE)))

    @property
    def counts(self) -> tuple[int, int, dict[str, int], int]:
        """Requests, sent, skipped by heading, and waiting, as they are reported."""
        counters, gauges = self.meters.values()
        series = {(name, labels): int(value) for name, labels, value in (*counters, *gauges)}
        skipped = {labels[1]: value for (name, labels), value in series.items() if name == SHADOW_SKIPPED.name}
        one = ("products-get",)
        return (
            series.get((SHADOW_REQUESTS.name, one), 0),
            series.get((SHADOW_SENT.name, one), 0),
            skipped,
            series[SHADOW_WAITING.name, ()],
        )


@pytest.fixture(name="side")
def connected_side(folder: Path, stub: ComparatorStub) -> Iterator[Side]:
    side = Side(folder)
    yield side
    side.mirror.close()


def test_the_first_exchange_is_not_lost_to_the_making_of_a_connection(side: Side, stub: ComparatorStub) -> None:
    side.exchange(client="10.0.0.1", endpoint="a:1", took=0.25)
    side.mirror.flush()
    stub.wait_for(lambda: stub.routes.total() == 1, "the exchange arrives")
    (kept,) = stub.told.exchanges
    assert (kept.route, kept.head, kept.answer, kept.content) == ("products-get", ASKED, ANSWER, b"good")
    assert (kept.client, kept.endpoint, kept.seconds) == ("10.0.0.1", "a:1", 0.25)
    assert abs(kept.at - (time.time() - time.perf_counter() + 100.25)) < 5  # It began at 100 by the clock of its own.
    opening = stub.told.opening
    assert (opening.slot, opening.pid, len(opening.worker)) == (3, os.getpid(), 16)


def test_an_account_comes_with_what_it_counts_and_without_anything_to_compare(side: Side, stub: ComparatorStub) -> None:
    for _ in range(3):
        side.exchange()
    side.exchange(failure=Failure.CLIENT_GONE)
    side.mirror.flush()
    stub.wait_for(lambda: stub.routes.total() == 3, "the exchanges arrive")
    expected = Account("products-get", 4, 3, ((Heading.PRIMARY_FAILED, 1),))
    stub.wait_for(lambda: stub.told.accounts.get("products-get") == expected, "the account arrives")
    side.write()
    side.mirror.flush()
    stub.wait_for(lambda: stub.told.skipped("products-get").get(Heading.UNSAFE) == 1, "the next account arrives")
    assert side.counts == (5, 3, {Heading.PRIMARY_FAILED: 1, Heading.UNSAFE: 1}, 0)


def test_in_every_account_requests_are_what_was_sent_and_skipped_and_waits(side: Side, stub: ComparatorStub) -> None:
    for number in range(1_000):
        side.exchange()
        if number % 3 == 0:
            side.write()
        if number % 50 == 0:
            side.mirror.flush()
    side.mirror.close()
    stub.wait_for(lambda: stub.account("products-get").requests == 1_334, "everything arrives")
    sent = 0
    for account, received in stub.told.every:
        assert account.requests >= account.sent + sum(count for _, count in account.skipped)
        assert account.sent == received >= sent
        sent = account.sent
    last = stub.account("products-get")
    assert (last.sent, dict(last.skipped), stub.routes.total()) == (1_000, {Heading.UNSAFE: 334}, 1_000)


def test_an_exchange_of_any_size_arrives_whole(side: Side, stub: ComparatorStub) -> None:
    content = os.urandom(1_000_000)
    for _ in range(5):
        side.exchange(content)
        side.exchange(b"small")
    side.mirror.flush()
    stub.wait_for(lambda: stub.routes.total() == 10, "the exchanges arrive")
    assert [exchange.content for exchange in stub.told.exchanges] == [content, b"small"] * 5
    wait_until(lambda: side.mirror.desk.waiting_bytes == 0, "nothing is held of what was sent")


def test_a_comparator_that_does_not_read_fills_the_queue_and_no_memory_and_then_gets_all_that_waits(
    folder: Path, stub: ComparatorStub
) -> None:
    side = Side(folder, waiting=500)
    try:
        side.exchange()
        side.mirror.flush()
        stub.wait_for(lambda: stub.routes.total() == 1, "the first arrives")
        stub.freeze()
        longest = 0.0
        for _ in range(3_000):
            began = time.perf_counter()
            side.exchange(b"x" * 1_000)
            side.write()
            side.mirror.flush()
            longest = max(longest, time.perf_counter() - began)
        requests, sent, skipped, waiting = side.counts
        assert requests == 6_001 == sent + sum(skipped.values()) + waiting
        assert (waiting, skipped[Heading.UNSAFE]) == (500, 3_000)
        assert skipped[Heading.QUEUE_FULL] == 3_001 - sent - 500
        assert side.mirror.desk.handed.qsize() <= 500
        assert longest < mirror_line.SEND_TIMEOUT  # It never waited for a write.
        stub.thaw()
        stub.wait_for(lambda: side.counts[3] == 0, "what waited is sent")
        side.mirror.flush()
        stub.wait_for(lambda: stub.account("products-get").requests == 6_001, "the account arrives")
        account = stub.account("products-get")
        assert account.sent == stub.routes.total()
        assert account.requests == account.sent + sum(count for _, count in account.skipped)
    finally:
        side.mirror.close()


def test_a_comparator_that_is_slow_is_not_given_up(
    side: Side, stub: ComparatorStub, monkeypatch: pytest.MonkeyPatch
) -> None:
    waits = threading.Semaphore(0)

    def go_on(_line: mirror_line.Line, _now: float) -> bool:
        waits.release()
        return False

    wait_until(lambda: bool(stub.workers), "the worker has connected")
    monkeypatch.setattr(mirror_line.Line, "_is_over", go_on)
    stub.freeze()
    for _ in range(1_000):
        side.exchange(b"x" * 1_000)
    side.mirror.flush()
    for _ in range(2):
        assert waits.acquire(timeout=10)  # A write has waited for as long as one may.
    stub.thaw()
    stub.wait_for(lambda: stub.routes.total() == 1_000, "the exchanges arrive")
    assert (stub.connections, side.counts[2]) == (1, {})


def test_what_waits_for_a_comparator_that_dies_is_counted_and_its_successor_hears_of_all(
    side: Side, stub: ComparatorStub
) -> None:
    side.exchange()
    side.mirror.flush()
    stub.wait_for(lambda: stub.routes.total() == 1, "the first arrives")
    stub.freeze()
    for _ in range(1_000):
        side.exchange(b"x" * 1_000)
    side.mirror.flush()
    stub.stop()
    wait_until(lambda: side.counts[3] == 0, "nothing waits any more")
    for _ in range(10):
        side.exchange()
    requests, sent, skipped, _ = side.counts
    assert requests == 1_011 == sent + sum(skipped.values())
    assert set(skipped) == {Heading.NO_COMPARATOR}
    stub.start()
    wait_until(lambda: side.mirror.desk.connected, "the worker has connected again")
    side.exchange()
    side.mirror.flush()
    wait_until(lambda: stub.account("products-get").requests == 1_012, "the account arrives")
    account = stub.account("products-get")
    assert (account.sent, dict(account.skipped)) == (sent + 1, skipped)


def test_what_cannot_be_encoded_is_counted_and_does_not_end_the_mirror(
    side: Side, stub: ComparatorStub, caplog: pytest.LogCaptureFixture
) -> None:
    side.exchange(client="\udcff")  # No text that could be sent.
    side.mirror.flush()
    wait_until(lambda: side.counts[2] == {Heading.NO_COMPARATOR: 1}, "it is counted")
    assert "could not be handed to the comparator" in caplog.text
    side.exchange()
    side.mirror.flush()
    stub.wait_for(lambda: stub.routes.total() == 1, "the next one arrives")
    assert side.counts[0] == 2


def test_the_end_of_a_comparator_is_noticed_while_nothing_is_sent(side: Side, stub: ComparatorStub) -> None:
    wait_until(lambda: stub.connections == 1 and bool(stub.workers), "the worker has connected")
    stub.stop()
    wait_until(lambda: not side.mirror.desk.connected, "the worker has noticed")
    side.exchange()
    assert side.counts[2] == {Heading.NO_COMPARATOR: 1}
    stub.start()
    wait_until(lambda: side.mirror.desk.connected, "the worker has connected again")
    assert stub.told.accounts == {} or stub.account("products-get").requests == 1


@contextlib.contextmanager
def without_descriptors() -> Iterator[None]:
    """No other can be opened: those that there are stay."""
    usual = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (3, usual[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, usual)


def test_a_worker_without_a_free_descriptor_adopts_and_connects_once_there_is_one(
    folder: Path, stub: ComparatorStub
) -> None:
    with without_descriptors():
        side = Side(folder)
        side.exchange()
        assert side.counts[2] == {Heading.NO_COMPARATOR: 1}
    wait_until(lambda: side.mirror.desk.connected, "the worker has connected")
    side.mirror.close()


def test_a_comparator_that_comes_while_there_is_no_free_descriptor_is_reached_later(
    side: Side, stub: ComparatorStub, monkeypatch: pytest.MonkeyPatch
) -> None:
    tried = threading.Event()
    dial = mirror_line.dial

    def noting(path: Path) -> socket.socket | None:
        try:
            return dial(path)
        finally:
            tried.set()

    wait_until(lambda: stub.connections == 1 and bool(stub.workers), "the worker has connected")
    stub.stop()
    wait_until(lambda: not side.mirror.desk.connected, "the worker has noticed")
    stub.start()
    with without_descriptors():
        monkeypatch.setattr(mirror_line, "dial", noting)
        assert tried.wait(10)
    wait_until(lambda: side.mirror.desk.connected, "the worker has connected again")


def test_without_a_comparator_nothing_is_kept(folder: Path) -> None:
    side = Side(folder)
    for _ in range(100):
        side.exchange()
        side.mirror.flush()
    assert side.counts == (100, 0, {Heading.NO_COMPARATOR: 100}, 0)
    assert side.mirror.desk.waiting_bytes == 0
    side.mirror.close()


def test_the_end_of_a_worker_does_not_wait_for_a_comparator_that_does_not_read(
    folder: Path, stub: ComparatorStub, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mirror_line, "LAST_WORDS", 0.1)
    monkeypatch.setattr(mirror_line, "SEND_TIMEOUT", 0.1)
    side = Side(folder)
    stub.freeze()
    for _ in range(1_000):
        side.exchange(b"x" * 1_000)
    side.mirror.close()
    assert side.mirror._line is not None
    assert not side.mirror._line._thread.is_alive()
    requests, sent, skipped, waiting = side.counts
    assert requests == 1_000 == sent + sum(skipped.values()) + waiting


def test_a_worker_without_shadowed_routes_has_no_thread_and_no_connection(folder: Path, stub: ComparatorStub) -> None:
    meters = Meters()
    mirror = Mirror(meters, folder / "comparator.sock", 0)
    for stage in (Stage.MONOLITH, Stage.SERVICE):
        assert mirror.shadowed(ROUTE, Flag("products-get", stage), 1) is None
    mirror.flush()
    assert (mirror._line, stub.connections) == (None, 0)
    assert {value for _, _, value in meters.values()[1]} == {0}
    mirror.close()


def test_counts_go_on_over_snapshots_and_while_a_route_is_not_shadowed(side: Side) -> None:
    side.exchange()
    assert side.mirror.shadowed(ROUTE, Flag("products-get", Stage.SERVICE), 2) is None
    again = side.mirror.shadowed(ROUTE, Flag("products-get", Stage.CANARY, 500), 3)
    assert again is not None
    side.route = again
    side.exchange()
    assert side.counts[0] == 2


@pytest.mark.parametrize(
    ("secret", "writes", "error"),
    [
        ("", True, SecretMissing),
        ("short", True, SecretTooShort),
        ("", False, None),
        ("s" * 32, True, None),
    ],
)
def test_the_secret_of_marks_is_read_where_writes_are_shadowed(
    folder: Path, monkeypatch: pytest.MonkeyPatch, secret: str, writes: bool, error: type[Exception] | None
) -> None:
    monkeypatch.setenv("A_SECRET", secret)
    routes = (
        Route("a", RouteMatch("/a"), "m", "g", "monolith", "service", shadow=Shadow(writes=writes)),
        Route(CATCH_ALL, RouteMatch("/", PathKind.PREFIX), "c", "c", "monolith"),
    )
    gateway = Gateway(shadow=Mirroring(secret=Secret(env="A_SECRET")))
    mirror = Mirror(Meters(), folder / "comparator.sock", 0)
    snapshot = Snapshot(1, "1", gateway, (), routes)
    if error is not None:
        with pytest.raises(error):
            mirror.prepare(snapshot)
    else:
        assert (mirror.prepare(snapshot) is not None) is writes
