"""Endpoints that refuse, fail or stall: who is asked instead, who is left alone, and when they are asked again."""

import contextlib
import time
from collections.abc import Callable, Iterator

import pytest

from strangler.model.route import Retries, Route, Timeouts
from strangler.model.snapshot import Limits
from strangler.model.upstream import Breaker, HealthCheck, Outlier, RetryBudget
from support.bench import Bench
from support.processes import free_port
from support.raw_http import (
    Conversation,
    RawUpstream,
    Script,
    answer_all,
    each,
    raw_upstream,
    request,
    response,
    wait_until,
)
from support.worker_rig import catch_all

OUTLIER = Outlier(failures=5, base_time=3.0)
NEVER_EJECT = None


@contextlib.contextmanager
def two(
    bench: Bench, first: Script, second: Script = answer_all, **settings: object
) -> Iterator[tuple[RawUpstream, RawUpstream]]:
    """Two endpoints behind the worker, asked in turn."""
    with raw_upstream(first) as one, raw_upstream(second) as other:
        bench.point(one.port, other.port, **settings)  # type: ignore[arg-type]
        yield one, other


def route(retries: Retries) -> Route:
    """The catch-all, with these retries."""
    whole = catch_all(timeouts=Timeouts(response=5, idle=5))
    return Route(**{name: getattr(whole, name) for name in Route.__dataclass_fields__} | {"retries": retries})


def counted(bench: Bench, family: str) -> dict[tuple[str, ...], float]:
    """The worker's counts of one family, from now on."""
    return {labels: value for name, labels, value in bench.rig.next_traffic().counters if name == family}


def readings(bench: Bench, family: str) -> dict[tuple[str, ...], float]:
    return {labels: value for name, labels, value in bench.rig.next_traffic().gauges if name == family}


def test_a_refused_connection_costs_no_request_while_another_endpoint_is_there(bench: Bench) -> None:
    refusing = free_port()
    with raw_upstream() as well, bench.client() as client:
        bench.point(refusing, well.port, outlier=NEVER_EJECT)
        for number in range(10):
            assert client.ask(request("POST", f"/{number}", body=b"x")).status == 200
        assert len(well.requests) == 10
        assert counted(bench, "strangler_retries_total")["monolith", "never_sent"] >= 4


def test_five_errors_in_a_row_eject_an_endpoint_and_time_brings_it_back(bench: Bench) -> None:
    answers = iter([response(status=500)] * 5)

    def recovering(conversation: Conversation) -> None:
        while True:
            conversation.request()
            conversation.send(next(answers, response(body=b"well")))

    with two(bench, recovering, outlier=OUTLIER) as (failing, well), bench.client() as client:
        statuses = [client.ask(request("GET", "/")).status for _ in range(20)]
        assert statuses.count(500) == 5
        assert len(failing.requests) == 5
        assert len(well.requests) == 15
        label = ("monolith", f"127.0.0.1:{failing.port}")
        assert readings(bench, "strangler_upstream_ejected")[label] == 1
        wait_until(lambda: client.ask(request("GET", "/")).body == b"well", "the endpoint is asked again")
        assert counted(bench, "strangler_upstream_ejections_total")[label] == 1


def test_errors_of_every_endpoint_are_passed_on_as_they_are(bench: Bench) -> None:
    """Panic: advice that would leave nobody is not taken."""
    one, other = each(response(status=503, body=b"a")), each(response(status=503, body=b"b"))
    with two(bench, one, other, outlier=OUTLIER), bench.client() as client:
        assert {client.ask(request("GET", "/")).body for _ in range(30)} == {b"a", b"b"}
    with bench.upstream(each(response(status=500, body=b"sorry")), outlier=OUTLIER), bench.client() as client:
        assert {client.ask(request("GET", "/")).body for _ in range(30)} == {b"sorry"}


def slam(conversation: Conversation) -> None:
    conversation.close()


