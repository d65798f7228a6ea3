"""Reads the four pipelines as their engines do, as far as checks need: jobs, command lines, variables."""

import json
import os
import re
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from pipeline.members import ROOT

WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
GITLAB, CIRCLECI, JENKINS = ROOT / ".gitlab-ci.yml", ROOT / ".circleci" / "config.yml", ROOT / "Jenkinsfile"
_OF_GITLAB = {"workflow", "stages", "default", "variables", "include"}
_SH = re.compile(r"""\bsh\s*(?:\(\s*script:\s*)?(?P<quoted>'(?P<single>[^'\n]*)'|\S+)""")


def load(path: Path) -> dict[str, Any]:
    """A YAML or JSON file. GitHub's key `on` is read as the boolean that YAML 1.1 makes of it."""
    document = yaml.safe_load(path.read_text(encoding="utf-8"))
    assert isinstance(document, dict), path
    return document


@dataclass(frozen=True, slots=True)
class Job:
    """One job of GitLab, with what `default` and the global variables give it, for one cell of its matrix."""

    name: str
    script: tuple[str, ...]
    variables: Mapping[str, str]

    def run(self, folder: Path, **predefined: str) -> subprocess.CompletedProcess[str]:
        """As a runner does: all lines in one shell that ends at the first failure, variables as environment."""
        values = {name: os.path.expandvars(value) for name, value in self.variables.items()}
        kept = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
        script = "set -eo pipefail\n" + "\n".join(self.script)
        return subprocess.run(
            ["bash", "-c", script], cwd=folder, env={**kept, **predefined, **values},
            capture_output=True, text=True, check=False, timeout=60,
        )  # fmt: skip


def gitlab_jobs(document: Mapping[str, Any]) -> list[Job]:
    """Each job that runs a script, once for each cell of its matrix."""
    default, common = document.get("default", {}), document.get("variables", {})
    jobs = []
    for name, job in document.items():
        if name in _OF_GITLAB or name.startswith(".") or "script" not in job:
            continue
        before = job.get("before_script", default.get("before_script", []))
        for cell in _cells(job.get("parallel", {}).get("matrix", [{}])):
            variables = {**common, **job.get("variables", {}), **cell}
            jobs.append(Job(name, (*before, *job["script"]), variables))
    return jobs


def _cells(matrix: list[dict[str, list[str]]]) -> Iterator[dict[str, str]]:
    for row in matrix:
        assert len(row) <= 1, "one variable is all that these pipelines have"
        yield from ({name: value} for name, values in row.items() for value in values)
        if not row:
            yield {}


def github_lines(path: Path) -> list[str]:
    """What the steps of all jobs run."""
    return [step["run"] for job in load(path)["jobs"].values() for step in job["steps"] if "run" in step]


def github_uses(path: Path) -> list[tuple[str, str]]:
    """Each action with the comment behind it."""
    return re.findall(r"uses:\s*(\S+)(?:[ \t]+#[ \t]*(\S+))?", path.read_text(encoding="utf-8"))


def circleci_lines(document: Mapping[str, Any]) -> list[str]:
    """What the steps of all jobs run."""
    runs = [step["run"] for job in document["jobs"].values() for step in job["steps"] if "run" in step]
    return [run if isinstance(run, str) else run["command"] for run in runs]


def jenkins_lines(text: str) -> list[str]:
    """What `sh` steps run; one that Groovy would fill in is returned with its quotes, which is no step of ci/."""
    return [found["single"] if found["single"] is not None else found["quoted"] for found in _SH.finditer(text)]


def jenkins_stages(text: str) -> list[str]:
    return re.findall(r"\bstage\('([^']+)'\)", _without_comments(text))


def unbalanced(text: str) -> str:
    """Say where brackets of a Groovy file do not match, strings and comments left out; empty if they do."""
    pairs, opened = {")": "(", "]": "[", "}": "{"}, list[tuple[str, int]]()
    for number, line in enumerate(_without_comments(text).splitlines(), 1):
        for sign in re.sub(r"'(?:\\.|[^'\\])*'|\"(?:\\.|[^\"\\])*\"", "", line):
            if sign in pairs.values():
                opened.append((sign, number))
            elif sign in pairs and (not opened or opened.pop()[0] != pairs[sign]):
                return f"line {number}: {sign}"
    return f"line {opened[-1][1]}: {opened[-1][0]} is never closed" if opened else ""


def _without_comments(text: str) -> str:
    return re.sub(r"(?m)^\s*//.*$", "", text)


@cache
def generated(form: str, *more: str, root: Path = ROOT) -> dict[str, Any]:
    """What `ci/affected` writes for an engine."""
    command = [root / "ci" / "affected", f"--{form}", *(more or ("--all",))]
    done = subprocess.run(command, cwd=root, capture_output=True, text=True, check=True)
    document: dict[str, Any] = json.loads(done.stdout)
    return document
