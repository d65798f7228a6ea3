"""The small steps: that `make test` and CI call the same ones, suites, replays, and where reports go."""

import os
import re
import subprocess
from pathlib import Path

import pytest

from pipeline.members import ROOT
from pipeline.paths import paths


def run(*command: str | Path, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command, cwd=ROOT, env={**os.environ, **environment}, capture_output=True, text=True, check=False, timeout=60
    )


def calls(file: str) -> list[str]:
    return re.findall(r"^(?:\t@|exec )?((?:ci/|make )[a-z]+)", (ROOT / file).read_text(), re.MULTILINE)


def test_make_and_ci_call_the_same_steps() -> None:
    assert calls(".ci/run") == ["ci/packages", "make test"]
    assert {"ci/test", "ci/check", "ci/benchmarks", "ci/isolation"} <= set(calls("Makefile"))
    assert calls("ci/test") == ["ci/check", "ci/suite"]
    assert calls("ci/check") == ["ci/lint", "ci/types", "ci/contracts"]


def test_every_step_can_be_executed_and_says_what_it_does() -> None:
    for step in (ROOT / "ci").iterdir():
        if step.is_file() and not step.suffix and step.name != "environment":
            first, second = step.read_text(encoding="utf-8").splitlines()[:2]
            assert os.access(step, os.X_OK), step
            assert first.startswith("#!/usr/bin/env "), step
            assert second.startswith(("# ", '"""')), step


def test_paths_of_members_and_suites_come_once_each() -> None:
    assert paths(["catalog", "kit", "catalog"]) == ["extracted/catalog/tests", "strangler-gateway/kit/tests"]
    assert "tests/docs" in paths(["docs"])


def test_a_suite_that_is_none_is_an_error_and_runs_nothing() -> None:
    done = run(ROOT / "ci" / "suite", "catalogue")
    assert done.returncode == 2
    assert "there is no member or suite «catalogue»" in done.stderr


def test_a_replay_passes_the_exit_status_of_the_command_on(tmp_path: Path) -> None:
    assert run(ROOT / "ci" / "replay").returncode == 2
    assert run(ROOT / "ci" / "replay", tmp_path / "nothing.jsonl", "http://127.0.0.1:1").returncode == 2


@pytest.fixture
def report(tmp_path: Path) -> Path:
    found = tmp_path / "report.md"
    found.write_text("| größer |\n" * 9000, encoding="utf-8")
    return found


def stub(folder: Path, name: str) -> str:
    """A program that writes down what it is given; for PATH."""
    program = folder / "bin" / name
    program.parent.mkdir()
    each = """case $a in body@*) cat "${a#body@}" ;; /*) cat "$a" ;; *) echo "$a" ;; esac"""
    keep = f'for a in "$@"; do {each}; done'
    program.write_text(f"#!/bin/bash\n{{ {keep}; [ -t 0 ] || cat; }} >'{folder}/given'\n")
    program.chmod(0o755)
    return f"{program.parent}:{os.environ['PATH']}"


def test_a_report_is_printed_where_there_is_no_pull_request(report: Path, tmp_path: Path) -> None:
    summary = tmp_path / "summary"
    done = run(ROOT / "ci" / "report", report, GITHUB_STEP_SUMMARY=str(summary))
    assert done.returncode == 0, done.stderr
    assert summary.read_text() == report.read_text()
    assert 50_000 < len(done.stdout.encode()) <= 60_000, "what a comment holds, cut between characters"


def test_a_report_becomes_one_comment_of_a_pull_request(report: Path, tmp_path: Path) -> None:
    here = {"GH_TOKEN": "secret", "PULL_REQUEST": "7", "GITHUB_REPOSITORY": "a/b", "TMPDIR": str(tmp_path)}
    done = run(ROOT / "ci" / "report", report, PATH=stub(tmp_path, "gh"), **here)
    assert done.returncode == 0, done.stderr
    given = (tmp_path / "given").read_text()
    assert given.startswith("pr\ncomment\n7\n--repo\na/b\n")
    assert "--edit-last\n--create-if-none" in given
    assert "secret" not in given


def test_a_report_becomes_a_note_of_a_merge_request_and_no_argument_shows_the_token(
    report: Path, tmp_path: Path
) -> None:
    here = {
        "CI_MERGE_REQUEST_IID": "7",
        "CI_MERGE_REQUEST_PROJECT_ID": "3",
        "CI_API_V4_URL": "https://host.example/api",
    }
    done = run(ROOT / "ci" / "report", report, PATH=stub(tmp_path, "curl"), REPORT_TOKEN="secret", **here)
    assert done.returncode == 0, done.stderr
    given = (tmp_path / "given").read_text()
    assert "https://host.example/api/projects/3/merge_requests/7/notes" in given
    assert given.endswith("PRIVATE-TOKEN: secret\n"), "through a pipe"
    assert given.count("secret") == 1


def test_there_is_no_report_without_its_file(tmp_path: Path) -> None:
    assert run(ROOT / "ci" / "report", tmp_path / "nothing.md").returncode == 1
