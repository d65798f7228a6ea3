"""The network between client, gateway and application fails: nobody takes half a message for a whole one."""

import threading
import time

import pytest

from strangler.model.route import Timeouts
from strangler.model.snapshot import Limits
from support.bench import Bench
from support.raw_http import Client, Conversation, EndedError, chunked, request, response, wait_until
from support.toxics import Bandwidth, Blackhole, HalfClose, Latency, Limit, Reset, Slicer, Toxic, network

QUICK = Timeouts(response=0.4, idle=0.4)
CONTENT = bytes(range(251)) * 3
ANSWERS = {
    "length": response(body=CONTENT),
    "chunked": response("Transfer-Encoding: chunked", body=None) + chunked(CONTENT[:300], CONTENT[300:]),
    "until close": response("X: y", body=None) + CONTENT,
}
UPLOADS = {
    "length": request("PUT", "/upload", body=CONTENT),
    "chunked": request("PUT", "/upload", chunks=(CONTENT[:300], CONTENT[300:])),
}
FAULTS = [Reset, Limit, HalfClose, Blackhole]


def places(message: bytes, fault: type) -> list[int]:
    """Where a message is cut: before it, in its line, its head, at the head's end, in its body, before its end."""
    head = message.index(b"\r\n\r\n") + 4
    every = [0, 5, head - 2, head, head + 1, head + 300, len(message) - 1]
    return every[1::2] if fault is Blackhole else every  # Half a second each: as long as a timeout takes to be seen.


@pytest.mark.parametrize("framing", ANSWERS)
@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("version", ["1.1", "1.0"])
def test_an_answer_that_is_cut_on_its_way_from_the_application_never_ends_well(
    bench: Bench, framing: str, fault: type, version: str
) -> None:
    answer = ANSWERS[framing]

    def serve(conversation: Conversation) -> None:
        while True:
            conversation.request()
            conversation.send(answer)
            if framing == "until close":
                return

    for place in places(answer, fault):
        with bench.upstream(serve) as upstream, network(upstream.port, down=(fault(place),)) as between:
            bench.point(between.port, timeouts=QUICK)
            got = outcome(bench, request("GET", "/", version=version))
            if framing == "until close" and fault in {Limit, HalfClose} and place >= answer.index(b"\r\n\r\n") + 4:
                # Such an answer has no other end: as for every client, so for the gateway (RFC 9112 §8).
                assert got == (200, answer[:place].partition(b"\r\n\r\n")[2])
            else:
                assert got in {(502, b""), (504, b""), "reset"}, (place, got)
            between.down = ()
            assert outcome(bench, request("GET", "/again")) == (200, CONTENT)


def outcome(bench: Bench, sent: bytes) -> tuple[int, bytes] | str:
    """Status and content (of a success), or how the connection ended in the middle of the answer."""
    with bench.client() as client:
        client.send(sent)
        try:
            answer = client.answer()
        except EndedError as ended:
            return ended.how
        if answer.framing == "close":
            assert client.rest()[1] == "closed"
        return answer.status, answer.body if answer.status == 200 else b""


@pytest.mark.parametrize("framing", UPLOADS)
@pytest.mark.parametrize("fault", FAULTS)
def test_an_upload_that_is_cut_on_its_way_from_the_client_is_no_whole_request(
    bench: Bench, framing: str, fault: type
) -> None:
    upload = UPLOADS[framing]
    limits = Limits(header_timeout=0.4, idle_timeout=0.4)
    with bench.upstream(timeouts=QUICK, limits=limits) as upstream, network(bench.port) as between:
        for place in places(upload, fault):
            between.up = (fault(place),)
            with Client(between.port) as client:
                client.send(upload)
                if fault is Blackhole:  # It is the gateway that has to end it.
                    assert client.message().status == 408
                else:
                    assert client.rest()[0] == b""
        bench.wait_until_quiet()
        assert upstream.requests == []
        assert all(CONTENT not in bytes(talk.received) for talk in upstream.conversations)
        between.up = ()
        with Client(between.port) as client:
            assert client.ask(upload).status == 200


@pytest.mark.parametrize("framing", UPLOADS)
@pytest.mark.parametrize("fault", [Reset, Limit])
def test_an_upload_that_is_cut_on_its_way_to_the_application_is_502_and_not_sent_again(
    bench: Bench, framing: str, fault: type
) -> None:
    upload = UPLOADS[framing]
    with bench.upstream() as upstream, network(upstream.port) as between:
        for place in (0, 100, len(upload) - 100):
            between.up = (fault(place),)
            bench.point(between.port, timeouts=QUICK)
            assert outcome(bench, upload) == (502, b"")
        assert upstream.requests == []
        assert len(upstream.conversations) <= 3


