"""A worker that is killed takes with it what it had in flight, and nothing else; another is there within a second."""

import contextlib
import os
import select
import signal
import socket
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Self

import psutil

from e2e.scale import Scale, at_every_scale
from support.gateway import Gateway, paused
from support.load import Plan, Request, Result, background, percentile
from support.raw_http import wait_until

REQUESTS = (Request("/items/1"), Request("/slow?ms=40"), Request("/items", method="POST", body='{"name": "Oak chair"}'))
LIFE = 1.1
"""Seconds that a worker lives before it is killed: one that keeps dying young is started again with a delay."""
NOTICE = 0.25
"""Seconds in which a client may not have noticed yet that a connection which it kept is gone."""
WITNESSES = 6


@dataclass(frozen=True, slots=True)
class Death:
    """When a worker was killed, was gone, and was replaced. ``full`` is when every slot accepted again."""

    killed: float
    gone: float
    full: float

    @property
    def recovery(self) -> float:
        return self.full - self.killed


@at_every_scale
def test_killed_workers_fail_only_what_they_had_in_flight(
    scale: Scale, gateway: Gateway, figure: Callable[[str], None]
) -> None:
    kept = Plan(gateway.url, REQUESTS, scale.rate / 2, 20 * scale.worker_kills, name="kept")
    fresh = Plan(gateway.url, REQUESTS, scale.rate / 2, 20 * scale.worker_kills, keep_alive=False, name="fresh")
    born = [time.monotonic()] * 2
    deaths = []
    waited = 0
    with background(kept) as first, background(fresh) as second:
        for number in range(scale.worker_kills):
            victim = number % 2
            time.sleep(max(0.0, born[victim] + LIFE - time.monotonic()))
            death, waiting = kill_worker(gateway, victim)
            born[victim] = death.full
            deaths.append(death)
            waited += waiting
        loads = {"kept": first.stop(), "fresh": second.stop()}

    in_flight, unnoticed = 0, 0
    for name, load in loads.items():
        assert not [result for result in load.results if result.status >= 500], "the gateway answered for a dead worker"
        for result in load.failures:
            assert result.error.endswith(("before the answer", "within the answer")), result
            if was_in_flight(result, deaths):
                in_flight += 1
            else:
                assert name == "kept", f"this connection was made after the worker had gone: {result}"
                assert was_unnoticed(result, deaths), result
                unnoticed += 1
    times = sorted(death.recovery for death in deaths)
    median = percentile(times, 50)
    total = sum(len(load.results) for load in loads.values())
    figure(
        f"{len(deaths)} workers killed under {scale.rate:g} requests/s: {total} requests, {in_flight} failed in "
        f"flight, {unnoticed} failed on a kept connection before its client noticed; {waited} waited for the next "
        f"worker and were served; full service back after median {median:.3f} s, worst {times[-1]:.3f} s"
    )
    assert waited >= scale.worker_kills
    assert median < scale.recovery


def kill_worker(gateway: Gateway, number: int) -> tuple[Death, int]:
    """Kill a worker that stands still, with connections of ours in its hands and others waiting in its queue.

    Those in its hands fail, those of the other worker do not, and those in the queue are served by its successor.
    Returns how many those were, too.
    """
    victim = gateway.slot(number)
    process = psutil.Process(victim.pid)
    with contextlib.ExitStack() as stack:
        in_hand = [stack.enter_context(Asked(gateway, of=10, sent=5)) for _ in range(WITNESSES)]
        owners = gateway.owners([each.port for each in in_hand])
        with paused(victim.pid):
            queue: list[Asked] = []
            while not queue:
                new = [stack.enter_context(Asked(gateway)) for _ in range(4)]
                time.sleep(0.05)  # for the other worker to accept what is its own
                accepted = gateway.accepted()
                queue += [each for each in new if each.port not in accepted and not each.is_answered()]
            killed = time.monotonic()
            os.kill(victim.pid, signal.SIGKILL)
        wait_until(lambda: not lives(process), "the worker is gone")
        gone = time.monotonic()
        wait_until(lambda: is_replaced(gateway, number, victim.pid), "its successor accepts")
        full = time.monotonic()
        for each in in_hand:
            each.send_rest()
        assert [each.succeeds() for each in in_hand] == [owner != number for owner in owners]
        assert all(each.succeeds() for each in queue), "a connection that waited to be accepted was lost"
    return Death(killed, gone, full), len(queue)


class Asked:
    """A request on a connection of its own, of whose body only a part is sent at first."""

    def __init__(self, gateway: Gateway, *, of: int = 0, sent: int = 0) -> None:
        head = f"POST /items HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: {of}\r\n\r\n"
        self._rest = b"x" * (of - sent)
        self._socket = socket.create_connection(("127.0.0.1", gateway.place.listen), timeout=15)
        self._socket.sendall(head.encode() + b"x" * sent)
        self.port = self._socket.getsockname()[1]

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._socket.close()

    def fileno(self) -> int:
        return self._socket.fileno()

    def send_rest(self) -> None:
        with contextlib.suppress(ConnectionError):
            self._socket.sendall(self._rest)

    def is_answered(self) -> bool:
        return bool(select.select([self], [], [], 0)[0])

    def succeeds(self) -> bool:
        """Wait for the answer: 200, or the end of the connection without a byte."""
        answer = b""
        with contextlib.suppress(ConnectionError):
            while piece := self._socket.recv(65536):
                answer += piece
        assert not answer or answer.startswith(b"HTTP/1.1 200 "), answer
        return bool(answer)


def lives(process: psutil.Process) -> bool:
    try:
        return process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def is_replaced(gateway: Gateway, number: int, old: int) -> bool:
    slots = gateway.roster().slots
    return slots[number].pid not in {0, old} and all(slot.ready for slot in slots)


def was_in_flight(result: Result, deaths: Sequence[Death]) -> bool:
    return any(result.scheduled <= death.gone and result.done >= death.killed for death in deaths)


def was_unnoticed(result: Result, deaths: Sequence[Death]) -> bool:
    return any(death.gone < result.sent <= death.gone + NOTICE for death in deaths)
