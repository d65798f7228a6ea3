"""Counting instructions: what takes twice as many is seen to, and every function that is counted can be called."""

import asyncio
import sys

import pytest
from typer.testing import CliRunner

from strangler.dataplane.worker import Worker  # noqa: F401 - first of all, as a worker's process has it
from yardstick.gateway.__main__ import app
from yardstick.gateway.instructions import counted
from yardstick.gateway.parts import PARTS, call


def turns(number: int) -> int:
    return counted([sys.executable, "-S", "-c", f"for _ in range({number}): pass"])


def test_the_same_work_takes_as_many_each_time_and_twice_the_work_twice_as_many() -> None:
    few, more, most = (turns(number) for number in (50_000, 100_000, 150_000))
    assert more > few
    assert (most - more) / (more - few) == pytest.approx(1, rel=0.02)


@pytest.mark.parametrize("name", PARTS)
def test_what_is_counted_works(name: str) -> None:
    asyncio.run(call(name, 1))


def test_a_function_that_is_none_and_a_missing_valgrind_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    unknown = CliRunner().invoke(app, ["instructions", "--part", "rout"])
    assert (unknown.exit_code, "there is only request-head" in unknown.output) == (2, True)
    monkeypatch.setenv("PATH", "")
    missing = CliRunner().invoke(app, ["instructions", "--part", "route"])
    assert (missing.exit_code, "apt-get install valgrind" in missing.output) == (1, True)
