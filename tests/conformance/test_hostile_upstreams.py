"""An application that answers badly: 502 or a broken connection, and nothing of it leaks into another answer."""

import json
import socket
import time

import pytest

from strangler.model.route import Timeouts
from support.bench import Bench
from support.processes import free_port
from support.raw_http import (
    Conversation,
    EndedError,
    answer_all,
    each,
    in_turn,
    once,
    request,
    response,
    wait_until,
)

OK = "HTTP/1.1 200 OK\r\n"

BAD_HEADS = {
    "no HTTP": b"SSH-2.0-OpenSSH_9.2\r\n\r\n",
    "HTTP/0.9": b"hello\r\n\r\n",
    "HTTP/2.0": b"HTTP/2.0 200 OK\r\nContent-Length: 2\r\n\r\nok",
    "HTTP/1.2": b"HTTP/1.2 200 OK\r\nContent-Length: 2\r\n\r\nok",
    "no status": b"HTTP/1.1 OK\r\nContent-Length: 2\r\n\r\nok",
    "a status of two digits": b"HTTP/1.1 20 OK\r\nContent-Length: 2\r\n\r\nok",
    "a status of four digits": b"HTTP/1.1 2000 OK\r\nContent-Length: 2\r\n\r\nok",
    "status 99": b"HTTP/1.1 099 OK\r\nContent-Length: 2\r\n\r\nok",
    "status 600": b"HTTP/1.1 600 OK\r\nContent-Length: 2\r\n\r\nok",
    "a 101 for which nobody asked": b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n",
    "two lengths": f"{OK}Content-Length: 2\r\nContent-Length: 3\r\n\r\nok".encode(),
    "the same length twice": f"{OK}Content-Length: 2\r\nContent-Length: 2\r\n\r\nok".encode(),
    "a list of lengths": f"{OK}Content-Length: 2, 2\r\n\r\nok".encode(),
    "a negative length": f"{OK}Content-Length: -2\r\n\r\nok".encode(),
    "a length with a sign": f"{OK}Content-Length: +2\r\n\r\nok".encode(),
    "a length with leading zeros": f"{OK}Content-Length: 02\r\n\r\nok".encode(),
    "an empty length": f"{OK}Content-Length:\r\n\r\nok".encode(),
    "length and chunks": f"{OK}Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n".encode(),
    "chunks and length": f"{OK}Transfer-Encoding: chunked\r\nContent-Length: 2\r\n\r\n0\r\n\r\n".encode(),
    "gzip, chunked": f"{OK}Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n".encode(),
    "chunked, gzip": f"{OK}Transfer-Encoding: chunked, gzip\r\n\r\n0\r\n\r\n".encode(),
    "chunked twice": f"{OK}Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n".encode(),
    "xchunked": f"{OK}Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n".encode(),
    "chunks in HTTP/1.0": b"HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "a folded field": f"{OK}X-A: b\r\n c\r\nContent-Length: 2\r\n\r\nok".encode(),
    "a space before the colon": f"{OK}Content-Length : 2\r\n\r\nok".encode(),
    "a bare line feed": f"{OK}X-A: b\nContent-Length: 2\r\n\r\nok".encode(),
    "a bare carriage return": f"{OK}X-A: b\rSet-Cookie: c=d\r\nContent-Length: 2\r\n\r\nok".encode(),
    "a NUL": f"{OK}X-A: b\0c\r\nContent-Length: 2\r\n\r\nok".encode(),
    "no colon": f"{OK}X-A\r\nContent-Length: 2\r\n\r\nok".encode(),
    "an empty name": f"{OK}: x\r\nContent-Length: 2\r\n\r\nok".encode(),
    "too many fields": (OK + "X: y\r\n" * 300 + "Content-Length: 2\r\n\r\nok").encode(),
    "a head that is too long": (OK + f"X: {'y' * 70_000}\r\nContent-Length: 2\r\n\r\nok").encode(),
    "a head without end": (OK + f"X: {'y' * 70_000}").encode(),
    "a chunk size that is none": f"{OK}Transfer-Encoding: chunked\r\n\r\nxyz\r\n".encode(),
}

BAD_CHUNKS = {
    "a size that is none": b"xyz\r\n",
    "a chunk that is too long": b"2\r\nokok\r\n0\r\n\r\n",
    "a bare line feed": b"2\nok\r\n0\r\n\r\n",
    "a size with a sign": b"+2\r\nok\r\n0\r\n\r\n",
    "endless extensions": b"".join(b"1;%b\r\nx\r\n" % (b"a" * 4000) for _ in range(10)),
    "an endless size line": b"1;" + b"a" * 10_000,
    "endless trailers": b"0\r\n" + b"".join(b"X: %b\r\n" % (b"a" * 1000) for _ in range(40)),
}