class Switched:
    """An endpoint that gives no answer until it is mended; then it holds answers until they are released."""

    def __init__(self) -> None:
        self.mended = False
        self.released = False

    def __call__(self, conversation: Conversation) -> None:
        if not self.mended:
            conversation.head()
            return
        while True:
            conversation.request()
            wait_until(lambda: self.released, "the test releases the answers")
            conversation.send(response())


BREAKER = Breaker(minimum=5, window=10, open_time=0.6, probes=2)


def test_a_breaker_opens_lets_exactly_its_probes_through_and_closes(bench: Bench) -> None:
    switch = Switched()
    with bench.upstream(switch, breaker=BREAKER) as upstream, contextlib.ExitStack() as stack:
        client = stack.enter_context(bench.client())
        failures = [client.ask(request("GET", "/")).status for _ in range(5)]
        assert failures == [502] * 5
        began = time.monotonic()
        refused = client.ask(request("GET", "/"))
        assert (refused.status, refused.value("Retry-After")) == (503, b"1")
        assert len(upstream.requests) == 5
        assert bench.rig.process is not None
        label = ("monolith", f"127.0.0.1:{upstream.port}")

        switch.mended = True
        wait_until(lambda: readings(bench, "strangler_upstream_breakers")[*label, "half_open"] == 1, "half-open")
        assert time.monotonic() - began > BREAKER.open_time - 0.1
        crowd = [stack.enter_context(bench.client()) for _ in range(6)]
        for one in crowd:
            one.send(request("GET", "/probe"))
        wait_until(lambda: len(upstream.requests) == 7, "two probes are at the application")
        assert [one.answer().status for one in crowd[2:]] == [503] * 4
        assert len(upstream.requests) == 7
        switch.released = True
        assert [one.answer().status for one in crowd[:2]] == [200, 200]
        assert client.ask(request("GET", "/")).status == 200
        assert readings(bench, "strangler_upstream_breakers")[*label, "closed"] == 1
        assert counted(bench, "strangler_upstream_breaker_opened_total")[label] == 1


def test_a_probe_that_its_client_leaves_makes_room_for_another(bench: Bench) -> None:
    switch = Switched()
    with bench.upstream(switch, breaker=BREAKER) as upstream, contextlib.ExitStack() as stack:
        client = stack.enter_context(bench.client())
        for _ in range(5):
            client.ask(request("GET", "/"))
        switch.mended = True
        leavers = [bench.client() for _ in range(2)]
        wait_until(lambda: half_open(bench, upstream), "half-open")
        for leaver in leavers:
            leaver.send(request("GET", "/leaves"))
        wait_until(lambda: len(upstream.requests) == 7, "both probes are at the application")
        assert client.ask(request("GET", "/")).status == 503
        for leaver in leavers:
            leaver.close()
        switch.released = True
        wait_until(lambda: client.ask(request("GET", "/")).status == 200, "others may probe")


def test_probes_that_wait_for_their_clients_make_room_for_others(bench: Bench) -> None:
    switch = Switched()
    limits = Limits(body_grace=0.5, body_rate=0)
    with bench.upstream(switch, breaker=BREAKER, limits=limits) as upstream, contextlib.ExitStack() as stack:
        client, *slow = [stack.enter_context(bench.client()) for _ in range(3)]
        for _ in range(5):
            client.ask(request("GET", "/"))
        switch.mended = switch.released = True
        wait_until(lambda: half_open(bench, upstream), "half-open")
        for one in slow:
            one.send(request("POST", "/slow", "Content-Length: 5") + b"x")
        wait_until(lambda: upstream.received().count(b"POST /slow") == 2, "both probes are at the application")
        assert client.ask(request("GET", "/")).status == 503
        wait_until(lambda: client.ask(request("GET", "/")).status == 200, "others may probe")
        for one in slow:
            one.send(b"xxxx")
            assert one.answer().status == 200


