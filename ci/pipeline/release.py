"""Releases one member: version, its own changelog, tag, name of the image. A dry run unless told otherwise.

Refuses (exit status 1) where version and changelog disagree, where notes stand under no version, where the tag is there
already, or where the tree has changes that no commit holds.
"""

import argparse
import base64
import json
import os
import re
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from pipeline.members import ROOT, WorkspaceIsWrong, members, named

_HEADING = re.compile(r"^## \[(?P<version>[^\]]+)\](?: - (?P<date>\d{4}-\d{2}-\d{2}))?\s*$", re.MULTILINE)
_VERSION = re.compile(r"\d+\.\d+\.\d+(?:(?:a|b|rc)\d+)?")


class NotReleasable(Exception):
    """It must not be released like that; the message says what to change."""


@dataclass(frozen=True, slots=True)
class Release:
    """What is to be tagged."""

    member: str
    version: str
    tag: str
    image: str
    notes: str
    """The section of the changelog."""


def release(name: str, root: Path = ROOT, prefix: str = "strangler") -> Release:
    """Look at version and changelog; `prefix` is what stands before the image's name, a registry's address perhaps."""
    member = named(name, members(root))
    if not _VERSION.fullmatch(member.version):
        raise NotReleasable(f"{member.folder}/pyproject.toml: «{member.version}» is no version like 1.4.0 or 1.4.0rc1")
    changelog = root / member.folder / "CHANGELOG.md"
    if not changelog.is_file():
        raise NotReleasable(f"{member.folder}/CHANGELOG.md is missing; form: ## [{member.version}] - YYYY-MM-DD")
    notes = _section(changelog.read_text(encoding="utf-8"), member.version, f"{member.folder}/CHANGELOG.md")
    image = f"{prefix.rstrip('/')}/{member.distribution}:{member.version}"
    return Release(member.name, member.version, f"{member.distribution}-v{member.version}", image, notes)


def _section(text: str, version: str, where: str) -> str:
    """The notes of that version, which has to be the newest, with a date, and nothing after it unreleased."""
    headings = list(_HEADING.finditer(text))
    ends = [*(heading.start() for heading in headings[1:]), len(text)]
    found = [(heading, text[heading.end() : end].strip()) for heading, end in zip(headings, ends, strict=False)]
    if found and found[0][0]["version"].lower() == "unreleased":
        if found[0][1]:
            raise NotReleasable(f"{where}: what is under [Unreleased] belongs under ## [{version}] - YYYY-MM-DD")
        found = found[1:]
    if not found or found[0][0]["version"] != version:
        newest = found[0][0]["version"] if found else "none"
        raise NotReleasable(f"{where}: the newest version there is {newest}, in pyproject.toml {version}")
    heading, notes = found[0]
    if not heading["date"] or not notes:
        raise NotReleasable(f"{where}: {version} has no {'notes' if heading['date'] else 'date'}")
    return notes


def check_git(tag: str, root: Path = ROOT) -> None:
    """Refuse if the tag is there, or if the tree is not what the commit is."""
    if not _git(root, "rev-parse", "--verify", "--quiet", f"refs/tags/{tag}").returncode:
        raise NotReleasable(f"the tag {tag} is there already: raise the version")
    status = _git(root, "status", "--porcelain", "--untracked-files=no")
    if status.returncode or status.stdout.strip():
        raise NotReleasable("there are changes that are not committed")


def make_tag(made: Release, root: Path = ROOT) -> None:
    """Tag HEAD, the notes as the tag's message."""
    done = _git(root, "tag", "--annotate", "--cleanup=verbatim", made.tag, "--message", f"{made.tag}\n\n{made.notes}\n")
    if done.returncode:
        raise NotReleasable(f"git tag: {done.stderr.strip()}")


def push_tag(made: Release, root: Path = ROOT) -> None:
    """Push the tag to origin; with GITHUB_TOKEN, if that is set, which no argument and no file shows."""
    more = {}
    if token := os.environ.get("GITHUB_TOKEN"):
        server = os.environ.get("GITHUB_SERVER_URL", "https://github.com")
        basic = base64.b64encode(f"x-access-token:{token}".encode()).decode()
        more = {
            "GIT_CONFIG_COUNT": "1",
            "GIT_CONFIG_KEY_0": f"http.{server}/.extraheader",
            "GIT_CONFIG_VALUE_0": f"AUTHORIZATION: basic {basic}",
        }
    done = _git(root, "push", "origin", f"refs/tags/{made.tag}", **more)
    if done.returncode:
        raise NotReleasable(f"git push: {done.stderr.strip()}")


def _git(root: Path, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    command, surroundings = ["git", "-C", str(root), *arguments], os.environ | environment
    return subprocess.run(command, env=surroundings, capture_output=True, text=True, check=False)


def main(arguments: Sequence[str] | None = None) -> int:
    """``ci/release MEMBER [--tag]``."""
    parser = argparse.ArgumentParser(
        prog="ci/release", description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("member", help="its folder's name")
    parser.add_argument("--tag", action="store_true", help="make the tag; without it this is a dry run")
    parser.add_argument("--push", action="store_true", help="push the tag that was made to origin")
    parser.add_argument("--json", action="store_true", help="print one JSON document")
    options = parser.parse_args(arguments)
    if options.push and not options.tag:
        parser.error("--push needs --tag")
    try:
        made = release(options.member, prefix=os.environ.get("IMAGE_PREFIX") or "strangler")
        check_git(made.tag)
        if options.tag:
            make_tag(made)
            if options.push:
                push_tag(made)
    except (NotReleasable, WorkspaceIsWrong) as error:
        sys.stderr.write(f"release: {error}\n")
        return 2 if isinstance(error, WorkspaceIsWrong) else 1
    if options.json:
        document = {"member": made.member, "version": made.version, "tag": made.tag, "image": made.image}
        sys.stdout.write(json.dumps(document | {"tagged": options.tag, "notes": made.notes}) + "\n")
    else:
        tagged = "made" if options.tag else "not made: this is a dry run, --tag makes it"
        sys.stdout.write(
            f"version  {made.version}\ntag      {made.tag}, {tagged}\nimage    {made.image}\n\n{made.notes}\n"
        )
    return 0
