"""A held module has no write in flight, loses none, and is held for no longer than was asked for, whoever dies."""

import json
import os
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass

import pytest

from e2e.conftest import Arms
from support.gateway import Gateway, Place, serving
from support.load import Plan, Request, background
from support.raw_http import Client, request, wait_until
from support.stub_upstream import Logged

CONFIG = """\
monolith: {monolith}
upstreams:
  service: {{endpoints: ["{service}"]}}
gateway: {{workers: 2}}
routes:
  - {{name: items, match: {{prefix: /items}}, module: catalog, service: service, writes: [catalog]}}
  - {{name: slow, match: {{prefix: /slow}}, module: catalog, service: service, writes: [catalog, orders]}}
  - {{name: notes, match: {{prefix: /notes}}, service: service}}
"""
WRITES = (
    Request("/items", method="POST", body='{"name": "Oak chair"}'),
    Request("/slow?ms=25", method="POST", body="{}"),
    Request("/items/1", method="PUT", body="x" * 3000),
    Request("/items/2", method="DELETE"),
)
READS = (Request("/items/1"), Request("/slow?ms=5"))
CYCLES = 4


@pytest.fixture
def gateway(arms: Arms, here: Place) -> Iterator[Gateway]:
    with serving(here, CONFIG.format(monolith=arms.monolith.url, service=arms.service.url)) as running:
        yield running


@dataclass(frozen=True, slots=True)
class Pause:
    """A hold as its caller saw it: acknowledged, and told to end."""

    called: float
    acknowledged: float
    released: float
    arm: str
    """Where the flag pointed when it ended."""


def test_across_hold_flip_and_release_no_write_fails_and_none_is_in_flight_once_acknowledged(
    gateway: Gateway, arms: Arms, figure: Callable[[str], None]
) -> None:
    writes = Plan(gateway.url, WRITES, rate=300, seconds=60, name="held-writes")
    reads = Plan(gateway.url, READS, rate=40, seconds=60, name="held-reads")
    with background(writes) as writing, background(reads) as reading:
        pauses = [pause(gateway, ("service", "monolith")[number % 2]) for number in range(CYCLES)]
        loads = [writing.stop(), reading.stop()]
    for load in loads:
        assert load.failures == ()
        assert load.statuses == {200: len(load.results)}

    served = {"held-writes": arrived(arms, "held-writes"), "held-reads": arrived(arms, "held-reads")}
    assert sorted(served["held-writes"]) == sorted(result.request_id for result in loads[0].results)
    held = 0
    for each in pauses:
        meanwhile = [at for at in served["held-writes"].values() if in_flight(at, each.acknowledged, each.released)]
        assert meanwhile == [], "a write was in flight although the hold was acknowledged"
        assert [at for at in served["held-reads"].values() if each.acknowledged < at.monotonic < each.released]
        waited = [result for result in loads[0].results if each.acknowledged < result.sent < each.released]
        assert {served["held-writes"][result.request_id].arm for result in waited} == {each.arm}
        held += len(waited)
    took = sorted((each.acknowledged - each.called) * 1000 for each in pauses)
    figure(f"{held} of {len(loads[0].results)} writes held in {CYCLES} pauses, 0 failed; drained after {took} ms")


def pause(gateway: Gateway, arm: str) -> Pause:
    """Hold, flip to the other arm, release: what a cutover does."""
    called = time.monotonic()
    answer = gateway.hold("catalog", seconds=5)
    acknowledged = time.monotonic()
    assert (answer["in_force"], answer["missing"]) == (True, []), answer
    gateway.flip("catalog", arm)
    time.sleep(0.2)  # what is copied meanwhile takes time, too
    released = time.monotonic()
    assert gateway.release("catalog")["missing"] == []
    time.sleep(0.2)
    return Pause(called, acknowledged, released, arm)


def arrived(arms: Arms, name: str) -> dict[str, Logged]:
    """What the applications' own logs say of a load, each request exactly once."""
    entries = [entry for stub in (arms.monolith, arms.service) for entry in stub.requests()]
    found = [entry for entry in entries if entry.request_id.startswith(f"{name}-")]
    by_id = {entry.request_id: entry for entry in found}
    assert len(by_id) == len(found), "a request reached an application twice"
    return by_id


def in_flight(at: Logged, begin: float, end: float) -> bool:
    return at.monotonic < end and at.ended > begin


def test_writes_that_do_not_end_are_named_and_the_hold_is_released_again_or_kept(gateway: Gateway) -> None:
    with Client(gateway.place.listen) as client:
        for keep in (False, True):
            client.send(request("POST", "/slow?ms=1500", body=b"{}"))
            wait_until(lambda: gateway.in_flight() == 1, "it is in flight")
            answer = gateway.hold("orders", seconds=20, drain_within=0.3, keep=keep)
            assert (answer["in_force"], len(answer["missing"])) == (keep, 1), answer
            (worker,) = [at for at in answer["workers"] if not at["drained"]]
            assert (worker["slot"], worker["in_flight"]) == (answer["missing"][0], 1)
            assert client.answer().status == 200
        status = gateway.get("/status")["holds"]
        assert [(hold["module"], hold["author"], hold["reason"]) for hold in status] == [("orders", "tests", "a test")]
        wait_until(lambda: all(at["drained"] for at in held_by(gateway)), "it drains later")
        assert gateway.release("orders")["in_force"] is False


