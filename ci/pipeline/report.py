"""Puts Markdown reports where reviewers see them: the summary of the run, and one comment on the pull or merge request.

Later runs replace that comment. Where there is no request, or no token for it, the reports are printed. GitHub:
PULL_REQUEST, GITHUB_REPOSITORY and GH_TOKEN. GitLab: REPORT_TOKEN, and what each job of a merge request has.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import urllib.parse
import urllib.request
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

MOST = 60_000
"""Bytes: a comment holds 65,536 characters."""
MARK = "<!-- reports of the pipeline -->"
"""How the note of an earlier run is found again."""
_WITHIN = 30


class NotPosted(Exception):
    """The other side refused it, or did not answer."""


def shortened(texts: Sequence[str]) -> str:
    """All of them, cut between two characters to what a comment holds."""
    return "\n".join(texts).encode()[:MOST].decode("utf-8", "ignore")


def on_github(text: str, environment: Mapping[str, str]) -> None:
    """Edit the last comment of this token's owner, or make one. Raises `NotPosted`."""
    with tempfile.NamedTemporaryFile("w", suffix=".md", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        command = ["gh", "pr", "comment", environment["PULL_REQUEST"], "--repo", environment["GITHUB_REPOSITORY"]]
        command += ["--body-file", file.name, "--edit-last", "--create-if-none"]
        try:
            done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=_WITHIN)
        except (OSError, subprocess.TimeoutExpired) as error:
            raise NotPosted(f"gh: {error}") from None
    if done.returncode:
        raise NotPosted(f"gh: {done.stderr.strip()}")


def on_gitlab(text: str, environment: Mapping[str, str]) -> None:
    """Replace the note that bears the mark, or make one. Raises `NotPosted`."""
    project, number = environment["CI_MERGE_REQUEST_PROJECT_ID"], environment["CI_MERGE_REQUEST_IID"]
    notes = f"{environment['CI_API_V4_URL']}/projects/{project}/merge_requests/{number}/notes"
    token = environment["REPORT_TOKEN"]
    found = _ask("GET", f"{notes}?per_page=100&order_by=updated_at&sort=desc", token)
    old = next((note["id"] for note in found if note["body"].startswith(MARK)), None)
    body = {"body": f"{MARK}\n{text}"}
    if old is None:
        _ask("POST", notes, token, body)
    else:
        _ask("PUT", f"{notes}/{old}", token, body)


def _ask(method: str, url: str, token: str, body: object = None) -> Any:
    data = None if body is None else json.dumps(body).encode()
    headers = {"PRIVATE-TOKEN": token, "Content-Type": "application/json"}
    request = urllib.request.Request(url, data, headers, method=method)  # noqa: S310 - GitLab's own address of its API
    try:
        with urllib.request.urlopen(request, timeout=_WITHIN) as answer:  # noqa: S310 - as above
            return json.load(answer)
    except (OSError, ValueError) as error:
        raise NotPosted(f"{method} {urllib.parse.urlsplit(url).path}: {error}") from None


def main(arguments: Sequence[str] | None = None) -> int:
    """``ci/report FILE...``."""
    parser = argparse.ArgumentParser(
        prog="ci/report", description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("files", nargs="+", type=Path, metavar="FILE")
    files: list[Path] = parser.parse_args(arguments).files
    missing = [str(file) for file in files if not file.is_file() or not file.stat().st_size]
    if missing:
        sys.stderr.write(f"report: there is no {', '.join(missing)}\n")
        return 1
    texts = [file.read_text(encoding="utf-8") for file in files]
    environment = os.environ
    if environment.get("GITHUB_STEP_SUMMARY"):
        with Path(environment["GITHUB_STEP_SUMMARY"]).open("a", encoding="utf-8") as summary:
            summary.write("\n".join(texts))
    short = shortened(texts)
    try:
        if environment.get("PULL_REQUEST") and environment.get("GH_TOKEN"):
            on_github(short, environment)
        elif environment.get("CI_MERGE_REQUEST_IID") and environment.get("REPORT_TOKEN"):
            on_gitlab(short, environment)
        else:
            sys.stdout.write(short)
    except NotPosted as error:
        sys.stderr.write(f"report: {error}\n")
        return 1
    return 0
