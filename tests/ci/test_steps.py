"""The small steps: that `make test` and CI call the same ones, suites, replays, and where reports go."""

import json
import os
import re
import subprocess
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import ClassVar

import pytest

from pipeline.members import ROOT
from pipeline.paths import paths
from pipeline.report import MARK


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
    each = """case $a in /*) cat "$a" ;; *) echo "$a" ;; esac"""
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


class Notes(BaseHTTPRequestHandler):
    """The notes of a merge request, as GitLab has them."""

    bodies: ClassVar[dict[int, str]]
    tokens: ClassVar[set[str | None]]

    def do_GET(self) -> None:
        self._answer([{"id": number, "body": body} for number, body in self.bodies.items()])

    def do_POST(self) -> None:
        self._keep(len(self.bodies) + 1)

    def do_PUT(self) -> None:
        self._keep(int(self.path.rpartition("/")[2]))

    def _keep(self, number: int) -> None:
        self.bodies[number] = json.loads(self.rfile.read(int(self.headers["Content-Length"])))["body"]
        self._answer({"id": number})

    def _answer(self, document: object) -> None:
        self.tokens.add(self.headers["PRIVATE-TOKEN"])
        found = self.path.partition("?")[0].startswith("/api/projects/3/merge_requests/7/notes")
        self.send_response(200 if found else 404)
        self.end_headers()
        self.wfile.write(json.dumps(document).encode())

    def log_message(self, *_: object) -> None:
        pass


def test_a_report_becomes_one_note_of_a_merge_request_that_the_next_replaces(report: Path, tmp_path: Path) -> None:
    Notes.bodies, Notes.tokens = {1: "looks good"}, set()
    with HTTPServer(("127.0.0.1", 0), Notes) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        here = {"CI_MERGE_REQUEST_IID": "7", "CI_MERGE_REQUEST_PROJECT_ID": "3", "REPORT_TOKEN": "secret"}
        here["CI_API_V4_URL"] = f"http://127.0.0.1:{server.server_port}/api"
        try:
            first = run(ROOT / "ci" / "report", report, **here)
            assert (first.returncode, first.stdout) == (0, ""), first.stderr
            report.write_text("slower", encoding="utf-8")
            assert run(ROOT / "ci" / "report", report, **here).returncode == 0
            refused = run(ROOT / "ci" / "report", report, **{**here, "CI_MERGE_REQUEST_IID": "8"})
        finally:
            server.shutdown()
    assert (refused.returncode, "404" in refused.stderr, "secret" in refused.stderr) == (1, True, False)
    assert Notes.tokens == {"secret"}
    assert Notes.bodies == {1: "looks good", 2: f"{MARK}\nslower"}


def test_there_is_no_report_without_its_file(tmp_path: Path) -> None:
    assert run(ROOT / "ci" / "report", tmp_path / "nothing.md").returncode == 1
