"""HTTP/1.1 on both sides: keep-alive, framing of answers, HEAD, interim and bodiless responses, HTTP/1.0."""

import threading

import pytest

from support.bench import Bench
from support.raw_http import (
    Conversation,
    EndedError,
    Message,
    answer_all,
    chunked,
    each,
    once,
    request,
    response,
    wait_until,
)

OLD = "HTTP/1.0 200 OK\r\n"


def test_both_sides_keep_their_connections_open(bench: Bench) -> None:
    with bench.upstream() as upstream, bench.client() as client:
        for number in range(5):
            answer = client.ask(request("GET", f"/{number}"))
            assert answer.body == f"/{number}".encode()
            assert answer.value("connection") is None
        assert len(upstream.conversations) == 1
        assert all(received.value("connection") is None for received in upstream.requests)


def test_a_client_that_asks_for_it_gets_its_connection_closed_and_the_upstream_keeps_its_own(bench: Bench) -> None:
    with bench.upstream() as upstream:
        for _ in range(2):
            with bench.client() as client:
                client.send(request("GET", "/bye", "Connection: close"))
                answer = client.answer()
                assert (answer.body, answer.value("connection")) == (b"/bye", b"close")
                assert client.is_closed()
        assert len(upstream.conversations) == 1


def test_an_upstream_that_says_close_is_not_asked_again_and_the_client_keeps_its_connection(bench: Bench) -> None:
    with bench.upstream(each(response("Connection: close"))) as upstream, bench.client() as client:
        for _ in range(3):
            answer = client.ask(request("GET", "/"))
            assert (answer.body, answer.value("connection")) == (b"ok", None)
        assert len(upstream.conversations) == 3


@pytest.mark.parametrize(
    ("answered", "framing", "body"),
    [
        (response(body=b"hello"), "length", b"hello"),
        (response(body=b""), "length", b""),
        (response("Transfer-Encoding: chunked", body=None) + chunked(b"hel", b"lo"), "any", b"hello"),
        (response("transfer-encoding: CHUNKED", body=None) + chunked(b"hel", b"lo"), "any", b"hello"),
        (response("Transfer-Encoding: chunked", body=None) + chunked(), "any", b""),
        (response("Transfer-Encoding: chunked", body=None) + b"5;a=b\r\nhello\r\n0\r\nX-T: 1\r\n\r\n", "any", b"hello"),
        (f"{OLD}Content-Length: 5\r\n\r\nhello".encode(), "length", b"hello"),
        (f"{OLD}Content-Length: 5\r\nConnection: keep-alive\r\n\r\nhello".encode(), "length", b"hello"),
        (b"HTTP/1.1 200\r\nContent-Length: 5\r\n\r\nhello", "length", b"hello"),
    ],
)
def test_every_framing_of_an_answer_arrives_whole_and_the_connection_goes_on(
    bench: Bench, answered: bytes, framing: str, body: bytes
) -> None:
    with bench.upstream(each(answered)), bench.client() as client:
        for _ in range(2):
            answer = client.ask(request("GET", "/"))
            assert (answer.status, answer.body) == (200, body)
            assert framing in {"any", answer.framing}


def test_an_answer_in_chunks_is_passed_on_as_it_comes(bench: Bench) -> None:
    go_on = threading.Event()

    def serve(conversation: Conversation) -> None:
        conversation.request()
        conversation.send(response("Transfer-Encoding: chunked", body=None) + b"5\r\nfirst\r\n")
        assert go_on.wait(10)
        conversation.send(b"4\r\nlast\r\n0\r\n\r\n")
        conversation.wait_for_end()

    with bench.upstream(serve), bench.client() as client:
        client.send(request("GET", "/"))
        client.wait_for(b"first")
        go_on.set()
        answer = client.answer()
        assert (answer.framing, answer.body) == ("chunked", b"firstlast")


def test_an_answer_without_length_ends_with_its_connection_and_the_client_gets_chunks(bench: Bench) -> None:
    with bench.upstream(once(b"HTTP/1.1 200 OK\r\nX: y\r\n\r\nuntil the end", then="close")), bench.client() as client:
        answer = client.ask(request("GET", "/"))
        assert (answer.framing, answer.body) == ("chunked", b"until the end")
        assert answer.value("connection") is None


def test_an_old_answer_without_length_ends_with_its_connection(bench: Bench) -> None:
    with bench.upstream(once(f"{OLD}X: y\r\n\r\nold".encode(), then="close")), bench.client() as client:
        assert client.ask(request("GET", "/")).body == b"old"


@pytest.mark.parametrize(
    ("answered", "length"),
    [
        (response("Content-Length: 1234", body=None), b"1234"),
        (response("Transfer-Encoding: chunked", body=None), None),
        (response(body=None), None),
        (response(status=404, body=b""), b"0"),
    ],
)
def test_an_answer_to_head_has_its_fields_and_no_body(bench: Bench, answered: bytes, length: bytes | None) -> None:
    with bench.upstream(each(answered)) as upstream, bench.client() as client:
        for _ in range(3):
            answer = client.ask(request("HEAD", "/"))
            assert (answer.value("content-length"), answer.body) == (length, b"")
        assert len(upstream.conversations) == 1


