"""A worker's vitals: a late tick is measured, and what blocks the event loop is named while it blocks it."""

import asyncio
import logging
import threading
import time
from collections.abc import Callable

import pytest

from strangler.dataplane import vitals as module
from strangler.dataplane.vitals import Vitals
from strangler.telemetry.families.processes import LOOP_BLOCKED, LOOP_LAG, SNAPSHOT_AGE, WORKER_CPU, WORKER_MEMORY
from strangler.telemetry.meters import Meters

EVERY = 0.02


def block_the_loop(seconds: float) -> None:
    time.sleep(seconds)


def beating(patience: float, *work: Callable[[], None]) -> Meters:
    """Meters of an event loop that ticks, does the work, and ticks again."""

    async def live() -> Meters:
        meters = Meters()
        vitals = Vitals(meters, EVERY)
        loop = asyncio.get_running_loop()

        def tick() -> None:
            handles[0] = loop.call_later(EVERY, tick)
            vitals.tick()

        handles = [loop.call_later(EVERY, tick)]
        vitals.adopted(patience)
        for step in work:
            await asyncio.sleep(3 * EVERY)
            step()
        await asyncio.sleep(3 * EVERY)
        handles[0].cancel()
        vitals.watchdog.watch(0)
        return meters

    return asyncio.run(live())


def blocked(meters: Meters) -> float:
    return meters.of(LOOP_BLOCKED).value


def test_what_blocks_the_event_loop_is_named_with_its_stack(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        meters = beating(0.1, lambda: block_the_loop(0.6))
    assert blocked(meters) == 1
    (record,) = caplog.records
    assert "has been blocked for" in record.message
    assert "block_the_loop" in record.message


def test_every_block_is_counted_and_few_are_described(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        meters = beating(0.1, *[lambda: block_the_loop(0.5)] * 3)
    assert (blocked(meters), len(caplog.records)) == (3, 1)


def test_a_watchdog_with_more_patience_says_nothing(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        assert blocked(beating(30, lambda: block_the_loop(0.3))) == 0
    assert caplog.records == []


def test_a_watchdog_that_is_off_has_no_thread() -> None:
    before = threading.active_count()
    during: list[int] = []
    beating(0, lambda: during.append(threading.active_count()))
    assert during == [before]


def test_a_machine_that_stands_still_is_not_the_event_loops_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    """Seen by the watchdog's own wait, which took longer than it should have."""
    real = threading.Event.wait

    def slow(event: threading.Event, timeout: float | None = None) -> bool:
        result = real(event, timeout)
        if threading.current_thread().name == "watchdog":
            real(threading.Event(), 0.3)
        return result

    monkeypatch.setattr(module.threading.Event, "wait", slow)
    assert blocked(beating(0.1, lambda: block_the_loop(0.6))) == 0


def test_the_lag_of_the_event_loop_is_measured() -> None:
    meters = beating(0, lambda: block_the_loop(0.3))
    ((name, labels, buckets, total),) = meters.distributions()
    assert (name, labels) == (LOOP_LAG.name, ())
    late = sum(buckets[LOOP_LAG.bounds.index(0.25) :])
    assert late >= 1
    assert total > 0.2


def test_the_process_says_what_it_uses_and_how_old_its_snapshot_is() -> None:
    meters = beating(0)
    counters, gauges = meters.values()
    assert {name: value for name, _, value in counters}[WORKER_CPU.name] > 0
    values = {name: value for name, _, value in gauges}
    assert values[WORKER_MEMORY.name] > 10_000_000
    assert 0 <= values[SNAPSHOT_AGE.name] < 30