@pytest.mark.parametrize("toxics", [(Slicer(1),), (Slicer(3), Latency(0.0005, 0.0005)), (Latency(0.02, 0.01),)])
def test_a_pipeline_through_a_bad_network_on_both_sides_is_answered_in_order(
    bench: Bench, toxics: tuple[Toxic, ...]
) -> None:
    sent = [
        request("GET", "/0"),
        request("POST", "/1", body=b"hello"),
        request("POST", "/2", chunks=(b"he", b"llo")),
        request("HEAD", "/3"),
        *(request("GET", f"/{number}") for number in range(4, 10)),
    ]
    with (
        bench.upstream() as upstream,
        network(upstream.port, up=toxics, down=toxics) as behind,
        network(bench.port, up=toxics, down=toxics) as before,
        Client(before.port) as client,
    ):
        bench.point(behind.port)
        client.send(b"".join(sent))
        for number, asked in enumerate(sent):
            answer = client.answer(asked.split(b" ")[0].decode())
            assert (answer.status, answer.body) == (200, b"" if number == 3 else f"/{number}".encode())
        assert [asked.body for asked in upstream.requests[:3]] == [b"", b"hello", b"hello"]
        assert len(upstream.conversations) == 1


@pytest.mark.parametrize(
    "toxics", [(Slicer(700),), (Bandwidth(6_000_000),), (Latency(0.001, 0.001),)], ids=["slices", "narrow", "late"]
)
@pytest.mark.parametrize("side", ["before", "behind"])
def test_large_bodies_pass_a_bad_network_whole_in_both_directions(
    bench: Bench, toxics: tuple[Toxic, ...], side: str
) -> None:
    body = bytes(range(251)) * 12_000  # Three megabytes.

    def serve(conversation: Conversation) -> None:
        while True:
            conversation.send(response(body=conversation.request().body))

    bad = {"up": toxics, "down": toxics}
    with (
        bench.upstream(serve) as upstream,
        network(upstream.port, **bad if side == "behind" else {}) as behind,
        network(bench.port, **bad if side == "before" else {}) as before,
        Client(before.port) as client,
    ):
        bench.point(behind.port)
        for sent in (request("PUT", "/", body=body), request("PUT", "/", chunks=(body[:1_000_000], body[1_000_000:]))):
            upload = threading.Thread(target=client.send, args=(sent,))
            upload.start()
            assert client.answer().body == body
            upload.join()


@pytest.mark.parametrize(
    "seconds", [4, pytest.param(900, marks=[pytest.mark.soak, pytest.mark.timeout(1000)])], ids=["short", "long"]
)
@pytest.mark.parametrize("framing", ["chunked", "until close"])
def test_an_event_stream_with_a_slow_heartbeat_lives_as_long_as_its_application(
    bench: Bench, seconds: float, framing: str
) -> None:
    idle = 1.0  # The sweep looks twice a second, so that a stream without a heartbeat ends after at most 1.6 s.
    beats = int(seconds / 0.7)
    fields = ["Transfer-Encoding: chunked"] if framing == "chunked" else []

    def serve(conversation: Conversation) -> None:
        if conversation.request().target == b"/next":
            conversation.send(response())
            return
        conversation.send(response("Content-Type: text/event-stream", *fields, body=None))
        for _ in range(beats):
            conversation.send(b"3\r\n:\n\n\r\n" if framing == "chunked" else b":\n\n")
            time.sleep(0.7)
        conversation.send(b"0\r\n\r\n" if framing == "chunked" else b"")  # And closes.

    timeouts = Timeouts(response=1, idle=idle)
    with bench.upstream(serve, timeouts=timeouts), bench.client() as client:
        client.socket.settimeout(seconds + 5)
        client.send(request("GET", "/events", "Accept: text/event-stream"))
        began = time.monotonic()
        client.wait_for(b":\n\n")
        assert time.monotonic() - began < 0.5  # A beat is passed on when it comes.
        assert client.answer().body == b":\n\n" * beats
        assert client.ask(request("GET", "/next")).status == 200


def test_an_event_stream_through_a_network_that_stops_ends_on_both_sides(bench: Bench) -> None:
    def serve(conversation: Conversation) -> None:
        conversation.request()
        conversation.send(response("Transfer-Encoding: chunked", body=None))
        while True:
            conversation.send(b"3\r\n:\n\n\r\n")
            time.sleep(0.05)

    with bench.upstream(serve) as upstream, network(upstream.port, down=(Blackhole(300),)) as between:
        bench.point(between.port, timeouts=QUICK)
        assert outcome(bench, request("GET", "/events")) == "reset"
        wait_until(lambda: upstream.received() != b"", "the application was asked")


def test_a_client_behind_a_network_that_stops_does_not_keep_the_application(bench: Bench) -> None:
    def serve(conversation: Conversation) -> None:
        conversation.request()
        conversation.send(response("Content-Length: 1000000000", body=None))
        while True:
            conversation.send(b"x" * 65_536)

    with bench.upstream(serve, timeouts=QUICK) as upstream:
        with network(bench.port, down=(Blackhole(100_000),)) as between, Client(between.port) as client:
            client.send(request("GET", "/", "X-Request-ID: swallowed"))
            entry = bench.entry("swallowed")
            assert entry["failure"] == "response_timeout.client"
        bench.wait_until_quiet()
        assert len(upstream.requests) == 1
        assert bench.rig.next_traffic().pools[0].active == 0
