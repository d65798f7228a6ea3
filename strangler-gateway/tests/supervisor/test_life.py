"""The gateway's processes: replaced when they die, ended in order, and never left behind."""

import asyncio
import json
import os
import signal
import socket
import time
from pathlib import Path

import psutil
import pytest

from strangler.link.stream import connect
from strangler.model.messages import Hello, Refused, Roster, RosterRequest, ShutdownRequest

from .conftest import StandInGateway, eventually


def test_a_killed_worker_is_replaced_and_its_waiting_connections_are_served(gateway: StandInGateway) -> None:
    gateway.workers = 1
    gateway.start_ready()
    before = gateway.roster().slots[0]
    os.kill(before.pid, signal.SIGSTOP)  # it accepts nothing more: what comes now waits in the socket
    waiting = [socket.create_connection(("127.0.0.1", gateway.listen), timeout=10) for _ in range(50)]
    for connection in waiting:
        connection.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
    killed_at = time.monotonic()
    os.kill(before.pid, signal.SIGKILL)
    answers = []
    for connection in waiting:
        with connection:
            answers.append(connection.recv(15))
    assert answers == [b"HTTP/1.1 200 OK"] * 50
    assert time.monotonic() - killed_at < 5, "a replacement takes about 0.2 s"
    eventually(lambda: gateway.roster().slots[0].ready)
    after = gateway.roster().slots[0]
    assert after.pid != before.pid
    assert after.restarts == 1


def test_a_worker_that_stands_still_is_replaced_and_its_waiting_connections_are_served(gateway: StandInGateway) -> None:
    gateway.workers, gateway.patience = 1, 2.0
    process = gateway.start_ready()
    before = gateway.roster().slots[0]
    os.kill(before.pid, signal.SIGSTOP)
    assert gateway.get(gateway.listen)[1]["pid"] != before.pid, "it waited in the socket, for the next worker"
    assert f"(process {before.pid}) has said nothing for 2 s" in process.output()
    eventually(lambda: gateway.roster().slots[0].restarts == 1)


def test_a_worker_that_turns_but_says_nothing_is_replaced_and_others_stay(gateway: StandInGateway) -> None:
    gateway.patience = 2.0
    gateway.start_ready()
    before = gateway.roster()
    (gateway.state / "silent").touch()
    eventually(lambda: all(slot.restarts for slot in gateway.roster().slots))
    (gateway.state / "silent").unlink()
    eventually(lambda: all(slot.ready for slot in gateway.roster().slots))
    after = gateway.roster()
    assert not {slot.pid for slot in before.slots} & {slot.pid for slot in after.slots}
    time.sleep(3)  # longer than its patience
    assert gateway.roster() == after, "who says how it is stays"


def test_a_supervisor_that_slept_finds_its_workers_as_it_left_them(gateway: StandInGateway) -> None:
    gateway.patience = 2.0
    process = gateway.start_ready()
    before = gateway.roster()
    stopped = [process.pid, *(slot.pid for slot in before.slots)]
    for pid in stopped:
        os.kill(pid, signal.SIGSTOP)
    time.sleep(3.5)  # longer than its patience: as a machine that is suspended
    for pid in reversed(stopped):
        os.kill(pid, signal.SIGCONT)
    time.sleep(2)
    assert gateway.roster().slots == before.slots


def test_readiness_follows_the_workers_and_liveness_does_not(gateway: StandInGateway) -> None:
    gateway.start_ready()
    assert gateway.get(gateway.health, "/readyz") == (200, {"status": "ready", "workers": 2, "not_accepting": []})
    (gateway.state / "die").touch()
    os.kill(gateway.roster().slots[1].pid, signal.SIGKILL)
    eventually(lambda: gateway.get(gateway.health, "/readyz")[0] == 503)
    assert gateway.get(gateway.health, "/readyz")[1]["not_accepting"] == [1]
    assert gateway.get(gateway.health, "/livez") == (200, {"status": "alive"})
    (gateway.state / "die").unlink()
    eventually(lambda: gateway.get(gateway.health, "/readyz")[0] == 200)


