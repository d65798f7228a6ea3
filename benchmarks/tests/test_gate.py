"""The regression gate: slower is found, the same is not, a machine that grows slower by and by is no difference."""

import json
import os
import random
import subprocess
import sys
import time
from pathlib import Path

import pytest

from yardstick.gate.__main__ import compared
from yardstick.gate.blocks import GateError, Side, checked_out, medians
from yardstick.gate.injection import slowed
from yardstick.gate.judging import Group, Judged, Verdict, judge, markdown
from yardstick.gate.turns import ENDS, Turns, two_ends

BASE, CANDIDATE = Side("base", Path("a")), Side("candidate", Path("b"))


class Machine:
    """Gives what blocks take on a machine that is noisy and grows slower: 2 % from pair to pair."""

    def __init__(self, seed: int, times: float, noise: float = 0.02) -> None:
        self._chance = random.Random(seed)
        self._times = times
        self._noise = noise
        self._age = 1.0

    def pair(self, first: Side, second: Side) -> tuple[dict[str, float], dict[str, float]]:
        self._age *= 1.02
        return self._block(first), self._block(second)

    def _block(self, side: Side) -> dict[str, float]:
        own = self._times if side is CANDIDATE else 1.0
        return {name: own * self._age * self._chance.lognormvariate(0, self._noise) for name in ("one", "two")}


def judged(times: float, seed: int = 0, groups: int = 7, noise: float = 0.02) -> list[Judged]:
    found = compared(BASE, CANDIDATE, groups, Machine(seed, times, noise).pair)
    return [judge(name, its) for name, its in found.items()]


def test_ten_percent_are_found_and_nothing_is_not() -> None:
    found = [any(one.verdict is Verdict.SLOWER for one in judged(1.10, seed)) for seed in range(20)]
    assert sum(found) >= 19
    same = [one.verdict for seed in range(100) for one in judged(1.0, seed)]
    assert set(same) == {Verdict.UNCHANGED}


def test_a_change_below_the_threshold_is_none() -> None:
    assert {one.verdict for seed in range(20) for one in judged(1.03, seed, noise=0.001)} == {Verdict.UNCHANGED}


def test_on_a_noisy_machine_the_floor_rises_and_nothing_is_claimed() -> None:
    found = [one for seed in range(20) for one in judged(1.10, seed, noise=0.3)]
    assert min(one.floor for one in found) > 0.05
    assert sum(one.verdict is Verdict.SLOWER for one in found) <= 1


def test_what_got_faster_is_said() -> None:
    assert {one.verdict for one in judged(0.5)} == {Verdict.FASTER}


def test_few_groups_say_nothing() -> None:
    assert {one.verdict for one in judged(2.0, groups=4)} == {Verdict.UNKNOWN}


def test_a_machine_that_grows_slower_and_what_it_costs_to_begin_cancel_out() -> None:
    slower = Group(a1=1.0, b1=1.1, b2=2.2, a2=2.0)
    assert (slower.ratio, slower.null) == (pytest.approx(1.1), pytest.approx(1.0))
    beginning = Group(a1=1.3, b1=1.0, b2=1.3, a2=1.0)
    assert (beginning.ratio, beginning.null) == (pytest.approx(1.0), pytest.approx(1.3))


def test_the_report_has_what_is_slower_first() -> None:
    fine, slow = judge("fine", [Group(1, 1, 1, 1)] * 7), judge("slow", [Group(1, 2, 2, 1)] * 7)
    text = markdown([fine, slow], "main", "the working tree", 0.05)
    assert "**Slower by more than 5%, beyond the noise of this job: slow.**" in text
    assert text.index("| slow |") < text.index("| fine |")


def test_sides_that_do_not_have_the_same_benchmarks_cannot_be_judged() -> None:
    def pair(first: Side, second: Side) -> tuple[dict[str, float], dict[str, float]]:
        return {"both": 1.0}, {"both": 1.0, f"{second.name}'s own": 1.0}

    with pytest.raises(GateError, match="not all have base's own, candidate's own"):
        compared(BASE, CANDIDATE, 1, pair)
    with pytest.raises(GateError, match="there is no benchmark"):
        compared(BASE, CANDIDATE, 1, lambda first, second: ({}, {}))