@pytest.mark.parametrize(
    ("answered", "length"),
    [
        (response(status=204, body=None), None),
        (response("Content-Length: 0", status=204, body=None), None),
        (response(status=304, body=None), None),
        (response("Content-Length: 99", 'ETag: "x"', status=304, body=None), b"99"),
        (response("Transfer-Encoding: chunked", status=304, body=None), None),
    ],
)
def test_answers_that_cannot_have_a_body_have_none(bench: Bench, answered: bytes, length: bytes | None) -> None:
    with bench.upstream(each(answered)) as upstream, bench.client() as client:
        for _ in range(3):
            answer = client.ask(request("GET", "/"))
            assert (answer.value("content-length"), answer.value("transfer-encoding")) == (length, None)
        assert len(upstream.conversations) == 1


def test_an_interim_answer_is_passed_on_before_the_final_one(bench: Bench) -> None:
    hints = b"HTTP/1.1 103 Early Hints\r\nLink: </a>; rel=preload\r\nLink: </b>\r\n\r\n"
    with bench.upstream(each(hints + hints + response())), bench.client() as client:
        for _ in range(2):
            interim: list[Message] = []
            client.send(request("GET", "/"))
            assert client.answer(interim=interim).body == b"ok"
            assert [message.status for message in interim] == [103, 103]
            assert interim[0].values("link") == [b"</a>; rel=preload", b"</b>"]


def test_a_client_of_http_1_0_gets_no_interim_answer(bench: Bench) -> None:
    hints = b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n"
    with bench.upstream(each(hints + response())), bench.client() as client:
        assert client.ask(request("GET", "/", version="1.0")).body == b"ok"


def test_an_interim_100_that_nobody_asked_for_is_not_passed_on(bench: Bench) -> None:
    with bench.upstream(each(b"HTTP/1.1 100 Continue\r\n\r\n" + response())), bench.client() as client:
        assert client.ask(request("POST", "/", body=b"x")).body == b"ok"


def test_expect_is_passed_on_and_the_upstreams_100_comes_back_once(bench: Bench) -> None:
    def serve(conversation: Conversation) -> None:
        while True:
            head = conversation.head()
            assert head.value("expect") == b"100-continue"
            conversation.send(b"HTTP/1.1 100 Continue\r\n\r\n" * 2)
            assert conversation.exactly(5) == b"hello"
            conversation.send(response())

    with bench.upstream(serve) as upstream, bench.client() as client:
        for _ in range(2):
            client.send(request("POST", "/", "Expect: 100-continue", "Content-Length: 5"))
            assert client.message(bodiless=True).status == 100
            client.send(b"hello")
            assert client.answer().body == b"ok"
        assert len(upstream.conversations) == 1


def test_a_client_that_does_not_wait_for_100_is_answered_all_the_same(bench: Bench) -> None:
    with bench.upstream() as upstream, bench.client() as client:
        answer = client.ask(request("POST", "/", "Expect: 100-continue", body=b"hello"))
        assert answer.status == 200
        assert upstream.requests[0].body == b"hello"


def test_an_expectation_that_is_answered_by_a_final_status_ends_both_connections(bench: Bench) -> None:
    def serve(conversation: Conversation) -> None:
        conversation.head()
        conversation.send(response(status=413))
        conversation.wait_for_end()

    with bench.upstream(serve) as upstream, bench.client() as client:
        client.send(request("POST", "/", "Expect: 100-continue", "Content-Length: 5"))
        answer = client.answer()
        assert (answer.status, answer.value("connection")) == (413, b"close")
        client.send(b"hello" + request("GET", "/smuggled"))
        client.shut()
        assert client.rest()[0] == b""
        wait_until(lambda: upstream.conversations[0].ended != "", "the upstream's connection is ended")
        assert b"smuggled" not in upstream.received()


def test_an_early_answer_to_an_upload_is_passed_on_and_then_the_connection_ends(bench: Bench) -> None:
    def serve(conversation: Conversation) -> None:
        conversation.head()
        conversation.send(response(status=413, body=b"too big"))
        conversation.wait_for_end()

    with bench.upstream(serve) as upstream, bench.client() as client:
        client.send(request("POST", "/", "Content-Length: 1000000000") + b"x" * 100_000)
        answer = client.answer()
        assert (answer.status, answer.body, answer.value("connection")) == (413, b"too big", b"close")
        client.send(b"x" * 100_000)  # It is read into nothing, and does no harm to the answer.
        client.shut()
        assert client.rest() == (b"", "closed")
        wait_until(lambda: upstream.conversations[0].ended != "", "the upstream's connection is ended")
        assert client.received.count(b"HTTP/1.1") == 1
        assert len(upstream.conversations) == 1