@pytest.mark.parametrize(
    ("request_bytes", "status"),
    [(b"GET /nothing HTTP/1.1\r\n\r\n", b"404"), (b"POST /livez HTTP/1.1\r\n\r\n", b"405"), (b"\r\n\r\n", b"400")],
)
def test_the_health_port_answers_nonsense_with_an_error(
    gateway: StandInGateway, request_bytes: bytes, status: bytes
) -> None:
    gateway.start_ready()
    with socket.create_connection(("127.0.0.1", gateway.health), timeout=5) as connection:
        connection.sendall(request_bytes)
        assert connection.recv(100).split(b" ")[1] == status


def test_a_killed_control_is_replaced_and_workers_do_not_notice(gateway: StandInGateway) -> None:
    gateway.start_ready()
    before = gateway.roster()
    os.kill(before.control_pid, signal.SIGKILL)
    eventually(lambda: gateway.roster().control_pid not in {0, before.control_pid})
    assert gateway.roster().slots == before.slots


def test_a_control_that_refuses_its_first_orders_ends_the_gateway_with_status_2(gateway: StandInGateway) -> None:
    gateway.state.mkdir()
    (gateway.state / "control-status").write_text("2")
    assert gateway.start().wait(10) == 2


def test_a_control_that_fails_is_tried_again_while_the_workers_serve(gateway: StandInGateway) -> None:
    gateway.state.mkdir()
    (gateway.state / "control-status").write_text("1")
    process = gateway.start_ready()
    eventually(lambda: "it is started again in 0.5 s" in process.output())
    (gateway.state / "control-status").unlink()
    eventually(lambda: gateway.roster().control_pid != 0)
    assert gateway.get(gateway.listen)[0] == 200


def test_who_asked_for_the_roster_is_told_every_change(gateway: StandInGateway) -> None:
    gateway.start_ready()

    async def pids_of_slot_0_while_it_is_replaced() -> list[int]:
        async with asyncio.timeout(20):
            link = await connect(gateway.state / "supervisor.sock")
            link.send(Hello("control", 0))
            link.send(RosterRequest())
            seen: list[int] = []
            async for message in link.receive():
                assert isinstance(message, Roster)
                slot = message.slots[0]
                if not seen:
                    os.kill(slot.pid, signal.SIGKILL)
                seen.append(slot.pid)
                if slot.ready and slot.pid != seen[0]:
                    break
            link.close()
            return seen

    pids = asyncio.run(pids_of_slot_0_while_it_is_replaced())
    assert 0 in pids, "while it is being replaced nobody sits there"
    assert pids[-1] not in {0, pids[0]}


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_everything_and_leaves_nothing_behind(gateway: StandInGateway, number: signal.Signals) -> None:
    process = gateway.start_ready()
    eventually(lambda: gateway.roster().comparator_pid != 0)
    family = process.children()
    assert len(family) == 4
    process.signal(number)
    assert process.wait(10) == 0
    _, alive = psutil.wait_procs(family, timeout=5)
    assert alive == []
    assert {path.name for path in gateway.state.iterdir()} <= {"lock", "log"}
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", gateway.listen), timeout=5)


def test_while_it_drains_the_port_is_closed_and_requests_in_flight_are_waited_for(gateway: StandInGateway) -> None:
    gateway.grace = 60
    gateway.state.mkdir()
    (gateway.state / "busy").touch()
    process = gateway.start_ready()
    process.signal(signal.SIGTERM)
    eventually(lambda: not accepts(gateway.listen))
    assert process.alive()
    (gateway.state / "busy").unlink()
    assert process.wait(10) == 0


def test_with_a_stop_delay_it_serves_on_while_readiness_says_no(gateway: StandInGateway) -> None:
    gateway.stop_delay = 1.5
    process = gateway.start_ready()
    told = time.monotonic()
    process.signal(signal.SIGTERM)
    eventually(lambda: gateway.get(gateway.health, "/readyz")[0] == 503)
    assert gateway.get(gateway.listen)[0] == 200
    assert process.wait(10) == 0
    assert time.monotonic() - told >= 1.5