def test_medians_are_read_from_a_report_of_pytest_benchmark() -> None:
    document = {"benchmarks": [{"name": "test_a[1]", "stats": {"median": 0.25, "mean": 9}}]}
    assert medians(json.dumps(document)) == {"test_a[1]": 0.25}


def test_a_slowdown_that_is_put_in_takes_its_share_more() -> None:
    def work() -> tuple[float, float]:
        began = time.perf_counter()
        while (now := time.perf_counter()) < began + 0.01:
            pass
        return began, now

    began, ended = slowed(work, 1.0)()
    assert time.perf_counter() - ended >= ended - began
    assert slowed(work, 0.0) is work


WORK = "def work():\n    return sum(range({}))\n"
SUITE = """\
import os

from thing import work
from yardstick.gate.turns import ENDS, Turns

turns = Turns.of(os.environ.get(ENDS))

def test_work(benchmark):
    benchmark.pedantic(work, setup=turns.take, rounds=20, warmup_rounds=2)
    turns.leave()
"""


def test_sides_take_turns_and_one_goes_on_alone_when_the_other_has_ended(tmp_path: Path) -> None:
    script = (
        "import os, sys\n"
        "from yardstick.gate.turns import ENDS, Turns\n"
        "turns = Turns.of(os.environ[ENDS])\n"
        "for _ in range(int(sys.argv[2])):\n"
        "    turns.take()\n"
        "    print(sys.argv[1], end='', flush=True)\n"
        "turns.leave()\n"
    )
    said = tmp_path / "said"
    with said.open("ab") as file, two_ends() as ends:
        sides = [
            subprocess.Popen(
                [sys.executable, "-c", script, name, str(count)],
                stdout=file,
                env={**os.environ, ENDS: its.named},
                pass_fds=(its.mine, its.other),
            )
            for name, count, its in zip("ab", (4, 7), ends, strict=True)
        ]
    assert [side.wait(10) for side in sides] == [0, 0]
    assert said.read_text() == "abababab" + "bbb"


def test_who_is_alone_waits_for_nobody() -> None:
    turns = Turns.of(None)
    turns.take()
    turns.take()
    turns.leave()


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """Its last commit does little; the working tree does four times as much."""
    source, suite = tmp_path / "monolith/src/thing.py", tmp_path / "benchmarks/in_process/test_work.py"
    for file, text in ((source, WORK.format(20_000)), (suite, SUITE)):
        file.parent.mkdir(parents=True)
        file.write_text(text)
    (tmp_path / "pytest.ini").write_text("[pytest]\n")
    for command in (
        ["init", "-q"],
        ["add", "."],
        ["-c", "user.name=a", "-c", "user.email=a@example.com", "commit", "-qm", "a"],
    ):
        subprocess.run(["git", *command], cwd=tmp_path, check=True)
    source.write_text(WORK.format(80_000))
    return tmp_path


def gate(repository: Path, *arguments: str) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-m", "yardstick.gate", *arguments]
    return subprocess.run(command, cwd=repository, capture_output=True, text=True, timeout=110, check=False)


def test_a_tree_that_does_four_times_as_much_is_stopped(repository: Path) -> None:
    done = gate(repository, "--base", "HEAD", "--groups", "5")
    assert (done.returncode, "beyond the noise of this job: test_work" in done.stdout) == (1, True), done
    assert (repository / "reports/bench-gate.md").read_text() == done.stdout.rstrip("\n") + "\n"
    worktrees = subprocess.run(["git", "worktree", "list"], cwd=repository, capture_output=True, text=True, check=True)
    assert len(worktrees.stdout.splitlines()) == 1, "the base's folder is gone"


def test_what_cannot_be_judged_is_told(repository: Path) -> None:
    done = gate(repository, "--base", "nowhere")
    assert (done.returncode, "nowhere is no commit here; fetch it" in done.stderr) == (2, True), done
    (repository / "monolith/src/thing.py").write_text("def work():\n    raise RuntimeError('broken')\n")
    done = gate(repository, "--base", "HEAD", "--groups", "1")
    assert (done.returncode, "the benchmarks fail with the sources of the working tree" in done.stderr) == (2, True), (
        done
    )


def test_the_base_is_checked_out_beside_and_removed(repository: Path) -> None:
    with checked_out(repository, "HEAD") as side:
        assert "range(20000)" in (side.tree / "monolith/src/thing.py").read_text()
        assert side.path == str(side.tree / "monolith/src")
        tree = side.tree
    assert not tree.exists()
