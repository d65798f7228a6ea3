"""A kill is durable before it is true, needs neither control nor store, and says who has it."""

import os
import resource
import signal
from datetime import UTC, datetime, timedelta

import msgspec
import pytest

from strangler.model.messages import KillEvent, KillEventsRequest, KillReply, KillRequest
from strangler.supervisor.kill_ledger import KillLedger
from strangler.supervisor.state_folder import StateFolder

from .conftest import StandInGateway, eventually

KILL = KillRequest(("products-get", "products-list"), "ada@host", "errors above 5 %")
NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
LIFT = KillRequest(("products-get",), "ada@host", "mended", lift=True)


def kill(gateway: StandInGateway, request: KillRequest = KILL) -> KillReply:
    return gateway.ask(request, answer=KillReply)


def known_by_workers(gateway: StandInGateway) -> set[tuple[str, ...]]:
    """What the workers that answer twenty requests between them know."""
    answers = [gateway.get(gateway.listen)[1] for _ in range(20)]
    assert {answer["slot"] for answer in answers} == {0, 1}
    return {tuple(answer["kills"]) for answer in answers}  # type: ignore[arg-type]


def test_when_the_reply_comes_every_worker_has_the_kill(gateway: StandInGateway) -> None:
    gateway.start_ready()
    reply = kill(gateway)
    assert (reply.generation, reply.missing, reply.error) == (1, (), "")
    assert reply.seconds < 2
    assert [(kill.route, kill.author, kill.reason) for kill in reply.kills] == [
        ("products-get", "ada@host", "errors above 5 %"),
        ("products-list", "ada@host", "errors above 5 %"),
    ]
    assert known_by_workers(gateway) == {("products-get", "products-list")}


def test_a_lift_takes_away_what_it_names_and_no_more(gateway: StandInGateway) -> None:
    gateway.start_ready()
    kill(gateway)
    assert [kill.route for kill in kill(gateway, LIFT).kills] == ["products-list"]
    assert kill(gateway, LIFT).generation == 2, "lifting what is not killed is no change"
    assert known_by_workers(gateway) == {("products-list",)}


def test_a_kill_works_while_control_is_dead_and_its_store_cannot_be_read(gateway: StandInGateway) -> None:
    gateway.state.mkdir()
    (gateway.state / "control-status").write_text("1")
    (gateway.state / "control.db").write_bytes(b"this is no database")
    gateway.start_ready()
    eventually(lambda: gateway.roster().control_pid == 0)
    assert kill(gateway).missing == ()
    assert known_by_workers(gateway) == {("products-get", "products-list")}


def test_a_kill_survives_a_restart_and_a_crash(gateway: StandInGateway) -> None:
    for end in (signal.SIGTERM, signal.SIGKILL):
        process = gateway.start_ready()
        kill(gateway)
        process.signal(end)
        process.wait(10)
    gateway.start_ready()
    assert known_by_workers(gateway) == {("products-get", "products-list")}
    assert kill(gateway).generation == 3


def test_a_replaced_worker_knows_the_kills_before_it_accepts(gateway: StandInGateway) -> None:
    gateway.start_ready()
    kill(gateway)
    for slot in gateway.roster().slots:
        os.kill(slot.pid, signal.SIGKILL)
    assert known_by_workers(gateway) == {("products-get", "products-list")}


def test_a_worker_that_does_not_acknowledge_is_named(gateway: StandInGateway) -> None:
    gateway.start_ready()
    pid = gateway.roster().slots[1].pid
    os.kill(pid, signal.SIGSTOP)
    reply = kill(gateway)
    os.kill(pid, signal.SIGCONT)
    assert reply.missing == (1,)
    assert 2 <= reply.seconds < 10


def test_a_worker_that_dies_meanwhile_is_not_waited_for(gateway: StandInGateway) -> None:
    gateway.state.mkdir()
    (gateway.state / "deaf").touch()
    gateway.start_ready()
    for slot in gateway.roster().slots:
        os.kill(slot.pid, signal.SIGKILL)
    (gateway.state / "deaf").unlink()
    assert kill(gateway).missing == ()


def test_events_are_replayed_after_a_sequence_and_then_follow_live(gateway: StandInGateway) -> None:
    gateway.start_ready()
    kill(gateway)
    kill(gateway, LIFT)
    event = gateway.ask(KillEventsRequest(after=1), answer=KillEvent)
    assert event == KillEvent(2, event.at, ("products-get",), "ada@host", "mended", lift=True)
    assert gateway.ask(KillEventsRequest(after=2), KILL, answer=KillEvent).sequence == 3


# The files


@pytest.fixture
def folder(gateway: StandInGateway) -> StateFolder:
    folder = StateFolder(gateway.state)
    folder.create()
    return folder


def test_an_event_that_was_logged_before_a_crash_is_in_force_after_it(folder: StateFolder) -> None:
    KillLedger(folder).record(KILL, NOON)
    folder.kills.unlink()  # the crash came between the log and what follows from it
    assert [kill.route for kill in KillLedger(folder).kills] == ["products-get", "products-list"]


def test_a_torn_last_line_is_forgotten_and_the_log_goes_on(folder: StateFolder) -> None:
    KillLedger(folder).record(KILL, NOON)
    with folder.kills_log.open("ab") as log:
        log.write(b'{"sequence":2,"at":"20')
    KillLedger(folder).record(LIFT, NOON + timedelta(seconds=1))
    assert [event.sequence for event in KillLedger(folder).events_after(0)] == [1, 2]
    assert all(msgspec.json.decode(line) for line in folder.kills_log.read_bytes().splitlines())


@pytest.mark.parametrize("damage", [b"", b"{", b"[]", b'{"generation":"x"}'])
def test_a_damaged_kills_file_is_made_anew_from_the_log(folder: StateFolder, damage: bytes) -> None:
    KillLedger(folder).record(KILL, NOON)
    folder.kills.write_bytes(damage)
    assert [kill.route for kill in KillLedger(folder).kills] == ["products-get", "products-list"]


def test_a_lost_log_does_not_lift_kills_or_turn_numbers_back(folder: StateFolder) -> None:
    KillLedger(folder).record(KILL, NOON)
    folder.kills_log.unlink()
    ledger = KillLedger(folder)
    assert len(ledger.kills) == 2
    event = ledger.record(LIFT, NOON + timedelta(seconds=1))
    assert event is not None
    assert event.sequence == 2


def test_a_kill_that_cannot_be_written_is_not_in_force(folder: StateFolder) -> None:
    ledger = KillLedger(folder)
    folder.kills_log.mkdir()  # what root cannot write either
    with pytest.raises(OSError, match="directory"):
        ledger.record(KILL, NOON)
    assert (ledger.generation, ledger.kills) == (0, ())


def test_a_kill_of_which_the_disk_takes_only_a_part_is_not_in_force(folder: StateFolder) -> None:
    ledger = KillLedger(folder)
    ledger.record(KILL, NOON)
    before = folder.kills_log.read_bytes()
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (len(before) + 20, hard))  # as a disk on which 20 bytes are free
    try:
        with pytest.raises(OSError, match="No space left"):
            ledger.record(LIFT, NOON)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert (folder.kills_log.read_bytes(), ledger.generation) == (before, 1)
    ledger.record(LIFT, NOON)
    assert [event.sequence for event in KillLedger(folder).events_after(0)] == [1, 2]