def test_a_second_signal_ends_the_stop_delay(gateway: StandInGateway) -> None:
    gateway.stop_delay = 60
    process = gateway.start_ready()
    process.signal(signal.SIGTERM)
    eventually(lambda: gateway.get(gateway.health, "/readyz")[0] == 503)
    process.signal(signal.SIGTERM)
    assert process.wait(10) == 0


def accepts(port: int) -> bool:
    """Whether a connection can be made; one that waits for nobody counts."""
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def test_shutdown_over_the_link_ends_it_like_a_signal(gateway: StandInGateway) -> None:
    process = gateway.start_ready()
    with pytest.raises(AssertionError, match="closed without an answer"):
        gateway.ask(ShutdownRequest(), answer=Refused)
    assert process.wait(10) == 0


def test_children_that_do_not_heed_are_killed_after_the_grace(gateway: StandInGateway) -> None:
    gateway.grace = 0.2
    gateway.state.mkdir()
    (gateway.state / "stubborn").touch()
    process = gateway.start_ready()
    family = process.children()
    process.signal(signal.SIGTERM)
    assert process.wait(15) == 0
    _, alive = psutil.wait_procs(family, timeout=5)
    assert alive == []


def test_a_second_signal_does_not_wait_for_the_grace(gateway: StandInGateway) -> None:
    gateway.grace = 60
    gateway.state.mkdir()
    (gateway.state / "stubborn").touch()
    process = gateway.start_ready()
    process.signal(signal.SIGINT)
    eventually(lambda: gateway.get(gateway.health, "/readyz")[1]["status"] == "ending")
    process.signal(signal.SIGINT)
    assert process.wait(15) == 0


def test_children_do_not_survive_a_killed_supervisor_and_the_next_one_starts(gateway: StandInGateway) -> None:
    process = gateway.start_ready()
    family = process.children()
    process.kill()
    _, alive = psutil.wait_procs(family, timeout=10)
    assert alive == []
    assert (gateway.state / "run.json").exists(), "the crash left it, which is what the next start must bear"
    assert (gateway.state / "supervisor.sock").exists()
    gateway.start_ready()
    assert gateway.get(gateway.listen)[0] == 200


def test_the_sockets_of_the_link_are_for_the_owner_only(gateway: StandInGateway) -> None:
    gateway.start_ready()
    assert (gateway.state / "supervisor.sock").stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize(
    ("hello", "reason"),
    [
        (Hello("cli", 1, protocol=99), "protocol 99 is not spoken here"),
        (Hello("worker", 1, slot=0), "process 1 is not the worker of slot 0"),
        (RosterRequest(), "the first message must be Hello"),
    ],
)
def test_who_does_not_belong_is_refused_with_the_reason(
    gateway: StandInGateway, hello: Hello | RosterRequest, reason: str
) -> None:
    gateway.start_ready()
    refused = gateway.ask(hello, answer=Refused, greet=False)
    assert reason in refused.reason


def test_the_stores_password_stands_on_nobodys_command_line(
    gateway: StandInGateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STORE", "postgresql://strangler:s3cr3t@db/strangler")
    gateway.start_ready()
    eventually(lambda: gateway.roster().control_pid != 0)
    control = Path("/proc", str(gateway.roster().control_pid))
    assert b"STRANGLER_GATEWAY__STORE=postgresql://strangler:s3cr3t@db/strangler" in (control / "environ").read_bytes()
    assert b"s3cr3t" not in (control / "cmdline").read_bytes()


def test_run_json_says_where_it_is(gateway: StandInGateway) -> None:
    process = gateway.start_ready()
    run = json.loads((gateway.state / "run.json").read_text())
    assert run["pid"] == process.pid
    assert run["listen"] == f"127.0.0.1:{gateway.listen}"
    assert set(run) == {"pid", "listen", "admin", "health", "config", "state"}