def half_open(bench: Bench, upstream: RawUpstream) -> bool:
    return readings(bench, "strangler_upstream_breakers")["monolith", f"127.0.0.1:{upstream.port}", "half_open"] == 1


def test_a_storm_of_failures_is_sent_again_to_a_fifth(bench: Bench) -> None:
    failing = each(response(status=503))
    settings = {"routes": (route(Retries(attempts=2, statuses=frozenset({503}))),), "retry_budget": RetryBudget()}
    before = counted(bench, "strangler_retries_total")
    with two(bench, failing, failing, outlier=NEVER_EJECT, **settings) as (one, other), bench.client() as client:
        assert {client.ask(request("GET", "/")).status for _ in range(200)} == {503}
        attempts = len(one.requests) + len(other.requests)
        assert 200 + 3 <= attempts <= 200 * 1.2 + 3
        after = counted(bench, "strangler_retries_total")
        key = ("monolith", "no_budget_left")
        assert after[key] - before.get(key, 0) == 400 - attempts


def test_an_answer_that_the_route_repeats_is_replaced_by_that_of_another_endpoint(bench: Bench) -> None:
    settings = {"routes": (route(Retries(attempts=2, statuses=frozenset({502, 503}))),), "outlier": NEVER_EJECT}
    with (
        two(bench, each(response(status=503, body=b"x" * 100_000)), **settings) as (failing, _),
        bench.client() as client,
    ):
        for number in range(10):
            assert client.ask(request("GET", f"/{number}")).status == 200
        statuses = [client.ask(request("POST", "/", "Content-Length: 0")).status for _ in range(10)]
        assert statuses.count(503) == 5
        assert sum(asked.method == b"POST" for asked in failing.requests) == 5


@pytest.mark.parametrize("method", ["POST", "PUT", "GET", "PATCH"])
def test_a_request_with_a_body_is_never_repeated_once_a_part_was_sent(bench: Bench, method: str) -> None:
    """Neither on a fresh connection, nor on a kept one that turned out to be stale, nor for a bad answer."""

    def spoiled(conversation: Conversation) -> None:
        if conversation.number % 3 == 1:
            conversation.request()
            conversation.send(response())
        if conversation.number % 3 < 2:
            conversation.head()
            conversation.reset()
        else:
            conversation.request()
            conversation.send(response(status=503))

    settings = {"routes": (route(Retries(attempts=5, statuses=frozenset({503}))),), "outlier": NEVER_EJECT}
    with bench.upstream(spoiled, **settings) as upstream:
        assert bench.ask(request(method, "/fresh", body=b"body")).status == 502
        assert bench.ask(request("GET", "/fill")).status == 200
        assert bench.ask(request(method, "/kept", body=b"body")).status == 502
        assert bench.ask(request(method, "/answered", body=b"body")).status == 503
        assert upstream.targets() == [b"/fresh", b"/fill", b"/kept", b"/answered"]


