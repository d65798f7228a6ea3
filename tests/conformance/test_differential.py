"""Generated traffic: valid requests and answers pass and are read alike by all; spoiled ones put nobody out of step."""

from collections.abc import Callable

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from strangler.model.route import Timeouts
from support.bench import Bench
from support.corpora import generated
from support.corpora.generated import Answer
from support.desync import probe
from support.differential import as_applications_read, as_clients_read, no_client_finds_an_end
from support.nginx import Nginx
from support.raw_http import Conversation, EndedError, chunked, each, request, response

OWN = {b"x-forwarded-for", b"x-forwarded-host", b"x-forwarded-proto", b"forwarded", b"x-request-id", b"traceparent"}
FRAMING = {b"host", b"content-length", b"transfer-encoding", b"connection"}


def examples(short: int) -> pytest.MarkDecorator:
    """How many are tried: a few here, and fifty times as many in the long version."""
    long = [pytest.mark.soak, pytest.mark.timeout(1800)]
    return pytest.mark.parametrize(
        "tried", [pytest.param(short, id="few"), pytest.param(50 * short, id="many", marks=long)]
    )


def holds(tried: int, claim: Callable[..., None], **what: st.SearchStrategy) -> None:
    """Try the claim on so many examples."""
    quick = settings(max_examples=tried, deadline=None, suppress_health_check=[HealthCheck.too_slow])
    quick(given(**what)(claim))()


@examples(200)
def test_a_valid_request_is_never_refused_and_read_alike_behind_the_gateway(
    bench: Bench, nginx: Nginx, tried: int
) -> None:
    def passes(method: str, target: str, lines: list[str], body: tuple | None, cut: int) -> None:
        kind, content = body or ("none", b"")
        sent = request(
            method,
            target,
            *lines,
            body=content if kind == "length" else None,
            chunks=tuple(content) if kind == "chunks" else None,
        )
        with bench.upstream() as upstream, bench.client() as client:
            client.send(sent[:cut])
            client.send(sent[cut:] + request("GET", "/marker"))
            assert client.answer(method).status == 200
            assert client.answer().body == b"/marker"
            assert bench.ask(request("GET", "/reused")).body == b"/reused"
            first, second, third = (asked for reading in as_applications_read(upstream, nginx) for asked in reading)
        assert (first.method, first.target) == (method.encode(), target.encode())
        assert first.body == (b"".join(content) if kind == "chunks" else content)
        assert (second.target, third.target) == (b"/marker", b"/reused")
        passed = [pair for pair in first.fields if pair[0] not in OWN | FRAMING]
        assert passed == [generated.pair(line) for line in lines]

    holds(
        tried, passes, method=st.sampled_from(generated.METHODS), target=generated.targets, lines=generated.fields,
        body=generated.bodies, cut=st.integers(1, 400),
    )  # fmt: skip


@pytest.mark.parametrize("spoiled", [generated.spoiled_heads, generated.mutated_framers, generated.spoiled_chunks])
@examples(400)
def test_whatever_is_sent_nobody_is_out_of_step(
    bench: Bench, nginx: Nginx, spoiled: Callable[[], st.SearchStrategy], tried: int
) -> None:
    def keeps_step(sent: bytes) -> None:
        probe(bench, sent, nginx)

    holds(tried, keeps_step, sent=spoiled())


@pytest.mark.parametrize("framing", ["length", "chunked"])
@examples(60)
def test_a_valid_answer_is_never_refused_and_read_alike_by_clients(bench: Bench, framing: str, tried: int) -> None:
    def passes(lines: list[str], content: list[bytes], status: int) -> None:
        body = b"".join(content)
        bodiless = status in {204, 304}
        if framing == "chunked" and not bodiless:
            data = response("Transfer-Encoding: chunked", *lines, status=status, body=None) + chunked(*content)
        else:
            data = response(*lines, status=status, body=None if bodiless else body)
        with bench.upstream(each(data)), bench.client() as client:
            for _ in range(2):
                answer = client.ask(request("GET", "/"))
                assert (answer.status, answer.body) == (status, b"" if bodiless else body)
        first, second = as_clients_read(bytes(client.received), ["GET", "GET"])
        assert (first.status, first.body) == (second.status, second.body) == (answer.status, answer.body)
        passed = [pair for pair in first.fields if pair[0] not in FRAMING | {b"x-request-id"}]
        sent = [generated.pair(line) for line in lines]
        assert passed == [pair for pair in sent if pair[0] not in FRAMING | {b"x-request-id"}]

    holds(
        tried, passes, lines=generated.fields, content=st.lists(st.binary(min_size=1, max_size=100), max_size=5),
        status=st.integers(200, 599),
    )  # fmt: skip


@examples(100)
def test_whatever_an_application_answers_its_clients_agree_and_the_next_get_their_own_answers(
    bench: Bench, tried: int
) -> None:
    def keeps_step(answer: Answer, method: str) -> None:
        def serve(conversation: Conversation) -> None:
            while True:
                asked = conversation.request()
                if asked.target != b"/spoiled":
                    conversation.send(response(body=None if asked.method == b"HEAD" else asked.target))
                    continue
                conversation.send(answer.data)
                if answer.ends:
                    return

        with bench.upstream(serve, timeouts=Timeouts(response=0.3, idle=0.3)), bench.client() as client:
            client.send(request(method, "/spoiled"))
            try:
                client.answer(method, interim=[])
            except EndedError:
                assert no_client_finds_an_end(bytes(client.received), [method])
            else:
                assert client.ask(request("GET", "/marker")).body == b"/marker"
                as_clients_read(bytes(client.received), [method, "GET"])
            assert bench.ask(request("GET", "/other")).body == b"/other"

    holds(tried, keeps_step, answer=generated.spoiled_answers(), method=st.sampled_from(["GET", "HEAD"]))
