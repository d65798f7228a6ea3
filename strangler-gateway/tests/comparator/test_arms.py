"""An arm asked as a worker would ask it: what goes there, what comes back, and what an endpoint's silence costs it."""

import asyncio

import pytest

from strangler.comparator.arms import Arm
from strangler.comparator.copies import copy_of, primary_of, question_of
from strangler.model.decision import Arm as Side
from strangler.model.failure import Failure
from strangler.model.route import Route, RouteMatch
from strangler.model.transform import SERVICE, FieldChanges, JsonShape, JsonShaping, PathRewrite, Transform
from strangler.model.upstream import Breaker, Endpoint, Upstream
from strangler.policies.transform.arms import arm_transform
from strangler.telemetry.meters import Meters
from strangler.upstream.asking import TooLong, Unanswered
from support.asker import run, server, until

from .mirroring import Answering, application, balancers, json, mirrored, upstream

ASKED = {"timeout": 5.0, "most": 1000}


def arm(it: Upstream, transform: Transform = SERVICE) -> Arm:
    route = Route(
        "products-get",
        RouteMatch("/api/products/{id}"),
        "catalog",
        "catalog",
        "shop",
        service="catalog",
        service_transform=transform,
    )
    return Arm(balancers(it), "catalog", arm_transform(route, Side.SERVICE, it, Meters()))


async def asked(
    answering: Answering, transform: Transform = SERVICE, **request: object
) -> tuple[tuple[bytes, bytes], object]:
    """What an application was asked, and the answer as it is compared."""
    async with application(answering) as it:
        answer = await arm(upstream("catalog", it.port), transform).ask(
            copy_of(mirrored(**request)),  # type: ignore[arg-type]
            **ASKED,
        )
        return it.asked[0], answer


def test_the_request_goes_on_as_the_worker_had_it() -> None:
    async def test() -> None:
        (head, body), answer = await asked(
            lambda *_: json(b'{"id":7}', fields=b"Server: x\r\nX-Request-ID: own\r\n"),
            method=b"POST",
            target=b"/api/products?q=1",
            fields=b"Cookie: a=b\r\nExpect: 100-continue\r\n",
            body=b"abc",
        )
        assert head == (
            b"POST /api/products?q=1 HTTP/1.1\r\nHost: shop.example\r\nX-Request-ID: id-1\r\n"
            b"X-Forwarded-For: 10.0.0.9\r\nCookie: a=b\r\nContent-Length: 3\r\n\r\n"
        )
        assert body == b"abc"
        assert (answer.status, answer.body) == (200, b'{"id":7}')
        assert answer.fields == (
            (b"Content-Type", b"application/json"),
            (b"Server", b"x"),
            (b"X-Request-ID", b"id-1"),
            (b"Content-Length", b"8"),
        )
        assert 0 < answer.seconds < 5

    run(test)


def test_a_body_that_came_in_chunks_goes_on_with_its_length() -> None:
    async def test() -> None:
        (head, body), _ = await asked(
            lambda *_: json(b"{}"),
            method=b"PUT",
            body=b"",
            fields=b"Transfer-Encoding: chunked\r\n",
        )
        assert b"Content-Length: 0\r\n" in head
        assert b"chunked" not in head
        assert body == b""

    run(test)


def test_what_the_route_changes_on_the_way_is_changed() -> None:
    transform = Transform(
        path=PathRewrite(prefix="/api", to="/v2"),
        request=FieldChanges(remove=("Cookie",), set=(("X-Arm", "{arm} {client_address} {request_id}"),)),
        response=FieldChanges(add=(("X-Back", "{path}"),)),
        json=JsonShaping(JsonShape(wrap="data")),
        locations=True,
    )

    def answering(head: bytes, body: bytes) -> bytes:
        return json(b'{"id":7}', fields=b"Location: /v2/products/8\r\n")

    async def test() -> None:
        (head, _), answer = await asked(answering, transform, fields=b"Cookie: a=b\r\n")
        assert head.startswith(b"GET /v2/products/7 HTTP/1.1\r\n")
        assert b"Cookie" not in head
        assert b"\r\nX-Arm: service 10.0.0.9 id-1\r\n" in head
        assert answer.body == b'{"data":{"id":7}}'
        fields = dict(answer.fields)
        assert fields[b"Location"] == b"/api/products/8"
        assert fields[b"X-Back"] == b"/api/products/7"
        assert fields[b"Content-Length"] == b"17"

    run(test)


