"""Shadows on SQLite: one at a time, and a pause after each that is as much longer as their share of the time says."""

import asyncio
import time
from itertools import pairwise
from pathlib import Path

import pytest
from sqlalchemy import make_url

from chassis.database import Database
from chassis.shadow import Shadow
from chassis.shadow_turns import Turns
from strangler_kit.effects import recording


def test_turns_come_one_after_the_other_with_pauses_between() -> None:
    async def scene() -> None:
        turns, ends, at_once = Turns(share=0.25, patience=10.0), [], 0

        async def shadow() -> None:
            nonlocal at_once
            await turns.take()
            began = time.perf_counter()
            at_once += 1
            assert at_once == 1
            await asyncio.sleep(0.02)
            at_once -= 1
            turns.give_back(seconds=0.02)
            ends.append((began, time.perf_counter()))

        await asyncio.gather(*(shadow() for _ in range(4)))
        for (_, ended), (began, _) in pairwise(ends):
            assert began - ended >= 0.9 * 3 * 0.02, "three times as long as the turn"

    asyncio.run(scene())


def test_who_waits_too_long_for_a_turn_goes_without_and_is_in_nobodys_way() -> None:
    async def scene() -> None:
        turns = Turns(share=0.5, patience=0.01)
        await turns.take()
        with pytest.raises(TimeoutError):
            await turns.take()
        turns.give_back(seconds=0.1)
        with pytest.raises(TimeoutError):
            await turns.take()
        patient = Turns(share=0.5, patience=10.0)
        await patient.take()
        waiting = asyncio.create_task(patient.take())
        await asyncio.sleep(0)
        waiting.cancel()
        patient.give_back(seconds=0.0)
        await patient.take()

    asyncio.run(scene())


def test_whoever_cannot_have_a_turn_in_time_does_not_wait_for_it() -> None:
    async def scene() -> None:
        turns = Turns(share=0.5, patience=1.0)
        await turns.take()
        turns.give_back(seconds=0.4)
        first = asyncio.create_task(turns.take())
        await asyncio.sleep(0)
        with pytest.raises(TimeoutError):
            turns.take().send(None)  # Not even a turn of the event loop: 0.4 s of pause, and the other's 0.8.
        await first
        turns.give_back(seconds=2.0)
        with pytest.raises(TimeoutError):
            turns.take().send(None)

    asyncio.run(scene())


def test_a_shadow_that_stood_still_does_not_end_all_others(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("chassis.shadow_turns.LONGEST_PAUSE", 0.1)

    async def scene() -> None:
        turns = Turns(share=0.01, patience=5.0)
        await turns.take()
        turns.give_back(seconds=60.0)
        await turns.take()

    asyncio.run(scene())


@pytest.mark.parametrize("share", [0.0, -0.1, 1.1, float("nan")])
def test_a_share_that_is_none_is_refused(share: float, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="a share of the time above 0 and up to 1, not "):
        Database(make_url(f"sqlite+aiosqlite:///{tmp_path / 'here.db'}"), shadow_share=share)


def test_a_turn_that_changed_nothing_costs_no_pause() -> None:
    async def scene() -> None:
        turns = Turns(share=0.001, patience=0.05)
        for _ in range(20):
            await turns.take()
            turns.give_back(seconds=0.0)

    asyncio.run(scene())


def test_on_sqlite_a_shadow_begins_when_the_one_before_is_over(tmp_path: Path) -> None:
    async def scene() -> None:
        database = Database(make_url(f"sqlite+aiosqlite:///{tmp_path / 'here.db'}"), shadow_share=1.0)
        with recording() as effects:
            first = await database.begin_shadow(Shadow([], effects))
            other = asyncio.create_task(database.begin_shadow(Shadow([], effects)))
            done, _ = await asyncio.wait({other}, timeout=0.4)
            assert not done, "it has not tried either: SQLite would have waited for 200 ms, and refused it"
            await first.end()
            await (await other).end()
        await database.dispose()

    asyncio.run(scene())


def test_a_database_leaves_others_their_share(tmp_path: Path) -> None:
    async def scene() -> None:
        database = Database(make_url(f"sqlite+aiosqlite:///{tmp_path / 'here.db'}"), shadow_share=0.05)
        with recording() as effects:
            first = await database.begin_shadow(Shadow([], effects))
            await asyncio.sleep(0.02)
            await first.end()
            ended = time.perf_counter()
            await (await database.begin_shadow(Shadow([], effects))).end()
        assert time.perf_counter() - ended >= 0.9 * 19 * first.seconds
        await database.dispose()

    asyncio.run(scene())
