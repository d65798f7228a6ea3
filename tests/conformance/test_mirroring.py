"""What is mirrored is what the client saw, and each request of a shadowed route ends under one heading."""

import itertools
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import pytest

from strangler.link.mirrored import Mirrored
from strangler.model.authentication import Secret
from strangler.model.flag import Flag, Stage
from strangler.model.rate_limit import LimitKey, LimitKind, RateLimit
from strangler.model.route import PathKind, Route, RouteMatch, StickySource, SubjectKind
from strangler.model.shadow import Heading, Mirroring, Shadow
from strangler.model.transform import FieldChanges, PathRewrite, Transform
from strangler_kit.marks import verify
from support.bench import Bench, bench
from support.comparator_stub import ComparatorStub, comparator_stub
from support.raw_http import Client, Conversation, Message, RawUpstream, Script, request, response, wait_until

SECRET = "s" * 32
WRITES = Shadow(writes=True)
NAMES = (
    "X-Strangler-Report",
    "X-Strangler-Shadow",
    "X-Strangler-Before",
    "X-Strangler-Effects",
    "X-Strangler-Shadowed",
)
_numbers = itertools.count()
ADDRESS = (LimitKey(LimitKind.ADDRESS),)


@pytest.fixture(scope="module", name="bench")
def bench_with_a_secret(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SHADOW_SECRET", SECRET)
        with bench(tmp_path_factory.mktemp("bench")) as running:
            yield running


@pytest.fixture(scope="module", name="stub")
def listening_stub(bench: Bench) -> Iterator[ComparatorStub]:
    with comparator_stub(bench.rig.state / "comparator.sock") as stub:
        yield stub


class Shadowing:
    """The worker's only route besides the catch-all, shadowed, under a name of its own and so with a fresh account."""

    def __init__(self, running: Bench, stub: ComparatorStub) -> None:
        self.bench = running
        self._stub = stub
        self.name = f"route-{next(_numbers)}"
        self.upstream: RawUpstream

    @contextmanager
    def before(self, script: Script, shadow: Shadow = Shadow(), **changes: object) -> Iterator[Client]:  # noqa: B008 - frozen
        """A client of the worker, and behind that a scripted application, which is both arms."""
        route = Route(
            self.name,
            RouteMatch("/", PathKind.PREFIX),
            module="m",
            group="g",
            monolith="monolith",
            service="monolith",
            sticky=(StickySource(SubjectKind.HEADER, "x-user"),),
            shadow=shadow,
        )
        routes = (replace(route, **changes),)  # type: ignore[arg-type]
        secret = Mirroring(secret=Secret(env="SHADOW_SECRET"))
        with self.bench.upstream(script, routes=routes, shadow=secret) as self.upstream, self.bench.client() as client:
            self.flip(Stage.SHADOW)
            wait_until(lambda: bool(self._stub.workers), "the worker has connected")
            yield client

    def flip(self, stage: Stage, weight: int = 0) -> None:
        self.bench.rig.flip(Flag(self.name, stage, weight))

    @property
    def told(self) -> dict[str, int]:
        """By heading, those included that were sent."""
        account = self._stub.told.accounts.get(self.name)
        return {} if account is None else {"sent": account.sent, **dict(account.skipped)}

    def wait_for(self, sent: int = 0, **headings: int) -> None:
        """Wait until the account says just this."""
        expected = {"sent": sent, **headings}
        wait_until(lambda: self.told == expected, f"the account says {expected}")
        assert self._stub.told.accounts[self.name].requests == sum(expected.values())

    def exchanges(self, count: int) -> list[Mirrored]:
        """The exchanges that were sent, once there are so many."""
        self.wait_for(count)
        return [exchange for exchange in self._stub.told.exchanges if exchange.route == self.name]


@pytest.fixture(name="shadowing")
def fresh_shadowing(bench: Bench, stub: ComparatorStub) -> Shadowing:
    return Shadowing(bench, stub)


def raw_answer(data: bytes, *, close: bool = False) -> Script:
    """An application that answers everything with these bytes."""

    def serve(conversation: Conversation) -> None:
        while True:
            conversation.request()
            conversation.send(data)
            if close:
                return

    return serve


CHUNKED = (
    b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nX-Kind: a\r\n\r\n5\r\nhello\r\n6;x=y\r\n world\r\n0\r\n\r\n"
)
UNTIL_CLOSE = b"HTTP/1.1 200 OK\r\nSet-Cookie: a=1\r\nSet-Cookie: b=2\r\n\r\nhello world"
LARGE = os.urandom(900_000)


@pytest.mark.parametrize(
    ("asked", "script"),
    [
        pytest.param(request("GET", "/a?b=c", "Accept: x"), raw_answer(response(body=b"hello world")), id="length"),
        pytest.param(request("GET", "/a"), raw_answer(response(body=b"")), id="empty"),
        pytest.param(request("GET", "/a"), raw_answer(CHUNKED), id="chunked"),
        pytest.param(request("GET", "/a", version="1.0"), raw_answer(CHUNKED), id="chunked-for-HTTP/1.0"),
        pytest.param(request("GET", "/a"), raw_answer(UNTIL_CLOSE, close=True), id="until-close"),
        pytest.param(request("GET", "/a"), raw_answer(response(body=LARGE)), id="large"),
        pytest.param(request("HEAD", "/a"), raw_answer(response("Content-Length: 7", body=None)), id="HEAD"),
        pytest.param(request("OPTIONS", "/a"), raw_answer(response("Allow: GET", status=204, body=None)), id="204"),
        pytest.param(
            request("GET", "/a"),
            raw_answer(response('ETag: "x"', "Content-Length: 5", status=304, body=None)),
            id="304",
        ),
        pytest.param(request("GET", "/a"), raw_answer(response(status=500, body=b"oops")), id="500"),
        pytest.param(request("GET", "/a", body=b"a body"), raw_answer(response()), id="body"),
        pytest.param(request("GET", "/a", chunks=(b"a ", b"body")), raw_answer(response()), id="chunked-body"),
    ],
)
def test_what_is_mirrored_is_what_was_asked_and_what_the_client_got(
    shadowing: Shadowing, asked: bytes, script: Script
) -> None:
    with shadowing.before(script) as client:
        client.send(asked)
        answer = client.answer(asked.split(b" ", 1)[0].decode())
        (kept,) = shadowing.exchanges(1)
        (seen,) = shadowing.upstream.requests
        assert kept.head + (b"" if seen.framing == "chunked" else kept.body) == (
            seen.raw[: len(kept.head)] if seen.framing == "chunked" else seen.raw
        )
        assert kept.body == seen.body
        assert kept.answer + (answer.raw[len(kept.answer) :]) == answer.raw
        assert kept.answer.endswith(b"\r\n\r\n")
        assert kept.content == answer.body
        assert (kept.client, kept.host) == ("127.0.0.1", b"shop.example")
        assert kept.endpoint == f"127.0.0.1:{shadowing.upstream.port}"
        assert 0 < kept.seconds < 10


def test_pipelined_requests_are_mirrored_each_with_its_own_answer(shadowing: Shadowing) -> None:
    def serve(conversation: Conversation) -> None:
        while True:
            asked = conversation.request()
            conversation.send(response(f"X-Target: {asked.target.decode()}", body=asked.target + asked.body))

    with shadowing.before(serve) as client:
        client.send(b"".join(request("GET", f"/{number}", body=b"x" * number) for number in range(20)))
        answers = [client.answer() for _ in range(20)]
        kept = shadowing.exchanges(20)
        assert [exchange.content for exchange in kept] == [answer.body for answer in answers]
        for number, exchange in enumerate(kept):
            assert exchange.head.startswith(b"GET /%d HTTP/1.1\r\n" % number)
            assert exchange.body == b"x" * number
            assert b"X-Target: /%d\r\n" % number in exchange.answer


def test_the_service_can_be_asked_what_the_monolith_was_asked_before_its_own_changes(shadowing: Shadowing) -> None:
    changed = Transform(
        path=PathRewrite("/api", "/v1"), request=FieldChanges(set=(("X-Arm", "{arm}"),), remove=("X-Debug",))
    )
    answered = FieldChanges(remove=("Server",), add=(("X-Via", "gateway"),))
    with shadowing.before(
        raw_answer(response("Server: old")), monolith_transform=replace(changed, response=answered)
    ) as client:
        answer = client.ask(request("GET", "/api/x", "X-Debug: 1"))
        (kept,) = shadowing.exchanges(1)
        (seen,) = shadowing.upstream.requests
        assert (seen.target, seen.value("x-arm"), seen.value("x-debug")) == (b"/v1/x", b"monolith", None)
        assert kept.head.startswith(b"GET /api/x HTTP/1.1\r\n")
        assert b"\r\nX-Debug: 1\r\n" in kept.head
        assert b"X-Arm" not in kept.head
        assert b"\r\nX-Forwarded-For: 127.0.0.1\r\n" in kept.head
        assert kept.answer + kept.content == answer.raw
        assert b"\r\nX-Via: gateway" in kept.answer


# The headings


def cut_in_the_middle(conversation: Conversation) -> None:
    conversation.request()
    conversation.send(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf")


def no_answer(conversation: Conversation) -> None:
    conversation.request()


EVENTS = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\ndata: 1\n\n"
OPENING = ("Connection: Upgrade", "Upgrade: websocket", "Sec-WebSocket-Version: 13",
           "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==")  # fmt: skip
SMALL = Shadow(request_bytes=10, answer_bytes=10)


@pytest.mark.parametrize(
    ("heading", "asked", "script", "shadow"),
    [
        (Heading.UNSAFE, request("POST", "/", body=b"x"), raw_answer(response()), Shadow()),
        (Heading.UNSAFE, request("DELETE", "/"), raw_answer(response()), Shadow()),
        (Heading.NOT_SAMPLED, request("GET", "/"), raw_answer(response()), Shadow(sample=0)),
        (Heading.REQUEST_TOO_LARGE, request("GET", "/", body=b"x" * 11), raw_answer(response()), SMALL),
        (Heading.REQUEST_TOO_LARGE, request("GET", "/", chunks=(b"x" * 6,) * 2), raw_answer(response()), SMALL),
        (Heading.ANSWER_TOO_LARGE, request("GET", "/"), raw_answer(response(body=b"x" * 11)), SMALL),
        (Heading.ANSWER_TOO_LARGE, request("GET", "/"), raw_answer(CHUNKED), SMALL),
        (Heading.STREAMING, request("GET", "/"), raw_answer(EVENTS, close=True), Shadow()),
        (Heading.UPGRADE, request("GET", "/", *OPENING), raw_answer(response(status=400)), Shadow()),
        (Heading.PRIMARY_FAILED, request("GET", "/"), no_answer, Shadow()),
    ],
    ids=lambda value: value.value if isinstance(value, Heading) else "",
)
def test_what_is_not_mirrored_is_counted_by_its_reason_and_answered_as_ever(
    shadowing: Shadowing, heading: Heading, asked: bytes, script: Script, shadow: Shadow
) -> None:
    with shadowing.before(script, shadow) as client:
        answer = client.ask(asked)
        assert (answer.status == 502) is (heading is Heading.PRIMARY_FAILED)
        shadowing.wait_for(**{heading.value: 1})


def test_half_an_answer_is_not_mirrored(shadowing: Shadowing) -> None:
    with shadowing.before(cut_in_the_middle) as client:
        client.send(request("GET", "/"))
        client.rest()
        shadowing.wait_for(primary_failed=1)


def test_an_answer_that_its_client_did_not_wait_for_is_not_mirrored(shadowing: Shadowing) -> None:
    def serve(conversation: Conversation) -> None:
        conversation.request()
        conversation.send(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf")
        conversation.wait_for_end()

    with shadowing.before(serve) as client:
        client.send(request("GET", "/"))
        client.wait_for(b"half")
        client.close()
        shadowing.wait_for(primary_failed=1)


@pytest.mark.parametrize(
    ("asked", "changes"),
    [
        pytest.param(request("GET", "/", "X_User: a"), {}, id="strict"),
        pytest.param(request("POST", "/", body=b"x" * 11), {"body_bytes": 10}, id="body"),
        pytest.param(request("GET", "/"), {"rate_limits": (RateLimit("one", 1, 3_600, 1, ADDRESS),)}, id="rate"),
    ],
)
def test_what_its_route_refuses_is_counted_as_refused(shadowing: Shadowing, asked: bytes, changes: Any) -> None:
    with shadowing.before(raw_answer(response()), **changes) as client:
        client.ask(request("GET", "/"))
        assert client.ask(asked).status in {400, 413, 429}
        shadowing.wait_for(1, refused=1)


def test_a_killed_route_is_counted_and_not_mirrored(shadowing: Shadowing) -> None:
    with shadowing.before(raw_answer(response())) as client:
        shadowing.bench.rig.kill(shadowing.name)
        try:
            client.ask(request("GET", "/"))
            shadowing.wait_for(killed=1)
        finally:
            shadowing.bench.rig.kill()
        client.ask(request("GET", "/"))
        shadowing.wait_for(1, killed=1)


def test_a_canary_is_mirrored_where_the_monolith_answers(shadowing: Shadowing) -> None:
    with shadowing.before(raw_answer(response())) as client:
        shadowing.flip(Stage.CANARY, 5_000)
        for number in range(40):
            client.ask(request("GET", "/", f"X-User: u{number}"))
        client.ask(request("GET", "/"))  # Without a subject the monolith answers.
        wait_until(lambda: sum(shadowing.told.values()) == 41, "all are accounted for")
        assert set(shadowing.told) == {"sent", Heading.BY_SERVICE}
        assert 10 < shadowing.told[Heading.BY_SERVICE] < 30


def test_a_safe_request_that_falls_back_to_the_monolith_is_mirrored(shadowing: Shadowing) -> None:
    with shadowing.before(raw_answer(response()), fallback=True) as client:
        rig = shadowing.bench.rig
        (route, catch_all), (monolith,) = rig._snapshot.routes, rig._snapshot.upstreams
        unreachable = replace(monolith, name="service", endpoints=(replace(monolith.endpoints[0], port=1),))
        rig.publish(upstreams=(monolith, unreachable), routes=(replace(route, service="service"), catch_all))
        shadowing.flip(Stage.CANARY, 10_000)
        assert client.ask(request("GET", "/", "X-User: u1")).status == 200
        (kept,) = shadowing.exchanges(1)
        assert kept.endpoint == f"127.0.0.1:{shadowing.upstream.port}"


@pytest.mark.parametrize("stage", [Stage.MONOLITH, Stage.SERVICE])
def test_other_stages_are_not_accounted_for(shadowing: Shadowing, stage: Stage) -> None:
    with shadowing.before(raw_answer(response())) as client:
        client.ask(request("GET", "/"))
        shadowing.wait_for(1)
        shadowing.flip(stage)
        client.ask(request("GET", "/"))
        shadowing.flip(Stage.SHADOW)
        client.ask(request("GET", "/"))
        shadowing.wait_for(2)


# What passes between gateway and applications alone


@pytest.mark.parametrize("shadow", [Shadow(), WRITES], ids=["reads", "writes"])
def test_no_client_can_send_what_the_gateway_alone_says(shadowing: Shadowing, shadow: Shadow) -> None:
    claims = []
    for name in NAMES:
        spelt = map("".join, itertools.product(*("-_" if letter == "-" else letter for letter in name)))
        claims += [f"{spelling}: forged" for spelling in (*spelt, name.lower(), name.upper())]
    with shadowing.before(raw_answer(response()), shadow, strict=False) as client:
        for at in range(0, len(claims), 40):
            client.ask(request("GET", "/", *claims[at : at + 40]))
            client.ask(request("GET", "/", *claims[at : at + 40], "Connection: keep-alive, X-Strangler-Report"))
        assert b"forged" not in shadowing.upstream.received()


def effects_of(conversation: Conversation) -> None:
    for named in itertools.cycle(("X-Other", "keep-alive")):  # Naming a field makes the gateway go another way.
        conversation.request()
        report = ("X-Strangler-Effects: eJwDAAAAAAE", "x-strangler-shadowed: rolled-back", f"Connection: {named}")
        conversation.send(response(*report, "X-Kept: 1"))


@pytest.mark.parametrize("stage", [Stage.SHADOW, Stage.MONOLITH])
@pytest.mark.parametrize("shadow", [Shadow(), WRITES], ids=["reads", "writes"])
def test_no_client_sees_a_report_of_effects(shadowing: Shadowing, shadow: Shadow, stage: Stage) -> None:
    with shadowing.before(effects_of, shadow) as client:
        shadowing.flip(stage)
        for method in ("GET", "POST"):
            answer = client.ask(request(method, "/", body=b"" if method == "POST" else None))
            assert b"strangler" not in answer.raw.lower()
            assert answer.value("x-kept") == b"1"


def mark_of(seen: Message) -> str | None:
    mark = seen.value("x-strangler-report")
    return None if mark is None else mark.decode()


def test_a_shadowed_write_asks_the_monolith_for_its_effects_and_hands_them_over(shadowing: Shadowing) -> None:
    with shadowing.before(effects_of, WRITES) as client:
        client.ask(request("POST", "/orders?x=%20", body=b"one"))
        client.ask(request("GET", "/orders"))
        written, read = shadowing.exchanges(2)
        first, second = shadowing.upstream.requests
        mark = mark_of(first)
        assert mark is not None
        now = int(mark.split(".")[1])
        verify(SECRET.encode(), "report", "POST", "/orders?x=%20", mark, now)
        assert mark_of(second) is None
        assert (written.body, written.effects, read.effects) == (b"one", b"eJwDAAAAAAE", b"")
        assert b"strangler" not in written.head.lower() + written.answer.lower()
        assert first.raw.startswith(written.head[:-2])


def test_the_mark_is_for_the_target_that_the_monolith_sees(shadowing: Shadowing) -> None:
    with shadowing.before(effects_of, WRITES, monolith_transform=Transform(path=PathRewrite("/api", "/v1"))) as client:
        client.ask(request("PUT", "/api/x", body=b"one"))
        (seen,) = shadowing.upstream.requests
        mark = mark_of(seen)
        assert mark is not None
        verify(SECRET.encode(), "report", "PUT", "/v1/x", mark, int(mark.split(".")[1]))


@pytest.mark.parametrize(
    "fields", [("X-Strangler-Effects: a", "X-Strangler-Effects: b"), ("X-STRANGLER-EFFECTS: a,b",)]
)
def test_two_reports_are_handed_over_as_none_that_can_be_read(shadowing: Shadowing, fields: tuple[str, ...]) -> None:
    with shadowing.before(raw_answer(response(*fields)), WRITES) as client:
        client.ask(request("POST", "/", body=b""))
        assert shadowing.exchanges(1)[0].effects == b"a,b"
