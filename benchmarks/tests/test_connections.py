"""Idle and stalled connections are counted for what they take; latencies count from when a request was due."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import orjson
import pytest
from typer.testing import CliRunner

from yardstick.gateway.connections import app
from yardstick.gateway.latency import latencies, percentile
from yardstick.gateway.profiling import app as profiling


@asynccontextmanager
async def server(pause_at: int, pause: float) -> AsyncIterator[int]:
    """Answers at once, but for one request that it lets wait; nobody else is served meanwhile."""
    count = 0
    one_at_a_time = asyncio.Lock()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal count
        try:
            while await reader.readuntil(b"\r\n\r\n"):
                async with one_at_a_time:
                    count += 1
                    if count == pause_at:
                        await asyncio.sleep(pause)
                    writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
        except asyncio.IncompleteReadError:
            writer.close()

    running = await asyncio.start_server(serve, "127.0.0.1", 0)
    try:
        yield running.sockets[0].getsockname()[1]
    finally:
        running.close()


def test_one_slow_answer_shows_in_all_requests_that_were_due_meanwhile() -> None:
    async def measure() -> list[float]:
        async with server(pause_at=50, pause=0.5) as port:
            return await latencies(port, rate=100, seconds=1.5, connections=2)

    measured = asyncio.run(measure())
    assert len(measured) == 150
    # A closed loop would have seen two slow requests; half a second at this rate is fifty.
    assert sum(latency > 0.1 for latency in measured) >= 30


def test_a_percentile_is_that_of_the_sorted_values() -> None:
    assert percentile([float(value) for value in range(1001)], 0.99) == pytest.approx(990)


def test_an_idle_connection_costs_less_than_eight_kibibytes(tmp_path: Path) -> None:
    arguments = ["idle", "--connections", "1000", "--groups", "1", "--seconds", "0.5", "--rate", "200"]
    ran = CliRunner().invoke(app, [*arguments, "--reports", str(tmp_path)], catch_exceptions=False)
    assert ran.exit_code == 0
    report = orjson.loads((tmp_path / "bench-idle.json").read_bytes())
    each = {one["peer"]: one["bytes_each"] for one in report["held"]}
    assert 0 < each["strangler"] < 8192
    assert len(report["ratios"]) == 1


def test_stalled_streams_are_measured_both_ways(tmp_path: Path) -> None:
    ran = CliRunner().invoke(app, ["streams", "--count", "20", "--reports", str(tmp_path)], catch_exceptions=False)
    assert ran.exit_code == 0
    report = orjson.loads((tmp_path / "bench-streams.json").read_bytes())
    assert [one["what"] for one in report["held"]] == ["stalled downloads", "stalled uploads"]


def test_a_profile_names_the_functions_of_a_request(tmp_path: Path) -> None:
    arguments = ["--batches", "5", "--reports", str(tmp_path)]
    ran = CliRunner().invoke(profiling, arguments, catch_exceptions=False)
    assert ran.exit_code == 0
    report = orjson.loads((tmp_path / "bench-profile.json").read_bytes())
    calls = {one["function"]: one["calls"] for one in report["functions"]}
    assert calls["http1/request.py: parse"] == calls["http1/response.py: parse"] == 1