def test_an_answer_that_cannot_be_shaped_is_the_502_that_a_client_would_get() -> None:
    async def test() -> None:
        shaped = Transform(json=JsonShaping(JsonShape(pick=("id",))))
        _, answer = await asked(lambda *_: json(b"[1, 2"), shaped)
        assert answer.status == 502

    run(test)


def test_a_head_a_204_and_a_304_have_no_content() -> None:
    async def test() -> None:
        _, head = await asked(lambda *_: b"HTTP/1.1 200 OK\r\nContent-Length: 5000\r\n\r\n", method=b"HEAD")
        assert (head.status, head.body, dict(head.fields)[b"Content-Length"]) == (200, b"", b"5000")
        for line in (b"204 No Content", b"304 Not Modified"):
            _, answer = await asked(lambda *_, line=line: b"HTTP/1.1 %b\r\nETag: x\r\n\r\n" % line)
            assert (answer.status, answer.body) == (int(line[:3]), b"")

    run(test)


def test_a_longer_answer_than_may_be_taken_is_told_from_one_that_does_not_come() -> None:
    async def test() -> None:
        with pytest.raises(TooLong):
            await asked(lambda *_: json(b"x" * 1001))
        with pytest.raises(Unanswered) as raised:
            await asked(lambda *_: b"")
        assert raised.value.failure is Failure.RESET_BEFORE_HEAD

    run(test)


def test_an_endpoint_that_never_answers_is_left_alone_by_its_breaker() -> None:
    async def test() -> None:
        async with application(lambda *_: None) as it:
            breaking = arm(upstream("catalog", it.port, breaker=Breaker(minimum=3)))
            failures = []
            for _ in range(5):
                with pytest.raises(Unanswered) as raised:
                    await breaking.ask(copy_of(mirrored()), timeout=0.3, most=1000)
                failures.append(raised.value.failure)
            assert failures == [Failure.RESPONSE_TIMEOUT] * 3 + [Failure.BREAKER_OPEN] * 2
            assert len(it.asked) == 3

    run(test)


def test_a_cancelled_question_leaves_no_connection_behind() -> None:
    async def test() -> None:
        async with application(lambda *_: None) as it:
            asking = arm(upstream("catalog", it.port))
            task = asyncio.ensure_future(asking.ask(copy_of(mirrored()), **ASKED))
            await until(lambda: bool(it.asked))
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            (pool,) = asking._balancers.pools()
            await until(lambda: pool.state().active == 0)

    run(test)


def test_a_cancelled_question_gives_its_place_as_a_probe_of_the_breaker_to_the_next() -> None:
    async def test() -> None:
        async with application(lambda *_: None) as it:
            breaker = Breaker(minimum=1, open_time=0.01, probes=1)
            asking = arm(upstream("catalog", it.port, breaker=breaker))
            with pytest.raises(Unanswered):
                await asking.ask(copy_of(mirrored()), timeout=0.02, most=1000)
            (pool,) = asking._balancers.pools()
            await until(lambda: pool.standing.admits(asyncio.get_running_loop().time()))
            task = asyncio.ensure_future(asking.ask(copy_of(mirrored()), **ASKED))
            await until(lambda: len(it.asked) == 2)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            it.answering = lambda *_: json(b"{}")
            assert (await asking.ask(copy_of(mirrored()), **ASKED)).status == 200

    run(test)


def test_an_upstream_without_endpoints_or_that_is_gone_cannot_be_asked() -> None:
    async def test() -> None:
        async with server() as port:
            nobody = Upstream("catalog", (), registry=True)
            for asking in (arm(nobody), Arm(balancers(Upstream("x", (Endpoint("127.0.0.1", port),))), "gone", None)):
                with pytest.raises(Unanswered) as raised:
                    await asking.ask(copy_of(mirrored()), **ASKED)
                assert raised.value.failure is Failure.NO_ENDPOINT

    run(test)


def test_question_and_primary_are_what_the_client_sent_and_got() -> None:
    it = mirrored(
        fields=b"X-Two: 1\r\nX-Two:2\r\n",
        answer=b"HTTP/1.1 404 Not Found\r\nSet-Cookie: a=1\r\nSet-Cookie: b=2\r\n\r\n",
        content=b"no",
    )
    question = question_of(copy_of(it))
    assert (question.method, question.target, question.body) == (b"GET", b"/api/products/7", b"")
    assert question.fields[-2:] == ((b"X-Two", b"1"), (b"X-Two", b"2"))
    answer = primary_of(it)
    assert (answer.status, answer.body, answer.seconds) == (404, b"no", 0.01)
    assert answer.fields == ((b"Set-Cookie", b"a=1"), (b"Set-Cookie", b"b=2"))
