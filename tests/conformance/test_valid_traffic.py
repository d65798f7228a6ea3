"""Valid traffic is never refused, everybody reads alike what is passed on, and the connections go on behind it."""

import pytest

from support.bench import Bench
from support.corpora.valid import VALID
from support.differential import as_applications_read
from support.nginx import Nginx
from support.raw_http import Client, Message, request
from support.readers import by_llhttp

MARKER = request("GET", "/marker")


def asked_for(sent: bytes) -> tuple[str, str]:
    """Method and target of a request."""
    method, target = sent.lstrip(b"\r\n").split(b" ", 2)[:2]
    return method.decode(), target.decode()


def take(client: Client, method: str) -> Message:
    """Read an answer behind whatever interim ones there are."""
    return client.answer(method, interim=[])


@pytest.mark.parametrize("name", VALID)
@pytest.mark.parametrize("cut", [0, 7], ids=["whole", "cut"])
def test_valid_traffic_is_never_refused_and_what_is_behind_it_gets_its_own_answers(
    bench: Bench, nginx: Nginx, name: str, cut: int
) -> None:
    sent = VALID[name]
    method, target = asked_for(sent)
    with bench.upstream() as upstream, bench.client() as client:
        client.send(sent[:cut] if cut else b"")
        client.send(sent[cut:])
        answer = take(client, method)
        assert answer.status == 200, answer.raw
        assert method == "HEAD" or answer.body in target.encode() or answer.body in {b"/", b"*"}
        if answer.value("connection") != b"close":
            assert client.ask(MARKER).body == b"/marker"  # On the same connection of the client ...
        assert bench.ask(request("GET", "/reused")).body == b"/reused"  # ... and on the one to the application.
        carried = as_applications_read(upstream, nginx)
        assert len(carried) == 1 or b"Expect" in sent, "a connection that can be used again is"
        [first, *behind] = [asked for reading in carried for asked in reading]
    assert (first.method.decode(), first.body) == (method, by_llhttp(sent)[0].body)
    assert {asked.target for asked in behind} <= {b"/marker", b"/reused"}


def test_all_of_it_in_one_pipeline_is_answered_in_order(bench: Bench, nginx: Nginx) -> None:
    fitting = {name: sent for name, sent in VALID.items() if b"HTTP/1.0" not in sent and b"close" not in sent}
    with bench.upstream() as upstream, bench.client() as client:
        for start in range(0, len(fitting), 20):
            part = list(fitting.values())[start : start + 20]
            client.send(b"".join(part) + MARKER)
            for sent in part:
                assert take(client, asked_for(sent)[0]).status == 200
            assert client.answer().body == b"/marker"
        assert len(as_applications_read(upstream, nginx)) >= 1