def test_an_early_answer_that_streams_is_relayed_whole_while_the_upload_goes_on(bench: Bench) -> None:
    def serve(conversation: Conversation) -> None:
        conversation.head()
        conversation.send(response("Transfer-Encoding: chunked", body=None) + b"5\r\nfirst\r\n")
        conversation.exactly(200_000)
        conversation.send(b"4\r\nlast\r\n0\r\n\r\n")
        conversation.wait_for_end()

    with bench.upstream(serve), bench.client() as client:
        client.send(request("POST", "/", "Content-Length: 200000") + b"x" * 100_000)
        client.wait_for(b"first")
        client.send(b"x" * 100_000)
        answer = client.answer()
        assert (answer.body, answer.value("connection")) == (b"firstlast", b"close")


@pytest.mark.parametrize("answered", ["length", "chunked", "close"])
def test_a_client_of_http_1_0_gets_no_chunks(bench: Bench, answered: str) -> None:
    data = {
        "length": response(body=b"hello"),
        "chunked": response("Transfer-Encoding: chunked", body=None) + chunked(b"hel", b"lo"),
        "close": b"HTTP/1.1 200 OK\r\n\r\nhello",
    }[answered]
    with bench.upstream(once(data, then="close")), bench.client() as client:
        client.send(request("GET", "/", version="1.0"))
        answer = client.answer()
        assert (answer.body, answer.value("transfer-encoding")) == (b"hello", None)
        assert answer.value("connection") == b"close"
        assert client.is_closed()


def test_a_streamed_answer_to_a_client_of_http_1_0_ends_with_the_connection(bench: Bench) -> None:
    pause = threading.Event()

    def serve(conversation: Conversation) -> None:
        conversation.request()
        conversation.send(response("Transfer-Encoding: chunked", body=None) + b"5\r\nfirst\r\n")
        pause.wait(0.1)
        conversation.send(b"4\r\nlast\r\n0\r\n\r\n")
        conversation.wait_for_end()

    with bench.upstream(serve), bench.client() as client:
        client.send(request("GET", "/", "Connection: keep-alive", version="1.0"))
        answer = client.answer()
        assert (answer.framing, answer.body, answer.value("connection")) == ("close", b"firstlast", b"close")


def test_a_client_of_http_1_0_may_keep_its_connection(bench: Bench) -> None:
    with bench.upstream(answer_all), bench.client() as client:
        for number in range(3):
            answer = client.ask(request("GET", f"/{number}", "Connection: Keep-Alive", version="1.0"))
            assert (answer.body, answer.value("connection")) == (f"/{number}".encode(), b"keep-alive")
        assert client.ask(request("GET", "/last", version="1.0")).value("connection") == b"close"
        assert client.is_closed()


@pytest.mark.parametrize("method", ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "PROPFIND"])
def test_every_method_reaches_the_application(bench: Bench, method: str) -> None:
    with bench.upstream() as upstream:
        assert bench.ask(request(method, "/x")).status == 200
        assert upstream.requests[0].method == method.encode()


@pytest.mark.parametrize(
    ("method", "body", "length"),
    [("POST", None, b"0"), ("PUT", b"", b"0"), ("PATCH", None, b"0"), ("GET", None, None), ("DELETE", b"ab", b"2")],
)
def test_an_empty_body_is_announced_where_one_is_expected(
    bench: Bench, method: str, body: bytes | None, length: bytes | None
) -> None:
    with bench.upstream() as upstream:
        bench.ask(request(method, "/x", body=body))
        assert upstream.requests[0].value("content-length") == length


@pytest.mark.parametrize("how", ["reset", "close"])
@pytest.mark.parametrize("framing", ["length", "chunked"])
@pytest.mark.parametrize("version", ["1.1", "1.0"])
def test_an_answer_that_breaks_off_never_ends_well(bench: Bench, how: str, framing: str, version: str) -> None:
    data = {
        "length": response("Content-Length: 1000", body=None) + b"x" * 500,
        "chunked": response("Transfer-Encoding: chunked", body=None) + b"1f4\r\n" + b"x" * 500 + b"\r\n",
    }[framing]
    with bench.upstream(once(data, then=how)), bench.client() as client:
        client.send(request("GET", "/", version=version))
        with pytest.raises(EndedError) as ended:
            client.answer()
        assert ended.value.how == "reset"


def test_an_answer_until_close_that_is_reset_never_ends_well(bench: Bench) -> None:
    with bench.upstream(once(b"HTTP/1.1 200 OK\r\n\r\n" + b"x" * 500, then="reset")), bench.client() as client:
        client.send(request("GET", "/"))
        with pytest.raises(EndedError) as ended:
            client.answer()
        assert ended.value.how == "reset"
