"""Connections to applications: used again, replaced when stale, bounded in number; no request is repeated wrongly."""

import threading
import time

import pytest

from strangler.model.route import Timeouts
from support.bench import Bench
from support.raw_http import (
    Conversation,
    Message,
    answer_all,
    in_turn,
    request,
    response,
    wait_until,
)


def once_then_lose_the_next(conversation: Conversation) -> None:
    """Answer one request; read the next and close without an answer: what a keep-alive race looks like."""
    conversation.request()
    conversation.send(response(body=b"first"))
    conversation.request()


@pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS", "DELETE", "PUT"])
def test_a_repeatable_request_that_met_a_stale_connection_is_sent_again_on_a_fresh_one(
    bench: Bench, method: str
) -> None:
    with bench.upstream(in_turn(once_then_lose_the_next, answer_all)) as upstream, bench.client() as client:
        assert client.ask(request("GET", "/first")).body == b"first"
        assert client.ask(request(method, "/again")).status == 200
        assert upstream.targets() == [b"/first", b"/again", b"/again"]


@pytest.mark.parametrize("method", ["POST", "PATCH"])
def test_a_request_that_may_have_been_done_is_never_repeated(bench: Bench, method: str) -> None:
    with bench.upstream(in_turn(once_then_lose_the_next, answer_all)) as upstream, bench.client() as client:
        assert client.ask(request("GET", "/first")).body == b"first"
        assert client.ask(request(method, "/once", body=b"pay")).status == 502
        assert upstream.targets() == [b"/first", b"/once"]


@pytest.mark.parametrize("chunks", [(), (b"hello",)])
def test_a_body_that_was_passed_on_is_not_lost_in_a_second_attempt(bench: Bench, chunks: tuple[bytes, ...]) -> None:
    with bench.upstream(in_turn(once_then_lose_the_next, answer_all)) as upstream, bench.client() as client:
        assert client.ask(request("GET", "/first")).body == b"first"
        assert client.ask(request("PUT", "/once", chunks=chunks)).status == 502
        assert client.ask(request("GET", "/next")).body == b"/next"
        assert upstream.targets() == [b"/first", b"/once", b"/next"]


def test_a_second_stale_connection_is_not_met(bench: Bench) -> None:
    together = threading.Barrier(3)

    def serve(conversation: Conversation) -> None:
        conversation.request()
        if conversation.number < 3:
            together.wait(10)  # So that each has a connection of its own.
        conversation.send(response(body=b"first"))
        conversation.request()  # And closes without an answer.

    with bench.upstream(serve) as upstream:
        clients = [bench.client() for _ in range(3)]
        for client in clients:
            client.send(request("GET", "/fill"))
        assert [client.answer().body for client in clients] == [b"first"] * 3
        answer = clients[0].ask(request("GET", "/again"))
        assert answer.body == b"first"  # On a fourth connection, although two idle ones were there.
        assert len(upstream.conversations) == 4
        for client in clients:
            client.close()


def test_an_application_that_closes_idle_connections_costs_no_request(bench: Bench) -> None:
    def serve(conversation: Conversation) -> None:
        conversation.socket.settimeout(0.15)
        answer_all(conversation)

    with bench.upstream(serve) as upstream, bench.client() as client:
        for number in range(12):
            # A GET comes around the moment at which the application gives up, a POST long after.
            time.sleep((0.148, 0.25, 0.152, 0.25)[number % 4])
            method = ("GET", "POST")[number % 2]
            assert client.ask(request(method, f"/{number}")).status == 200
        posts = [target for target in upstream.targets() if int(target[1:]) % 2]
        assert len(posts) == 6


def test_a_request_that_cannot_be_repeated_takes_no_connection_that_was_idle_for_long(bench: Bench) -> None:
    with bench.upstream() as upstream, bench.client() as client:
        client.ask(request("GET", "/first"))
        client.ask(request("POST", "/soon"))
        assert len(upstream.conversations) == 1
        time.sleep(1.2)
        client.ask(request("POST", "/late"))
        assert len(upstream.conversations) == 2
        client.ask(request("GET", "/any"))
        assert len(upstream.conversations) == 2


def test_at_the_cap_such_a_request_gets_a_new_connection_in_the_old_ones_place(bench: Bench) -> None:
    with bench.upstream(max_connections=1) as upstream, bench.client() as client:
        client.ask(request("GET", "/first"))
        time.sleep(1.2)
        assert client.ask(request("POST", "/late")).status == 200
        wait_until(lambda: upstream.conversations[0].ended != "", "the old connection is closed")
        assert len(upstream.conversations) == 2


def test_connections_idle_for_too_long_are_closed(bench: Bench) -> None:
    with bench.upstream(idle_timeout=0.3) as upstream, bench.client() as client:
        client.ask(request("GET", "/"))
        wait_until(lambda: upstream.conversations[0].ended != "", "the idle connection is closed")
        assert client.ask(request("GET", "/next")).status == 200


class Gate:
    """Answers only when it is opened, and knows how many wait."""

    def __init__(self) -> None:
        self.open = threading.Event()

    def __call__(self, conversation: Conversation) -> None:
        while True:
            asked = conversation.request()
            assert self.open.wait(10)
            conversation.send(response(body=asked.target))


