"""A worker that is told to stop finishes what it has begun, takes nothing more, and exits with 0."""

import signal
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from strangler.model.snapshot import Limits
from strangler.model.tls import DownstreamTls
from support.bench import Bench, bench
from support.certificates import Authority
from support.raw_http import Conversation, EndedError, request, response, wait_until


@pytest.fixture(name="mortal")
def mortal_bench(tmp_path: Path) -> Iterator[Bench]:
    """A worker of the test's own, which it may stop."""
    with bench(tmp_path) as running:
        yield running


def tell_to_stop(mortal: Bench) -> None:
    assert mortal.rig.process is not None
    mortal.rig.process.signal(signal.SIGTERM)
    wait_until(lambda: mortal.rig.status is not None and not mortal.rig.status.accepting, "the worker says it stops")


def exit_code(mortal: Bench) -> int:
    assert mortal.rig.process is not None
    return mortal.rig.process.wait(10)


def test_a_running_upload_is_completed_and_its_answer_says_close(mortal: Bench) -> None:
    with mortal.upstream() as upstream, mortal.client() as client, mortal.client() as idle:
        idle.ask(request("GET", "/idle"))
        client.send(request("POST", "/upload", "Content-Length: 1000000") + b"x" * 400_000)
        wait_until(lambda: b"/upload" in upstream.received(), "the upload has begun")
        tell_to_stop(mortal)
        assert idle.is_closed()
        client.send(b"x" * 600_000)
        answer = client.answer()
        assert (answer.body, answer.value("connection")) == (b"/upload", b"close")
        assert client.is_closed()
        assert exit_code(mortal) == 0
        assert len(upstream.requests[-1].body) == 1_000_000


def test_whoever_was_connected_before_is_answered_though_nobody_has_accepted_yet(mortal: Bench) -> None:
    assert mortal.rig.process is not None
    with mortal.upstream(), ExitStack() as stack:
        mortal.rig.process.signal(signal.SIGSTOP)
        clients = [stack.enter_context(mortal.client()) for _ in range(20)]
        for number, client in enumerate(clients):
            client.send(request("GET", f"/{number}"))
        mortal.rig.process.signal(signal.SIGTERM)
        mortal.rig.process.signal(signal.SIGCONT)
        assert [client.answer().body for client in clients] == [b"/%d" % number for number in range(20)]
        assert exit_code(mortal) == 0


def test_a_running_download_is_completed(mortal: Bench) -> None:
    go_on = threading.Event()

    def serve(conversation: Conversation) -> None:
        conversation.request()
        conversation.send(response("Transfer-Encoding: chunked", body=None) + b"5\r\nfirst\r\n")
        assert go_on.wait(10)
        conversation.send(b"4\r\nlast\r\n0\r\n\r\n")
        conversation.wait_for_end()

    with mortal.upstream(serve), mortal.client() as client:
        client.send(request("GET", "/"))
        client.wait_for(b"first")
        tell_to_stop(mortal)
        go_on.set()
        assert client.answer().body == b"firstlast"
        assert client.is_closed()
        assert exit_code(mortal) == 0


def test_a_request_whose_head_has_begun_is_answered_and_those_behind_it_are_not(mortal: Bench) -> None:
    with mortal.upstream() as upstream, mortal.client() as client:
        first, second = request("GET", "/first"), request("GET", "/second")
        client.send(first[:20])
        wait_until(lambda: mortal.rig.status is not None and mortal.rig.status.connections == 1, "it is connected")
        tell_to_stop(mortal)
        client.send(first[20:] + second)
        answer = client.answer()
        assert (answer.body, answer.value("connection")) == (b"/first", b"close")
        client.shut()
        assert client.rest() == (b"", "closed")
        assert upstream.targets() == [b"/first"]
        assert exit_code(mortal) == 0


def test_what_lasts_longer_than_the_grace_is_cut_logged_and_never_ends_well(mortal: Bench) -> None:
    def serve(conversation: Conversation) -> None:
        conversation.request()
        conversation.send(response("Content-Length: 100", body=None) + b"half")
        conversation.wait_for_end()

    with mortal.upstream(serve, limits=Limits(drain_timeout=0.5)) as upstream, mortal.client() as client:
        client.send(request("GET", "/", "X-Request-ID: cut"))
        client.wait_for(b"half")
        began = time.monotonic()
        tell_to_stop(mortal)
        with pytest.raises(EndedError) as ended:
            client.answer()
        assert ended.value.how == "reset"
        assert exit_code(mortal) == 0
        assert time.monotonic() - began < 8
        entry = mortal.entry("cut")
        assert (entry["status"], entry["failure"]) == (200, "stopping.gateway")
        wait_until(lambda: upstream.conversations[0].ended != "", "the application hears of it")


def test_what_is_cut_over_tls_is_logged_too(mortal: Bench, tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    mortal.tls = DownstreamTls((authority.issue("shop.example"),))

    def serve(conversation: Conversation) -> None:
        conversation.request()
        conversation.send(response("Content-Length: 100", body=None) + b"half")
        conversation.wait_for_end()

    with mortal.upstream(serve, limits=Limits(drain_timeout=0.5)), mortal.client() as client:
        client.socket = authority.client().wrap_socket(client.socket, server_hostname="shop.example")
        client.send(request("GET", "/", "X-Request-ID: cut"))
        client.wait_for(b"half")
        tell_to_stop(mortal)
        assert exit_code(mortal) == 0
        assert mortal.entry("cut")["failure"] == "stopping.gateway"


def test_new_connections_are_left_in_the_socket_for_the_next_worker(mortal: Bench) -> None:
    gate = threading.Event()

    def serve(conversation: Conversation) -> None:
        conversation.request()
        assert gate.wait(10)
        conversation.send(response())

    with mortal.upstream(serve) as upstream, mortal.client() as client:
        client.send(request("GET", "/"))
        wait_until(lambda: len(upstream.requests) == 1, "it is asked")
        tell_to_stop(mortal)
        with mortal.client() as late:
            late.send(request("GET", "/late"))
            gate.set()
            assert client.answer().value("connection") == b"close"
            assert exit_code(mortal) == 0
            late.socket.settimeout(0.3)
            with pytest.raises(TimeoutError):  # Neither answered nor reset: it waits for another worker.
                late.answer()