@pytest.mark.parametrize("case", BAD_HEADS)
def test_a_doubtful_answer_is_502_and_its_connection_is_not_used_again(bench: Bench, case: str) -> None:
    with bench.upstream(in_turn(once(BAD_HEADS[case]), answer_all)) as upstream, bench.client() as client:
        answer = client.ask(request("GET", "/bad"))
        assert (answer.status, answer.value("content-type")) == (502, b"application/problem+json")
        assert json.loads(answer.body)["culprit"] == "upstream"
        assert client.ask(request("GET", "/next")).body == b"/next"
        wait_until(lambda: upstream.conversations[0].ended != "", "the doubtful connection is ended")
        assert upstream.targets() == [b"/bad", b"/next"]


@pytest.mark.parametrize("case", BAD_CHUNKS)
def test_a_body_in_doubtful_chunks_never_ends_well(bench: Bench, case: str) -> None:
    def serve(conversation: Conversation) -> None:
        conversation.request()
        conversation.send(response("Transfer-Encoding: chunked", body=None) + b"2\r\nok\r\n")
        time.sleep(0.05)  # For the answer to have begun when the doubt arises.
        conversation.send(BAD_CHUNKS[case])
        conversation.wait_for_end()

    with bench.upstream(in_turn(serve, answer_all)), bench.client() as client:
        client.send(request("GET", "/"))
        with pytest.raises(EndedError) as ended:
            client.answer()
        assert ended.value.how == "reset"
        assert bench.ask(request("GET", "/next")).body == b"/next"


