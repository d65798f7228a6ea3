"""The faulty network does each fault exactly, alters nothing, and passes everything else."""

import time

import pytest

from support.raw_http import (
    Client,
    Conversation,
    EndedError,
    RawUpstream,
    Script,
    raw_upstream,
    request,
    response,
    wait_until,
)
from support.toxics import Bandwidth, Blackhole, HalfClose, Latency, Limit, Network, Reset, Slicer, Toxic, network

BODY = bytes(range(256)) * 4000
ANSWER = response(body=BODY)


def answer_big(conversation: Conversation) -> None:
    while True:
        conversation.request()
        conversation.send(ANSWER)


def rest_through(
    script: Script, sent: bytes, *, up: tuple[Toxic, ...] = (), down: tuple[Toxic, ...] = ()
) -> tuple[bytes, str, bytes]:
    """What a client and an upstream get of one another, and how it ended for the client."""
    with raw_upstream(script) as upstream, network(upstream.port, up=up, down=down) as between:
        with Client(between.port) as client:
            client.send(sent)
            received, how = client.rest()
        wait_until(lambda: bool(upstream.conversations), "it is connected")
        return received, how, upstream.received()


@pytest.mark.parametrize("toxic", [None, Slicer(1000), Latency(0.001, 0.001), Bandwidth(10_000_000)])
def test_what_is_not_cut_arrives_unaltered_and_the_connection_goes_on(toxic: Toxic | None) -> None:
    toxics = () if toxic is None else (toxic,)
    with raw_upstream(answer_big) as upstream, network(upstream.port, up=toxics, down=toxics) as between:
        with Client(between.port) as client:
            for _ in range(2):
                assert client.ask(request("POST", "/", body=BODY)).body == BODY
        assert [asked.body for asked in upstream.requests] == [BODY, BODY]
        assert between.connections == 1


def test_slices_arrive_one_by_one() -> None:
    sizes = []

    def serve(conversation: Conversation) -> None:
        sizes.extend(len(conversation.socket.recv(100)) for _ in range(20))
        conversation.close()

    rest_through(serve, b"x" * 20, up=(Slicer(1), Latency(0.005)))
    assert sizes == [1] * 20


def test_bandwidth_and_latency_take_their_time() -> None:
    began = time.monotonic()
    rest_through(lambda talk: talk.exactly(50_000), b"x" * 50_000, up=(Bandwidth(100_000),))
    assert time.monotonic() - began > 0.3  # The first of four pieces passes at once.
    began = time.monotonic()
    rest_through(lambda talk: talk.exactly(5), b"hello", up=(Latency(0.2),))
    assert time.monotonic() - began > 0.2


@pytest.mark.parametrize(("toxic", "how"), [(Limit(1000), "closed"), (Reset(1000), "reset")])
def test_an_answer_is_cut_after_exactly_so_many_bytes(toxic: Toxic, how: str) -> None:
    received, ended, _ = rest_through(answer_big, request("GET", "/"), down=(toxic,))
    assert ended == how
    assert received in ({ANSWER[:1000]} if how == "closed" else {b"", ANSWER[:1000]})


def cut_for_the_upstream(toxic: Toxic) -> RawUpstream:
    script = Conversation.wait_for_end
    with (
        raw_upstream(script) as upstream,
        network(upstream.port, up=(toxic,)) as between,
        Client(between.port) as client,
    ):
        client.send(b"x" * 5000)
        wait_until(lambda: bool(upstream.conversations) and upstream.conversations[0].ended != "", "it is cut")
    return upstream


def test_a_request_is_cut_after_exactly_so_many_bytes() -> None:
    assert cut_for_the_upstream(Limit(1000)).received() == b"x" * 1000
    assert cut_for_the_upstream(HalfClose(0)).received() == b""


def test_a_half_closed_direction_ends_and_the_other_goes_on() -> None:
    def serve(conversation: Conversation) -> None:
        received, how = conversation.rest()
        assert (received, how) == (b"x" * 10, "closed")
        conversation.send(b"still here")

    received, how, _ = rest_through(serve, b"x" * 100, up=(HalfClose(10),))
    assert (received, how) == (b"still here", "closed")


def test_a_black_hole_swallows_and_says_nothing() -> None:
    with (
        raw_upstream() as upstream,
        network(upstream.port, down=(Blackhole(10),)) as between,
        Client(between.port) as client,
    ):
        client.socket.settimeout(0.3)
        client.send(request("GET", "/"))
        with pytest.raises(TimeoutError):
            client.message()
        assert bytes(client.received) == b"HTTP/1.1 2"


def test_an_end_that_goes_takes_the_other_with_it() -> None:
    with raw_upstream(lambda talk: talk.wait_for_end()) as upstream, network(upstream.port) as between:
        for number, how in enumerate(("close", "reset"), 1):
            client = Client(between.port)
            client.send(b"x")
            wait_until(lambda n=number: upstream.received() == b"x" * n, "it is connected")
            getattr(client, how)()
            wait_until(lambda: upstream.conversations[-1].ended != "", "the upstream hears of it")
        assert [talk.ended for talk in upstream.conversations] == ["closed", "reset"]


def test_nobody_behind_the_network_is_a_reset() -> None:
    with raw_upstream() as upstream:
        nobody = upstream.port
    # The reset may come before the client has seen that it was connected.
    with (
        network(nobody) as between,
        pytest.raises((ConnectionResetError, EndedError)) as ended,
        Client(between.port) as client,
    ):
        client.message()
    assert getattr(ended.value, "how", "reset") == "reset"


def test_toxics_can_change_between_two_connections() -> None:
    with raw_upstream() as upstream, network(upstream.port) as between:
        assert isinstance(between, Network)
        with Client(between.port) as client:
            assert client.ask(request("GET", "/one")).body == b"/one"
        between.down = (Limit(0),)
        with Client(between.port) as client, pytest.raises(EndedError):
            client.ask(request("GET", "/two"))
