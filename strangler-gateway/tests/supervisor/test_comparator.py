"""The comparator among the gateway's processes: last to come, replaced when it dies, unnoticed by clients."""

import os
import signal
import time

import psutil

from .conftest import StandInGateway, eventually


def test_a_killed_comparator_is_replaced_and_workers_do_not_notice(gateway: StandInGateway) -> None:
    gateway.start_ready()
    eventually(lambda: gateway.roster().comparator_pid != 0)
    before = gateway.roster()
    os.kill(before.comparator_pid, signal.SIGKILL)
    eventually(lambda: gateway.roster().comparator_pid not in {0, before.comparator_pid})
    assert gateway.get(gateway.health, "/readyz")[0] == 200
    assert gateway.roster().slots == before.slots


def test_it_is_started_when_every_worker_accepts_and_not_before(gateway: StandInGateway) -> None:
    gateway.state.mkdir()
    (gateway.state / "die").touch()
    process = gateway.start()
    eventually(lambda: "worker 1 ended" in process.output())
    assert gateway.roster().comparator_pid == 0
    (gateway.state / "die").unlink()
    eventually(lambda: gateway.roster().comparator_pid != 0)
    assert gateway.roster().slots[1].ready


def test_a_comparator_that_stands_still_leaves_the_gateway_ready(gateway: StandInGateway) -> None:
    gateway.start_ready()
    eventually(lambda: gateway.roster().comparator_pid != 0)
    os.kill(gateway.roster().comparator_pid, signal.SIGSTOP)
    assert gateway.get(gateway.health, "/readyz")[0] == 200
    assert gateway.get(gateway.listen)[0] == 200


def test_a_comparator_that_stands_still_is_replaced(gateway: StandInGateway) -> None:
    gateway.patience = 2.0
    process = gateway.start_ready()
    eventually(lambda: gateway.roster().comparator_pid != 0)
    eventually((gateway.state / "spoke").exists)
    before = gateway.roster()
    os.kill(before.comparator_pid, signal.SIGSTOP)
    eventually(lambda: gateway.roster().comparator_pid not in {0, before.comparator_pid})
    assert f"the comparator (process {before.comparator_pid}) has said nothing for 2 s" in process.output()
    assert gateway.roster().slots == before.slots


def test_a_comparator_that_turns_but_says_nothing_is_replaced_and_one_that_speaks_is_not(
    gateway: StandInGateway,
) -> None:
    gateway.patience = 2.0
    gateway.start_ready()
    eventually((gateway.state / "spoke").exists)
    before = gateway.roster().comparator_pid
    (gateway.state / "mute").touch()
    eventually(lambda: gateway.roster().comparator_pid not in {0, before})
    (gateway.state / "mute").unlink()
    (gateway.state / "spoke").unlink()
    eventually((gateway.state / "spoke").exists)
    after = gateway.roster()
    time.sleep(3)  # longer than its patience
    assert gateway.roster() == after


def test_it_ends_after_the_workers_whose_last_accounts_it_takes(gateway: StandInGateway) -> None:
    process = gateway.start_ready()
    eventually(lambda: gateway.roster().comparator_pid != 0)
    before = gateway.roster()
    comparator = psutil.Process(before.comparator_pid)
    (gateway.state / "busy").touch()
    process.signal(signal.SIGTERM)
    eventually(lambda: gateway.get(gateway.health, "/readyz")[0] == 503)
    assert comparator.is_running()
    (gateway.state / "busy").unlink()
    process.wait(10)
    assert not any(psutil.pid_exists(slot.pid) for slot in before.slots)
    assert not comparator.is_running()


def test_one_that_does_not_heed_the_end_is_killed(gateway: StandInGateway) -> None:
    process = gateway.start_ready()
    (gateway.state / "lingers").touch()
    eventually(lambda: gateway.roster().comparator_pid != 0)
    process.signal(signal.SIGTERM)
    process.wait(10)