@pytest.mark.parametrize(
    "behind",
    [b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nstray", b"stray", b"\r\n", b"HTTP/1.1 100 Continue\r\n\r\n"],
)
@pytest.mark.parametrize("pause", [0, 0.05])
def test_bytes_behind_an_answer_end_the_connection_and_reach_nobody(bench: Bench, behind: bytes, pause: float) -> None:
    def serve(conversation: Conversation) -> None:
        conversation.request()
        conversation.send(response())
        if pause:
            time.sleep(pause)  # So that they arrive on a connection that is idle.
            conversation.send(behind)
        conversation.wait_for_end()

    def serve_at_once(conversation: Conversation) -> None:
        conversation.request()
        conversation.send(response() + behind)
        conversation.wait_for_end()

    scripts = in_turn(serve if pause else serve_at_once, answer_all)
    with bench.upstream(scripts) as upstream, bench.client() as client:
        assert client.ask(request("GET", "/first")).body == b"ok"
        wait_until(lambda: upstream.conversations[0].ended != "", "the connection is ended")
        assert client.ask(request("GET", "/next")).body == b"/next"
        assert b"stray" not in client.received


def test_an_answer_longer_than_its_length_is_cut_and_its_connection_ended(bench: Bench) -> None:
    longer = response("Content-Length: 2", body=None) + b"okHTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nforged"
    with bench.upstream(in_turn(once(longer), answer_all)), bench.client() as client:
        client.send(request("GET", "/one") + request("GET", "/two"))
        assert [client.answer().body, client.answer().body] == [b"ok", b"/two"]


def test_a_head_with_a_body_where_none_may_be_does_not_poison_the_next_answer(bench: Bench) -> None:
    forged = response("Content-Length: 6", status=304, body=None) + b"forged"
    with bench.upstream(in_turn(once(forged), once(forged), answer_all)), bench.client() as client:
        client.send(request("GET", "/one") + request("HEAD", "/two") + request("GET", "/three"))
        assert client.answer().status == 304
        assert client.answer("HEAD").status == 304
        assert client.answer().body == b"/three"


def test_interim_answers_without_end_are_bounded_by_the_response_timeout(bench: Bench) -> None:
    def serve(conversation: Conversation) -> None:
        conversation.request()
        while True:
            conversation.send(b"HTTP/1.1 103 Early Hints\r\nX: y\r\n\r\n")
            time.sleep(0.02)

    with bench.upstream(serve, timeouts=Timeouts(response=0.5, idle=5)), bench.client() as client:
        client.send(request("GET", "/"))
        interim: list = []
        assert client.answer(interim=interim).status == 504
        assert interim


def test_an_application_that_closes_without_an_answer_is_502_and_is_asked_once(bench: Bench) -> None:
    for how in ("close", "reset"):
        for method in ("GET", "POST"):
            with bench.upstream(once(b"", then=how)) as upstream, bench.client() as client:
                assert client.ask(request(method, "/")).status == 502
                assert len(upstream.requests) == 1
                assert client.ask(request(method, "/")).status == 502  # The client's connection goes on.


def test_an_application_that_accepts_and_closes_is_502_at_once(bench: Bench) -> None:
    def close(conversation: Conversation) -> None:
        conversation.close()

    def reset(conversation: Conversation) -> None:
        conversation.reset()

    for script in (close, reset):
        with bench.upstream(script), bench.client() as client:
            began = time.monotonic()
            for _ in range(50):
                assert client.ask(request("GET", "/")).status == 502
            assert time.monotonic() - began < 4  # The response timeout is 5 s.


def test_nobody_at_the_address_is_502_and_the_client_keeps_its_connection(bench: Bench) -> None:
    bench.point(free_port())
    with bench.client() as client:
        for method in ("GET", "POST", "HEAD"):
            assert client.ask(request(method, "/")).status == 502


def test_an_endpoint_that_refuses_is_passed_over_for_one_that_does_not(bench: Bench) -> None:
    with bench.upstream(answer_all) as upstream, bench.client() as client:
        bench.point(free_port(), upstream.port)
        for number in range(10):
            assert client.ask(request("POST", f"/{number}", body=b"x")).status == 200
        assert len(upstream.requests) == 10


def test_an_application_that_does_not_accept_is_504(bench: Bench) -> None:
    with socket.socket() as full:
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        waiting = []
        try:
            for _ in range(3):  # More than the backlog takes: the rest of the handshakes are dropped.
                sock = socket.socket()
                sock.setblocking(False)
                sock.connect_ex(full.getsockname())
                waiting.append(sock)
            bench.point(full.getsockname()[1], connect_timeout=0.3)
            answer = bench.ask(request("GET", "/"))
            assert answer.status == 504
            assert b"accept" in answer.body
        finally:
            for sock in waiting:
                sock.close()


def test_an_application_that_does_not_answer_is_504_and_hears_that_nobody_waits(bench: Bench) -> None:
    def serve(conversation: Conversation) -> None:
        conversation.request()
        conversation.wait_for_end()

    with bench.upstream(serve, timeouts=Timeouts(response=0.3, idle=5)) as upstream, bench.client() as client:
        for number in range(2):
            assert client.ask(request("POST", "/", body=b"x")).status == 504
            wait_until(lambda n=number: upstream.conversations[n].ended != "", "the upstream's connection is ended")
        assert len(upstream.requests) == 2


def test_an_application_that_stalls_in_its_answer_breaks_the_clients_connection(bench: Bench) -> None:
    for framing in ("Content-Length: 10", "Transfer-Encoding: chunked", "X: until-close"):
        data = response(framing, body=None) + (b"2\r\nok\r\n" if "chunked" in framing else b"ok")
        with bench.upstream(once(data), timeouts=Timeouts(response=5, idle=0.3)) as upstream, bench.client() as client:
            client.send(request("GET", "/"))
            with pytest.raises(EndedError) as ended:
                client.answer()
            assert ended.value.how == "reset"
            wait_until(lambda up=upstream: up.conversations[0].ended != "", "the upstream's connection is ended")


def test_an_application_that_does_not_take_the_body_is_504(bench: Bench) -> None:
    def serve(conversation: Conversation) -> None:
        conversation.head()
        time.sleep(2)

    with bench.upstream(serve, window=4096, timeouts=Timeouts(response=5, idle=0.5)), bench.client() as client:
        client.socket.settimeout(1.5)
        client.send(request("POST", "/", "Content-Length: 100000000"))
        try:
            while True:
                client.send(b"x" * 262_144)
        except OSError:
            pass
        client.socket.settimeout(10)
        assert client.message().status == 504


def test_every_request_is_answered_although_each_answer_differs_in_framing(bench: Bench) -> None:
    chunks = response("Transfer-Encoding: chunked", body=None) + b"2\r\nok\r\n0\r\n\r\n"
    with bench.upstream(each(chunks)), bench.client() as client:
        client.send(request("GET", "/") * 20)
        assert [client.answer().body for _ in range(20)] == [b"ok"] * 20
