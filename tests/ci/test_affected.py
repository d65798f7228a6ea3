"""`ci/affected` on real git repositories: commits, renames, deletions, clones without history, and what it prints."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from ci import workspace
from ci.workspace import commit, git
from pipeline.affected import affected, main
from pipeline.changes import NoComparison, changed
from pipeline.members import ROOT

SERVICE = "extracted/catalog/src/catalog_service/service.py"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """The small workspace, with one commit."""
    made = workspace.make(tmp_path / "repository")
    git(made, "init", "--quiet", "--initial-branch", "main")
    commit(made, "the first")
    return made


def test_what_the_other_branch_did_meanwhile_is_no_change(root: Path) -> None:
    git(root, "checkout", "--quiet", "-b", "work")
    (root / SERVICE).write_text("x = 1\n")
    commit(root)
    git(root, "checkout", "--quiet", "main")
    (root / "Makefile").write_text("other:\n")
    commit(root)
    git(root, "checkout", "--quiet", "work")
    assert changed("main", root=root) == [SERVICE]
    assert affected("main", root).isolation == ("catalog",)


def test_a_file_that_moves_counts_where_it_was_and_where_it_is(root: Path) -> None:
    base = git(root, "rev-parse", "HEAD")
    git(root, "mv", SERVICE, "monolith/src/shop/service.py")
    commit(root)
    assert changed(base, root=root) == [SERVICE, "monolith/src/shop/service.py"]
    assert affected(base, root).isolation == ("catalog", "monolith")


def test_a_file_that_is_deleted_counts(root: Path) -> None:
    base = git(root, "rev-parse", "HEAD")
    git(root, "rm", "--quiet", SERVICE)
    commit(root)
    assert affected(base, root).isolation == ("catalog",)


def test_a_member_that_is_deleted_concerns_all(root: Path) -> None:
    base = git(root, "rev-parse", "HEAD")
    git(root, "rm", "-r", "--quiet", "extracted/catalog")
    commit(root)
    assert affected(base, root).isolation == ("chassis", "kit", "monolith")


def test_names_with_blanks_line_ends_and_foreign_letters_are_read_whole(root: Path) -> None:
    base = git(root, "rev-parse", "HEAD")
    (root / "docs" / "a page\nof ours, größer.md").write_text("x")
    commit(root)
    assert changed(base, root=root) == ["docs/a page\nof ours, größer.md"]


@pytest.mark.parametrize("base", ["", "0" * 40])
def test_a_branch_without_a_commit_before_it_is_all_new(base: str, root: Path) -> None:
    assert changed(base, root=root) is None
    assert set(affected(base, root).isolation) == {"kit", "chassis", "catalog", "monolith"}


def test_no_common_commit_is_an_error_that_says_so(root: Path) -> None:
    git(root, "checkout", "--quiet", "--orphan", "other")
    commit(root)
    with pytest.raises(NoComparison, match="«main» and «HEAD» have no common commit; name"):
        changed("main", root=root)


def test_an_unknown_commit_is_an_error_and_no_option_for_git(root: Path) -> None:
    with pytest.raises(NoComparison, match="git does not know the commit «nowhere»"):
        changed("nowhere", root=root)
    with pytest.raises(NoComparison, match="does not know"):
        changed("--output=stolen", root=root)
    assert not (root / "stolen").exists()


def test_a_shallow_clone_is_told_to_fetch_its_history(root: Path, tmp_path: Path) -> None:
    base = git(root, "rev-parse", "HEAD")
    (root / SERVICE).write_text("x = 1\n")
    commit(root)
    shallow = tmp_path / "shallow"
    git(tmp_path, "clone", "--quiet", "--depth", "1", f"file://{root}", str(shallow))
    with pytest.raises(NoComparison, match="shallow clone; fetch its history first"):
        changed(base, root=shallow)


def test_images_are_left_out_until_there_is_a_step_that_builds_them(root: Path) -> None:
    assert affected(None, root).images == ()
    step = root / "ci" / "images"
    step.write_text("#!/bin/sh\n")
    step.chmod(0o755)
    assert affected(None, root).images == ("catalog", "monolith")


# The command


def test_the_matrix_of_github_actions_is_in_its_outputs(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    output = tmp_path / "output"
    monkeypatch.setenv("GITHUB_OUTPUT", str(output))
    assert main(["--base", "HEAD", "--github"]) == 0
    lines = dict(line.split("=", 1) for line in output.read_text().splitlines())
    assert {name: json.loads(value) for name, value in lines.items()} == {
        "tests": [], "isolation": [], "images": [], "benchmarks": False,
    }  # fmt: skip


def test_it_runs_before_anything_is_installed() -> None:
    """By Python's standard library alone: -S and -I would hide a virtual environment's packages."""
    done = subprocess.run(
        [sys.executable, "-S", ROOT / "ci" / "affected", "--all", "--list", "isolation"],
        env={"PATH": os.environ["PATH"]}, capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert {"catalog", "chassis", "monolith", "kit", "strangler-gateway"} == set(done.stdout.split())
    assert "catalog: all was asked for" in done.stderr


def test_what_cannot_be_compared_has_an_exit_status_of_its_own(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--base", "nowhere"]) == 2
    assert "affected: git does not know the commit «nowhere»" in capsys.readouterr().err
