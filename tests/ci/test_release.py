"""Releases: version and changelog have to agree; nothing is tagged unless that was asked for."""

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from ci import workspace
from ci.workspace import commit, git
from pipeline.members import ROOT, members
from pipeline.release import NotReleasable, check_git, make_tag, push_tag, release

GOOD = "## [Unreleased]\n\n## [1.2.0] - 2026-11-28\n\n- Lists are sorted.\n\n## [1.1.0] - 2026-10-01\n\n- A.\n"
CHANGELOG = "extracted/catalog/CHANGELOG.md"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """The small workspace, with a version and a changelog that agree."""
    root = workspace.make(tmp_path / "repository")
    member = workspace.member("extracted/catalog", "catalog-service", "catalog_service", "chassis", version="1.2.0")
    workspace.write(root, {**member, CHANGELOG: GOOD})
    git(root, "init", "--quiet", "--initial-branch", "main")
    git(root, "config", "user.name", "t")
    git(root, "config", "user.email", "t@example.org")
    commit(root)
    return root


def test_a_release_has_a_tag_an_image_and_the_notes_of_its_version(root: Path) -> None:
    made = release("catalog", root, prefix="registry.example/shop/")
    assert (made.version, made.tag) == ("1.2.0", "catalog-service-v1.2.0")
    assert made.image == "registry.example/shop/catalog-service:1.2.0"
    assert made.notes == "- Lists are sorted."


@pytest.mark.parametrize(
    ("changelog", "why"),
    [
        ("# Changelog\n", "the newest version there is none, in pyproject.toml 1.2.0"),
        (GOOD.replace("1.2.0", "1.3.0"), "the newest version there is 1.3.0, in pyproject.toml 1.2.0"),
        (
            GOOD.replace("## [Unreleased]\n", "## [Unreleased]\n\n- More.\n"),
            r"what is under \[Unreleased\] belongs under",
        ),
        (GOOD.replace(" - 2026-11-28", ""), "1.2.0 has no date"),
        (GOOD.replace("- Lists are sorted.\n", ""), "1.2.0 has no notes"),
    ],
)
def test_a_changelog_that_does_not_agree_is_refused(changelog: str, why: str, root: Path) -> None:
    (root / CHANGELOG).write_text(changelog)
    with pytest.raises(NotReleasable, match=why):
        release("catalog", root)


def test_a_member_without_a_changelog_or_with_an_odd_version_is_refused(root: Path) -> None:
    with pytest.raises(NotReleasable, match=r"monolith/CHANGELOG.md is missing"):
        release("monolith", root)
    workspace.write(root, workspace.member("monolith", "shop", "shop", version="1.2"))
    with pytest.raises(NotReleasable, match=r"«1\.2» is no version"):
        release("monolith", root)


def test_a_tag_is_made_once_with_the_notes_and_pushed(root: Path, tmp_path: Path) -> None:
    git(tmp_path, "init", "--quiet", "--bare", "origin")
    git(root, "remote", "add", "origin", str(tmp_path / "origin"))
    made = release("catalog", root)
    check_git(made.tag, root)
    make_tag(made, root)
    push_tag(made, root)
    assert "- Lists are sorted." in git(tmp_path / "origin", "tag", "--list", "--format", "%(contents)")
    with pytest.raises(NotReleasable, match="is there already: raise the version"):
        check_git(made.tag, root)


def test_what_no_commit_holds_is_not_released(root: Path) -> None:
    (root / "Makefile").write_text("other:\n")
    with pytest.raises(NotReleasable, match="not committed"):
        check_git("catalog-service-v1.2.0", root)


def test_the_step_is_a_dry_run_unless_it_is_told_to_tag(root: Path) -> None:
    shutil.copytree(ROOT / "ci", root / "ci", dirs_exist_ok=True, ignore=shutil.ignore_patterns("__pycache__"))
    commit(root)

    def step(*arguments: str) -> subprocess.CompletedProcess[str]:
        command = [root / "ci" / "release", *arguments]
        surroundings = {**os.environ, "PYTHONDONTWRITEBYTECODE": "1", "IMAGE_PREFIX": "shop"}
        return subprocess.run(command, env=surroundings, capture_output=True, text=True, check=False)

    dry = step("catalog", "--json")
    assert dry.returncode == 0, dry.stderr
    assert json.loads(dry.stdout)["tagged"] is False
    assert git(root, "tag") == ""
    assert step("catalog", "--push").returncode == 2
    assert step("catalog", "--tag").returncode == 0
    assert git(root, "tag") == "catalog-service-v1.2.0"
    again = step("catalog")
    assert (again.returncode, again.stdout) == (1, "")


def test_every_service_has_a_changelog_of_its_own() -> None:
    services = [member for member in members() if member.folder.startswith("extracted/")]
    assert all((ROOT / member.folder / "CHANGELOG.md").is_file() for member in services)