def held_by(gateway: Gateway) -> list[dict[str, object]]:
    (hold,) = gateway.get("/status")["holds"]
    workers: list[dict[str, object]] = hold["workers"]
    return workers


def test_a_worker_that_is_killed_during_a_hold_is_replaced_by_one_that_holds(gateway: Gateway, arms: Arms) -> None:
    gateway.hold("catalog", seconds=30)
    for number in (0, 1):
        before = gateway.roster()
        os.kill(before.slots[number].pid, signal.SIGKILL)
        wait_until(lambda then=before, at=number: is_replaced(gateway, then.slots[at].pid, at), "it is replaced")
    gateway.wait_for_control()
    with ExitStack() as stack:
        clients = [stack.enter_context(Client(gateway.place.listen)) for _ in range(12)]
        for number, client in enumerate(clients):
            client.send(request("POST", "/items", f"X-Request-ID: after-death-{number}", body=b"{}"))
        owners = gateway.owners([client.socket.getsockname()[1] for client in clients])
        assert set(owners) == {0, 1}, "the connections are of one worker only; that has a chance of 1 in 2,000"
        wait_until(lambda: sum(int(str(at["held"])) for at in held_by(gateway)) == 12, "all of them wait")
        assert arrived(arms, "after-death") == {}
        gateway.release("catalog")
        assert [client.answer().status for client in clients] == [200] * 12


def is_replaced(gateway: Gateway, old: int, number: int) -> bool:
    slot = gateway.slot(number)
    return slot.ready and slot.pid not in {0, old}


def test_a_hold_whose_control_is_killed_can_be_released_by_the_next_or_ends_by_itself(gateway: Gateway) -> None:
    gateway.hold("catalog", seconds=30)
    os.kill(gateway.roster().control_pid, signal.SIGKILL)
    with Client(gateway.place.listen) as client:
        client.send(request("POST", "/items", body=b"{}"))
        gateway.wait_for_control()
        assert [hold["module"] for hold in gateway.get("/status")["holds"]] == ["catalog"]
        gateway.release("catalog")
        assert client.answer().status == 200

        gateway.hold("catalog", seconds=1.5)
        os.kill(gateway.roster().control_pid, signal.SIGKILL)
        answer = client.ask(request("POST", "/items", body=b""))
        assert (answer.status, answer.value("retry-after")) == (503, b"1")
        assert client.ask(request("POST", "/items", body=b"{}")).status == 200
    assert gateway.roster().holds == ()


def test_the_commands_say_what_they_did_and_the_history_keeps_it(gateway: Gateway) -> None:
    held = gateway.command("hold", "catalog", "--for", "20s", "--max", "7", "--reason", "cutover", "--author", "ann")
    assert held.returncode == 0, held
    assert "catalog is held for 20s: items, slow" in held.stdout
    assert "no write of it is in flight" in held.stdout
    again = gateway.command("hold", "catalog", "--reason", "me too", "--author", "bob")
    assert (again.returncode, "is held already, by ann" in again.stderr) == (1, True), again
    assert "held: the writes of catalog by ann" in gateway.command("status").stdout
    released = gateway.command("release", "catalog", "--reason", "done", "--author", "ann", "--json")
    assert (released.returncode, json.loads(released.stdout)["in_force"]) == (0, False), released

    gateway.hold("catalog", seconds=0.2, reason="too short")
    wait_until(lambda: len(audit(gateway)) == 8, "the end of the second is in the history")
    rows = list(dict.fromkeys(audit(gateway)))
    assert rows == [
        ("release", "gateway", "it ended by itself after 0.2 s; it was held for: too short"),
        ("hold", "tests", "too short"),
        ("release", "ann", "done"),
        ("hold", "ann", "cutover"),
    ]


def audit(gateway: Gateway) -> list[tuple[str, str, str]]:
    items = gateway.get("/history", route="catalog")["items"]
    return [(row["action"], row["author"], row["reason"]) for row in items if row["action"] in {"hold", "release"}]


@pytest.mark.parametrize(
    ("arguments", "status", "text"),
    [
        (("hold", "catalgo", "--reason", "x"), 2, "no route declares to write «catalgo», so there is nothing to hold"),
        (("hold", "catalog", "--reason", "x", "--for", "soon"), 2, "--for soon: write a time such as 5s or 800ms"),
        (("hold", "catalog", "--reason", "x", "--for", "90s"), 2, "--for 90s: write a time from 50ms to 60s"),
        (("release", "catalog", "--reason", "x"), 1, "«catalog» is not held"),
    ],
)
def test_what_cannot_be_held_is_refused_with_the_reason(
    gateway: Gateway, arguments: tuple[str, ...], status: int, text: str
) -> None:
    answer = gateway.command(*arguments)
    assert (answer.returncode, text in answer.stderr) == (status, True), answer
    assert audit(gateway) == []


def test_a_silent_worker_is_named(gateway: Gateway) -> None:
    os.kill(gateway.slot(1).pid, signal.SIGSTOP)
    try:
        answer = gateway.hold("catalog", drain_within=0.3)
        assert (answer["missing"], answer["in_force"]) == ([1], False)
    finally:
        os.kill(gateway.slot(1).pid, signal.SIGCONT)
    with gateway.connection_to_each_worker() as connections:
        for connection in connections:
            connection.request("POST", "/items", body="{}")
            with connection.getresponse() as found:
                assert found.status == 200, "a worker that heard of the hold too late holds nothing"