def test_no_more_connections_than_allowed_are_opened_and_the_others_wait_in_order(bench: Bench) -> None:
    gate = Gate()
    with bench.upstream(gate, max_connections=2) as upstream:
        clients = [bench.client() for _ in range(8)]
        for number, client in enumerate(clients):
            client.send(request("GET", f"/{number}"))
            if number < 2:
                wait_until(lambda n=number: len(upstream.requests) == n + 1, "it is asked")
        time.sleep(0.2)
        assert len(upstream.requests) == 2
        gate.open.set()
        assert [client.answer().body for client in clients] == [f"/{number}".encode() for number in range(8)]
        assert len(upstream.conversations) == 2
        for client in clients:
            client.close()


def test_one_more_than_may_wait_is_503_and_can_try_again(bench: Bench) -> None:
    gate = Gate()
    with bench.upstream(gate, max_connections=1, max_pending=2) as upstream:
        waiting = [bench.client() for _ in range(3)]
        for client in waiting:
            client.send(request("GET", "/waits"))
        wait_until(lambda: len(upstream.requests) == 1, "the first is asked")
        time.sleep(0.1)
        with bench.client() as client:
            answer = client.ask(request("GET", "/too-many"))
            assert (answer.status, answer.value("retry-after"), answer.value("connection")) == (503, b"1", None)
            gate.open.set()
            assert [other.answer().status for other in waiting] == [200] * 3
            assert client.ask(request("GET", "/now")).status == 200
        assert b"/too-many" not in upstream.targets()
        for client in waiting:
            client.close()


def test_who_leaves_the_queue_makes_room_in_it(bench: Bench) -> None:
    gate = Gate()
    with bench.upstream(gate, max_connections=1, max_pending=1) as upstream, bench.client() as first:
        first.send(request("GET", "/first"))
        wait_until(lambda: len(upstream.requests) == 1, "the first is asked")
        for _ in range(3):
            with bench.client() as leaver:
                leaver.send(request("GET", "/left"))
                time.sleep(0.1)
        time.sleep(0.1)
        with bench.client() as client:
            client.send(request("GET", "/stays"))
            time.sleep(0.1)
            gate.open.set()
            assert client.answer().body == b"/stays"
        assert upstream.targets() == [b"/first", b"/stays"]


def test_who_waits_when_the_upstream_is_reconfigured_is_still_served(bench: Bench) -> None:
    gate = Gate()
    with bench.upstream(gate, max_connections=1) as upstream, bench.client() as first, bench.client() as second:
        first.send(request("GET", "/first"))
        wait_until(lambda: len(upstream.requests) == 1, "the first is asked")
        second.send(request("GET", "/second"))
        time.sleep(0.1)
        bench.point(upstream.port, max_connections=7)
        gate.open.set()
        assert [first.answer().body, second.answer().body] == [b"/first", b"/second"]
        assert len(upstream.conversations) <= 2
        wait_until(lambda: all(talk.ended for talk in upstream.conversations), "the old pool keeps no connection")


def test_a_connection_handed_from_one_request_to_the_next_may_turn_out_stale(bench: Bench) -> None:
    def answer_one(conversation: Conversation) -> None:
        conversation.request()
        time.sleep(0.1)
        conversation.send(response())  # And closes, without having said so.

    with bench.upstream(answer_one, max_connections=1):
        clients = [bench.client() for _ in range(5)]
        for client in clients:
            client.send(request("GET", "/"))
        assert [client.answer().status for client in clients] == [200] * 5
        for client in clients:
            client.close()


def test_endpoints_take_turns(bench: Bench) -> None:
    with bench.upstream() as one, bench.upstream() as two, bench.client() as client:
        bench.point(one.port, two.port)
        for number in range(10):
            assert client.ask(request("GET", f"/{number}")).status == 200
        assert (len(one.requests), len(two.requests)) == (5, 5)


def test_a_client_that_leaves_stops_the_work_on_its_request(bench: Bench) -> None:
    with bench.upstream(lambda talk: (talk.request(), talk.wait_for_end())) as upstream:
        for how in ("close", "reset", "shut"):
            before = len(upstream.conversations)
            with bench.client() as client:
                client.send(request("GET", "/slow"))
                wait_until(lambda n=before: len(upstream.requests) == n + 1, "it is asked")
                getattr(client, how)()
                wait_until(lambda n=before: upstream.conversations[n].ended != "", "the upstream's connection is ended")
        bench.wait_until_quiet()
        [pool] = bench.rig.next_traffic().pools
        assert (pool.active, pool.pending, pool.idle) == (0, 0, 0)


def test_a_client_that_leaves_in_its_upload_or_download_leaks_nothing(bench: Bench) -> None:
    def serve(conversation: Conversation) -> None:
        conversation.head()
        conversation.send(response("Content-Length: 1000000000", body=None))
        while True:
            conversation.send(b"x" * 65_536)

    with bench.upstream(serve) as upstream:
        for _ in range(5):
            with bench.client() as client:
                client.send(request("POST", "/", "Content-Length: 1000000") + b"x" * 1000)
                client.wait_for(b"xxx")
                client.reset()
        bench.wait_until_quiet()
        wait_until(lambda: bench.rig.next_traffic().pools[0].active == 0, "no connection is in use")
        assert len(upstream.conversations) == 5


def test_an_upload_that_stops_is_408_and_the_application_hears_of_it(bench: Bench) -> None:
    def serve(conversation: Conversation) -> None:
        conversation.head()
        conversation.wait_for_end()

    with bench.upstream(serve, timeouts=Timeouts(response=5, idle=0.3)) as upstream, bench.client() as client:
        client.send(request("POST", "/", "Content-Length: 10") + b"hel")
        answer: Message = client.answer()
        assert (answer.status, answer.value("connection")) == (408, b"close")
        wait_until(lambda: upstream.conversations[0].ended != "", "the upstream's connection is ended")
