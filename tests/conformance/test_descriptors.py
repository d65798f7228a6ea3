"""A worker that runs out of descriptors lets new clients wait, serves those that it has, and recovers by itself."""

import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import psutil
import pytest

from support.bench import UNUSED, Bench
from support.raw_http import Conversation, request, response, wait_until
from support.worker_rig import Rig, rig

LIMIT = 160
ROOM = 48
"""Half of what is left of the limit, less what the worker keeps for itself: see ``accepting.py``."""
SMALL = ("sh", "-c", f'ulimit -n {LIMIT} && exec "$0" "$@"', sys.executable, "-m", "strangler.dataplane")


@pytest.fixture(name="small")
def small_worker(tmp_path: Path) -> Iterator[Bench]:
    """A worker that may have few descriptors."""
    with rig(tmp_path, UNUSED, program=SMALL) as running:
        yield Bench(running)


@pytest.fixture(name="mortal")
def usual_worker(tmp_path: Path) -> Iterator[Bench]:
    """A worker of the test's own, whose limit it may change."""
    with rig(tmp_path, UNUSED) as running:
        yield Bench(running)


def test_clients_beyond_the_descriptors_wait_in_the_socket_and_are_served_when_others_leave(small: Bench) -> None:
    with small.upstream(), ExitStack() as stack:
        clients = [stack.enter_context(small.client()) for _ in range(2 * ROOM)]
        for number, client in enumerate(clients):
            client.send(request("GET", f"/{number}"))
        for client in clients[:ROOM]:
            assert client.answer().status == 200
        wait_until(lambda: connections(small.rig) == ROOM, "it takes no more")
        spent = processor_seconds(small.rig)
        time.sleep(1)
        assert processor_seconds(small.rig) - spent < 0.5, "it spins"
        assert connections(small.rig) == ROOM
        for number, client in enumerate(clients[:ROOM]):
            assert client.ask(request("GET", f"/again/{number}")).status == 200, "those that it has are served"
        for client in clients[:ROOM]:
            client.close()
        assert [client.answer().status for client in clients[ROOM:]] == [200] * ROOM
        assert "others wait until some have closed" in small.rig.log.read_text()


def test_without_a_descriptor_for_the_application_it_is_our_own_503_and_idle_connections_go_on(mortal: Bench) -> None:
    def serve(conversation: Conversation) -> None:
        while True:
            asked = conversation.request()
            if asked.target == b"/held":
                conversation.wait_for_end()
                return
            conversation.send(response(body=asked.target))

    with mortal.upstream(serve), mortal.client() as first, mortal.client() as second:
        assert first.ask(request("GET", "/")).status == 200
        assert second.ask(request("GET", "/")).status == 200
        process = psutil.Process(pid(mortal.rig))
        usual = process.rlimit(psutil.RLIMIT_NOFILE)
        process.rlimit(psutil.RLIMIT_NOFILE, (3, usual[1]))  # No other than 0, 1 and 2, which it has.
        assert first.ask(request("GET", "/")).status == 200, "over the connection that there is"
        first.send(request("GET", "/held"))
        wait_until(lambda: mortal.rig.status is not None and mortal.rig.status.in_flight == 1, "the idle one is in use")
        answer = second.ask(request("GET", "/", "X-Request-ID: none-left"))
        assert (answer.status, answer.value("retry-after")) == (503, b"1")
        assert b"no descriptor left" in answer.body
        assert mortal.entry("none-left")["failure"] == "descriptors.gateway"
        with mortal.client() as waiting:
            waiting.send(request("GET", "/waited"))
            spent = processor_seconds(mortal.rig)
            time.sleep(1)
            assert processor_seconds(mortal.rig) - spent < 0.5, "it spins"
            process.rlimit(psutil.RLIMIT_NOFILE, usual)
            assert second.ask(request("GET", "/")).status == 200
            assert waiting.answer().body == b"/waited", "it waited in the socket"


def connections(running: Rig) -> int:
    return running.status.connections if running.status is not None else 0


def processor_seconds(running: Rig) -> float:
    times = psutil.Process(pid(running)).cpu_times()
    return times.user + times.system


def pid(running: Rig) -> int:
    assert running.process is not None
    return running.process.pid
