"""The load generator sends on time, loses nothing and hides no waiting."""

import asyncio
import math
from collections.abc import Iterator
from pathlib import Path

import pytest

from support.load import Plan, Request, Result, background, drive, percentile, summarise
from support.processes import free_port
from support.stub_upstream import StubUpstream, stub_upstream


@pytest.fixture(scope="module")
def stub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StubUpstream]:
    with stub_upstream("monolith", tmp_path_factory.mktemp("stub")) as running:
        yield running


def plan(url: str, *targets: str, rate: float = 200, seconds: float = 0.5, **more: object) -> Plan:
    return Plan(url=url, requests=tuple(Request(target) for target in targets), rate=rate, seconds=seconds, **more)


def test_every_planned_request_is_sent_once_and_answered(stub: StubUpstream) -> None:
    summary = asyncio.run(drive(plan(stub.url, "/a", "/b", name="once")))
    assert summary.statuses == {200: 100}
    assert summary.arms == {"monolith": 100}
    assert not summary.failures
    ids = [line.request_id for line in stub.requests() if line.request_id.startswith("once-")]
    assert sorted(ids) == sorted(f"once-{number}" for number in range(100))


def test_a_method_with_a_body_and_headers_arrives_whole(stub: StubUpstream) -> None:
    request = Request("/echo", method="POST", headers=(("X-User", "u1"),), body="ü" * 1000)
    summary = asyncio.run(drive(Plan(stub.url, (request,), rate=50, seconds=0.1, name="body")))
    assert summary.statuses == {200: 5}
    assert {line.subject["x-user"] for line in stub.requests() if line.request_id.startswith("body-")} == {"u1"}


def test_waiting_for_a_busy_server_counts_as_latency(stub: StubUpstream) -> None:
    """Ten requests due within 0.1 s, one connection, 50 ms each: the last one waits for the others."""
    summary = asyncio.run(drive(plan(stub.url, "/slow?ms=50", rate=100, seconds=0.1, connections=1)))
    assert summary.statuses == {200: 10}
    assert summary.slowest >= 10 * 0.05 - 0.1
    assert summary.late >= 9 * 0.05 - 0.1


def test_slow_answers_do_not_delay_the_next_requests(stub: StubUpstream) -> None:
    summary = asyncio.run(drive(plan(stub.url, "/slow?ms=400", rate=50, seconds=0.4)))
    first, last = summary.results[0], summary.results[-1]
    assert last.sent < first.done


@pytest.mark.parametrize(
    ("target", "error"),
    [
        ("/reset-before-head", "ConnectionResetError before the answer"),
        ("/close-mid-body", "closed within the answer"),
        ("/slow?ms=5000", "timeout"),
    ],
)
def test_what_goes_wrong_is_named(stub: StubUpstream, target: str, error: str) -> None:
    summary = asyncio.run(drive(plan(stub.url, target, rate=100, seconds=0.05, timeout=0.5)))
    assert summary.errors == {error: 5}
    assert len(summary.failures) == 5


def test_a_refused_connection_is_an_error_of_each_request() -> None:
    summary = asyncio.run(drive(plan(f"http://127.0.0.1:{free_port()}", "/", rate=100, seconds=0.1)))
    [(error, count)] = summary.errors.items()
    assert error.startswith("connect: ")
    assert count == 10
    assert math.isnan(summary.p50)


def test_without_keep_alive_every_request_has_its_connection(stub: StubUpstream) -> None:
    summary = asyncio.run(drive(plan(stub.url, "/", rate=100, seconds=0.2, keep_alive=False)))
    assert summary.statuses == {200: 20}
    assert len({result.connection for result in summary.results}) == 20


def test_a_server_that_closes_without_notice_is_seen_and_survived(stub: StubUpstream) -> None:
    summary = asyncio.run(drive(plan(stub.url, "/close-silently", rate=20, seconds=0.5)))
    assert summary.statuses == {200: 10}


def test_load_in_the_background_ends_when_told(stub: StubUpstream, tmp_path: Path) -> None:
    with background(plan(stub.url, "/", rate=500, seconds=60, name="background")) as load:
        while not any(line.request_id.startswith("background-") for line in stub.requests()):
            pass
        summary = load.stop()
    assert 1 <= len(summary.results) < 30_000
    assert summary.statuses == {200: len(summary.results)}


def test_a_thousand_requests_a_second_keep_their_schedule(stub: StubUpstream) -> None:
    with background(plan(stub.url, "/", rate=1000, seconds=1)) as load:
        summary = load.wait()
    assert summary.statuses == {200: 1000}
    # Loose, since the machine may be busy with other tests: had the generator waited for each answer it would lag more.
    assert summary.results[-1].sent - summary.results[0].sent < 5


def test_percentiles_are_ranks() -> None:
    assert percentile([1.0, 2.0, 3.0, 4.0], 50) == 2.0
    assert percentile([1.0, 2.0, 3.0, 4.0], 95) == 4.0
    assert percentile([7.0], 1) == 7.0
    assert math.isnan(percentile([], 50))


def test_errors_have_no_part_in_the_percentiles() -> None:
    def result(done: float, status: int, error: str) -> Result:
        return Result("r", "/", 0.0, 0.0, 0.0, done, status, "", error, 0)

    summary = summarise([result(0.1, 200, ""), result(9.0, 0, "timeout")])
    assert (summary.p99, summary.errors) == (0.1, {"timeout": 1})