@pytest.mark.parametrize(
    "head", [b"", b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf"], ids=["no answer", "half an answer"]
)
def test_a_request_is_ended_at_its_deadline(bench: Bench, head: bytes) -> None:
    def stall(conversation: Conversation) -> None:
        conversation.request()
        conversation.send(head)
        conversation.wait_for_end()

    timeouts = Timeouts(response=30, idle=30, request=0.4)
    with bench.upstream(stall, timeouts=timeouts) as upstream, bench.client() as client:
        began = time.monotonic()
        client.send(request("GET", "/", "X-Request-ID: deadline-" + str(len(head))))
        if head:
            data, how = client.rest()
            assert data.endswith(b"half")
            assert how == "reset"
        else:
            assert client.answer().status == 504
        assert 0.4 <= time.monotonic() - began < 3
        assert bench.entry(f"deadline-{len(head)}")["failure"] == "deadline.upstream"
        wait_until(lambda: upstream.conversations[0].ended != "", "the application's work is stopped")


def test_a_deadline_ends_a_request_that_is_still_coming_in_and_none_that_is_done(bench: Bench) -> None:
    with bench.upstream(timeouts=Timeouts(response=5, idle=5, request=0.6)), bench.client() as client:
        assert client.ask(request("GET", "/")).status == 200
        time.sleep(1.2)  # The deadline of a request is not that of its connection.
        assert client.ask(request("GET", "/")).status == 200
        client.send(request("POST", "/", "Content-Length: 10") + b"half")
        assert client.answer().status == 504


def hold(release: Callable[[], bool]) -> Script:
    def serve(conversation: Conversation) -> None:
        conversation.request()
        wait_until(release, "the test releases the answer")
        conversation.send(response())
        answer_all(conversation)

    return serve


def test_a_wait_for_a_connection_is_bounded_in_number_and_in_time(bench: Bench) -> None:
    released = False
    settings = {"max_connections": 1, "max_pending": 1, "pending_timeout": 3.0}
    with bench.upstream(hold(lambda: released), **settings) as upstream, contextlib.ExitStack() as stack:
        first, second, third = (stack.enter_context(bench.client()) for _ in range(3))
        first.send(request("GET", "/first"))
        wait_until(lambda: len(upstream.requests) == 1, "the only connection is taken")
        began = time.monotonic()
        second.send(request("GET", "/second", "X-Request-ID: waited"))
        wait_until(lambda: sum(pool.pending for pool in bench.rig.next_traffic().pools) == 1, "one waits")
        assert third.ask(request("GET", "/third", "X-Request-ID: turned-away")).status == 503
        assert second.answer().status == 503
        assert 2.8 <= time.monotonic() - began < 6
        assert bench.entry("turned-away")["failure"] == "queue.gateway"
        assert bench.entry("waited")["failure"] == "queue_timeout.gateway"
        released = True
        assert first.answer().status == 200
        assert upstream.targets() == [b"/first"]
        assert second.ask(request("GET", "/again")).status == 200


def test_the_endpoint_with_fewer_requests_under_way_gets_the_next(bench: Bench) -> None:
    released = False
    with (
        two(bench, hold(lambda: released), hold(lambda: released), balance="least_loaded") as (one, other),
        contextlib.ExitStack() as stack,
    ):
        clients = [stack.enter_context(bench.client()) for _ in range(10)]
        for number, client in enumerate(clients, 1):
            client.send(request("GET", "/"))
            wait_until(lambda number=number: len(one.requests) + len(other.requests) == number, "it has arrived")
        assert len(one.requests) == len(other.requests) == 5
        released = True
        assert [client.answer().status for client in clients] == [200] * 10


def test_a_health_check_takes_an_endpoint_out_and_back(bench: Bench) -> None:
    sick = False

    def ailing(conversation: Conversation) -> None:
        while True:
            asked = conversation.request()
            conversation.send(response(status=503 if sick and asked.target == b"/readyz" else 200, body=b"ailing"))

    def bodies(times: int = 6) -> set[bytes]:
        with bench.client() as client:
            return {client.ask(request("GET", "/")).body for _ in range(times)}

    check = HealthCheck("/readyz", interval=0.05, timeout=1, statuses=((200, 200),))
    with two(bench, ailing, each(response(body=b"well")), health=check) as (one, _):
        label = ("monolith", f"127.0.0.1:{one.port}")
        assert bodies() == {b"ailing", b"well"}
        sick = True
        wait_until(lambda: bodies() == {b"well"}, "the endpoint is taken out")
        assert readings(bench, "strangler_upstream_unhealthy")[label] == 1
        sick = False
        wait_until(lambda: bodies() == {b"ailing", b"well"}, "the endpoint is back")
        assert all(
            b"user-agent: strangler-health" in asked.raw.lower() for asked in one.requests if asked.target != b"/"
        )
