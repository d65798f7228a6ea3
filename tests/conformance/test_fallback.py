"""The monolith answers what the service cannot take: only safe requests, only where the route says so."""

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import pytest

from strangler.model.flag import Flag, Stage
from strangler.model.route import PathKind, Retries, Route, RouteMatch, Timeouts
from strangler.model.upstream import Breaker, Outlier
from support.bench import Bench, bench
from support.processes import free_port
from support.raw_http import RawUpstream, Script, answer_all, each, raw_upstream, request, response, wait_until
from support.worker_rig import catch_all, upstream

ROUTE = Route(
    "r", RouteMatch("/r", PathKind.PREFIX), "m", "m", "monolith", "service", timeouts=Timeouts(5, 5), fallback=True
)


@pytest.fixture(scope="module", name="bench")
def running_bench(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    with bench(tmp_path_factory.mktemp("bench")) as running:
        yield running


@dataclass
class Arms:
    """A worker whose route ``/r`` is at stage ``service``."""

    bench: Bench
    monolith: RawUpstream

    def ask(self, method: str, number: int, **more: Any) -> tuple[int, dict[str, Any]]:
        """The status, and the line of the access log."""
        identity = f"{method}-{number}-{id(self)}"
        status = self.bench.ask(request(method, f"/r/{number}", f"X-Request-ID: {identity}", **more)).status
        return status, self.bench.entry(identity)

    def fallbacks(self) -> dict[str, float]:
        counters = self.bench.rig.next_traffic().counters
        return {labels[1]: value for name, labels, value in counters if name == "strangler_fallbacks_total"}


@contextlib.contextmanager
def arms(running: Bench, *ports: int, route: Route = ROUTE, **settings: Any) -> Iterator[Arms]:
    with raw_upstream() as monolith:
        running.rig.publish(
            upstreams=(upstream("monolith", monolith.port), upstream("service", *ports, **settings)),
            routes=(route, catch_all()),
            flags=(Flag("r", Stage.SERVICE),),
        )
        yield Arms(running, monolith)


def test_safe_requests_go_to_the_monolith_when_the_service_cannot_be_reached(bench: Bench) -> None:
    with arms(bench, free_port(), breaker=None) as both:
        before = both.fallbacks().get("connect", 0)
        for number, method in enumerate(("GET", "HEAD", "OPTIONS")):
            status, entry = both.ask(method, number)
            assert status == 200
            assert (entry["arm"], entry["reason"], entry["endpoint"]) == (
                "monolith", "fallback", f"127.0.0.1:{both.monolith.port}",
            )  # fmt: skip
            assert "failure" not in entry
        assert both.ask("GET", 9, body=b"a body of which nothing was sent")[0] == 200
        assert both.fallbacks()["connect"] - before == 4
        (series,) = (one for one in bench.rig.next_traffic().series if (one.route, one.arm) == ("r", "monolith"))
        assert dict(series.reasons)["fallback"] >= 4


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
def test_unsafe_requests_never_go_to_the_monolith(bench: Bench, method: str) -> None:
    with arms(bench, free_port(), breaker=None) as both:
        status, entry = both.ask(method, 0)
        assert status == 502
        assert (entry["arm"], entry["reason"], entry["failure"]) == ("service", "stage_service", "connect.upstream")
        assert both.ask(method, 1, body=b"body")[0] == 502
        assert both.monolith.requests == []


def test_without_the_option_nothing_falls_back(bench: Bench) -> None:
    with arms(bench, free_port(), route=replace(ROUTE, fallback=False), breaker=None) as both:
        assert both.ask("GET", 0)[0] == 502
        assert both.monolith.requests == []


def reset(conversation: Any) -> None:
    conversation.head()
    conversation.reset()


@pytest.mark.parametrize(
    "script", [reset, each(response(status=503)), each(b"SSH-2.0\r\n\r\n")], ids=["a reset", "503", "no HTTP"]
)
def test_a_request_that_the_service_was_sent_does_not_go_to_the_monolith_too(bench: Bench, script: Script) -> None:
    with raw_upstream(script) as service, arms(bench, service.port, breaker=None, outlier=None) as both:
        assert both.ask("GET", 0)[0] in {502, 503}
        assert both.monolith.requests == []


def test_an_open_breaker_sends_safe_requests_to_the_monolith_and_answers_others_503(bench: Bench) -> None:
    breaker = Breaker(minimum=3, open_time=60)
    with raw_upstream(reset) as service, arms(bench, service.port, breaker=breaker) as both:
        assert [both.ask("GET", number)[0] for number in range(3)] == [502] * 3
        status, entry = both.ask("GET", 3)
        assert (status, entry["reason"]) == (200, "fallback")
        status, entry = both.ask("POST", 4, body=b"x")
        assert (status, entry["failure"], entry["reason"]) == (503, "breaker.upstream", "stage_service")
        assert len(service.requests) == 3
        assert both.fallbacks()["breaker"] >= 1


def test_an_ejected_service_is_asked_by_unsafe_requests_only(bench: Bench) -> None:
    """Advice gives way where there is nobody else; for a safe request the monolith is somebody."""
    outlier = Outlier(failures=3, base_time=60)
    with raw_upstream(each(response(status=500))) as service, arms(bench, service.port, outlier=outlier) as both:
        assert [both.ask("GET", number)[0] for number in range(3)] == [500] * 3
        assert both.ask("GET", 3)[0] == 200
        assert both.ask("POST", 4, body=b"x")[0] == 500
        assert both.fallbacks()["endpoint"] >= 1


def test_another_endpoint_is_tried_before_the_monolith_and_the_monolith_may_fail_too(bench: Bench) -> None:
    with raw_upstream() as well, arms(bench, free_port(), well.port, outlier=None, breaker=None) as both:
        assert [both.ask("GET", number)[0] for number in range(6)] == [200] * 6
        assert len(well.requests) == 6
    with arms(bench, free_port(), free_port(), outlier=None, breaker=None) as both:
        assert both.ask("GET", 0)[0] == 200
        both.monolith.close()
        status, entry = both.ask("GET", 1)
        assert (status, entry["arm"], entry["reason"], entry["failure"]) == (
            502, "monolith", "fallback", "connect.upstream",
        )  # fmt: skip


def test_a_route_that_may_not_try_again_still_falls_back(bench: Bench) -> None:
    route = replace(ROUTE, retries=Retries(attempts=1))
    with raw_upstream(answer_all) as well, arms(bench, free_port(), well.port, route=route, outlier=None) as both:
        assert [both.ask("GET", number)[0] for number in range(4)] == [200] * 4
        wait_until(lambda: len(well.requests) == len(both.monolith.requests) == 2, "every second went to each")
