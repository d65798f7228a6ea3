"""The four pipelines: valid for their engines, calling only steps that there are, pinned, with few rights, alike."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from ci import workspace
from ci.definitions import (
    CIRCLECI,
    GITLAB,
    JENKINS,
    WORKFLOWS,
    Job,
    circleci_lines,
    generated,
    github_lines,
    github_uses,
    gitlab_jobs,
    jenkins_lines,
    jenkins_stages,
    load,
    unbalanced,
)
from pipeline.members import ROOT

BIN = Path(sys.executable).parent
PIPELINE, RELEASE, ROLLOUT = (
    ROOT / ".github" / "workflows" / f"{name}.yml" for name in ("pipeline", "release", "rollout")
)
STEPS = {
    "affected",
    "lint",
    "types",
    "contracts",
    "suite",
    "isolation",
    "images",
    "benchmarks",
    "bench_gate",
    "report",
    "replay",
    "gate",
}
STEPS |= {"release", "rollout"}
_WORD = r"--?[a-z]+|[a-z]+|\d+|reports/[\w.-]+|origin/main|<< parameters\.since >>"
_QUOTED = r'"(?:\$\w+|\$\{\w+:-\$\w+\}|(?:run|build|pipeline) \$\w+)"'
LINE = re.compile(rf"ci/(?P<step>[a-z_]+)(?: (?:{_WORD}|{_QUOTED}))*(?: > affected\.yml)?")


def gitlab_lines(document: dict[str, Any]) -> list[str]:
    return [line for job in gitlab_jobs(document) for line in job.script]


def lines_of(engine: str) -> list[str]:
    """All command lines of a definition, those included that it generates."""
    if engine == "github":
        return [line for path in WORKFLOWS for line in github_lines(path)]
    if engine == "gitlab":
        return [*gitlab_lines(load(GITLAB)), *gitlab_lines(generated("gitlab"))]
    if engine == "circleci":
        return [*circleci_lines(load(CIRCLECI)), *circleci_lines(generated("circleci"))]
    return jenkins_lines(JENKINS.read_text(encoding="utf-8"))


ENGINES = ("github", "gitlab", "circleci", "jenkins")


@pytest.mark.parametrize("engine", ENGINES)
def test_every_command_line_is_one_step_that_there_is_and_only_variables_fill_it_in(engine: str) -> None:
    lines = lines_of(engine)
    assert lines
    for line in lines:
        found = LINE.fullmatch(line)
        assert found, line
        step = found["step"]
        assert os.access(ROOT / "ci" / step, os.X_OK), line


@pytest.mark.parametrize("engine", ENGINES)
def test_every_engine_has_every_step(engine: str) -> None:
    called = {line.split()[0].removeprefix("ci/") for line in lines_of(engine)}
    assert called >= STEPS


@pytest.mark.parametrize(
    "line",
    ["make test", "ci/lint && ci/types", "ci/suite $UNIT", 'ci/suite "${{ matrix.unit }}"', "ci/gate; true",
     'ci/suite "$(id)"', "ci/lint || true", '"ci/suite ${name}"'],
)  # fmt: skip
def test_a_line_that_does_more_is_noticed(line: str) -> None:
    assert not LINE.fullmatch(line)


# Valid for their engines


def check(*command: str | Path) -> None:
    done = subprocess.run(
        [BIN / str(command[0]), *command[1:]], cwd=ROOT, capture_output=True, text=True, check=False, timeout=60
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_workflows_of_github_are_valid() -> None:
    check("check-jsonschema", "--builtin-schema", "vendor.github-workflows", *WORKFLOWS)
    check("actionlint", "-shellcheck=", "-pyflakes=", *WORKFLOWS)


def test_the_workflows_of_github_are_safe() -> None:
    check("zizmor", "--offline", "--no-progress", "--persona", "pedantic", *WORKFLOWS)


def test_an_unsafe_workflow_is_noticed(tmp_path: Path) -> None:
    """The tools look at what they are given: each of these is found."""
    text = PIPELINE.read_text(encoding="utf-8")
    (tmp_path / "unsafe.yml").write_text(text.replace('ci/suite "$UNIT"', 'ci/suite "${{ github.head_ref }}"'))
    with pytest.raises(AssertionError, match="template-injection"):
        check("zizmor", "--offline", "--no-progress", tmp_path / "unsafe.yml")
    (tmp_path / "wrong.yml").write_text(text.replace("needs: affected\n", "needs: nobody\n", 1))
    with pytest.raises(AssertionError, match="nobody"):
        check("actionlint", tmp_path / "wrong.yml")


@pytest.mark.parametrize("scope", [("--all",), ("--base", "HEAD")], ids=["all", "nothing"])
def test_the_pipelines_of_gitlab_and_circleci_are_valid_and_so_is_what_they_continue_with(
    scope: tuple[str, ...], tmp_path: Path
) -> None:
    for form in ("gitlab", "circleci"):
        (tmp_path / f"{form}.yml").write_text(json.dumps(generated(form, *scope)))
    schemas = ["check-jsonschema", "--builtin-schema"]
    check(*schemas, "vendor.gitlab-ci", "--data-transform", "gitlab-ci", GITLAB, tmp_path / "gitlab.yml")
    check(*schemas, "vendor.circle-ci", CIRCLECI, tmp_path / "circleci.yml")


def test_the_jenkinsfile_has_balanced_brackets_and_stages_of_different_names() -> None:
    text = JENKINS.read_text(encoding="utf-8")
    assert unbalanced(text) == ""
    assert unbalanced(text.replace("parallel branches", "parallel branches }", 1)).startswith("line ")
    assert unbalanced(text + "{").endswith("never closed")
    stages = jenkins_stages(text)
    assert len(stages) == len(set(stages)) > 5
    assert re.match(r"(?://.*\n)+pipeline \{\n    agent none\n", text)
    assert len(lines_of("jenkins")) == len(re.findall(r"\bsh\b", re.sub(r"(?m)^//.*$", "", text)))


# Pinned, and with few rights


def test_every_action_is_githubs_own_and_pinned_to_one_commit_of_a_named_version() -> None:
    uses = {use for path in WORKFLOWS for use in github_uses(path)}
    assert uses
    assert all(re.fullmatch(r"actions/[a-z-]+@[0-9a-f]{40}", action) for action, _ in uses)
    assert all(re.fullmatch(r"v\d+\.\d+\.\d+", version) for _, version in uses)
    assert len({action.split("@")[0] for action, _ in uses}) == len(uses), "one version of each"


def test_nothing_runs_with_rights_that_it_does_not_need() -> None:
    writing = {}
    for path in WORKFLOWS:
        document = load(path)
        assert document["permissions"] == {}
        assert "pull_request_target" not in path.read_text()
        assert "workflow_run" not in path.read_text()
        for name, job in document["jobs"].items():
            assert "timeout-minutes" in job, name
            rights = {right for right, level in job["permissions"].items() if level == "write"}
            writing |= {(path.stem, name): rights} if rights else {}
            for step in job["steps"]:
                if step.get("uses", "").startswith("actions/checkout@"):
                    assert step["with"]["persist-credentials"] is False
    assert writing == {("pipeline", "report"): {"pull-requests"}, ("release", "tag"): {"contents"}}


def test_what_may_write_to_a_pull_request_runs_what_the_base_has() -> None:
    job = load(PIPELINE)["jobs"]["report"]
    assert job["steps"][0]["with"]["ref"] == "${{ github.event.pull_request.base.sha }}"
    assert "github.event.pull_request.head.repo.full_name == github.repository" in job["if"]


def test_caches_are_keyed_by_the_pinned_versions() -> None:
    for path in WORKFLOWS:
        for job in load(path)["jobs"].values():
            caches = [step["with"] for step in job["steps"] if "cache" in step.get("with", {})]
            assert all(cache["cache-dependency-path"] == "constraints.txt" for cache in caches)
    assert load(GITLAB)["default"]["cache"]["key"] == {"files": ["constraints.txt"]}
    assert 'checksum "constraints.txt"' in json.dumps(generated("circleci")).replace('\\"', '"')


# One gate


def test_the_gate_always_runs_and_needs_every_job_that_judges() -> None:
    jobs = load(PIPELINE)["jobs"]
    assert jobs["gate"]["if"] == "always()"
    assert set(jobs["gate"]["needs"]) == jobs.keys() - {"gate", "report"}


def test_the_gates_of_the_others_run_behind_every_job_that_judges() -> None:
    assert load(GITLAB)["gate"]["needs"] == ["checks", "jobs", {"job": "replay", "optional": True}]
    assert load(GITLAB)["jobs"]["trigger"]["strategy"] == "depend"
    continued = generated("circleci")["workflows"]["affected"]["jobs"]
    names = [job if isinstance(job, str) else next(iter(job)) for job in continued]
    assert names.pop() == "gate"
    assert continued[-1]["gate"]["requires"] == names
    assert jenkins_stages(JENKINS.read_text()).index("Gate") > jenkins_stages(JENKINS.read_text()).index("Affected")


def gate(**results: str) -> int:
    needs = json.dumps({name: {"result": result, "outputs": {}} for name, result in results.items()})
    return subprocess.run([ROOT / "ci" / "gate"], env={**os.environ, "NEEDS": needs}, check=False).returncode


def test_the_gate_fails_if_any_job_failed_or_was_cancelled_and_if_the_choice_itself_is_missing() -> None:
    assert gate(affected="success", checks="success", tests="success", images="skipped") == 0
    assert gate(affected="success", checks="success", tests="failure") == 1
    assert gate(affected="success", checks="success", tests="cancelled") == 1
    assert gate(affected="skipped", checks="success", tests="skipped") == 1
    assert gate(affected="success", checks="skipped") == 1
    assert gate(affected="success", checks="success", tests="something new") == 1
    assert gate() == 2


# GitLab's jobs, run here


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """The small workspace with the real steps, and a change of its service behind the first commit."""
    root = workspace.make(tmp_path / "clone")
    shutil.copytree(
        ROOT / "ci", root / "ci", dirs_exist_ok=True, ignore=shutil.ignore_patterns("suites.toml", "__pycache__")
    )
    git = workspace.git
    git(root, "init", "--quiet", "--initial-branch", "main")
    workspace.commit(root, "the first")
    workspace.write(root, {"extracted/catalog/src/catalog_service/new.py": "x = 1\n"})
    workspace.commit(root, "the change")
    return root


def one(document: dict[str, Any], name: str) -> Job:
    (job,) = (job for job in gitlab_jobs(document) if job.name == name)
    return job


def test_gitlabs_affected_job_makes_a_child_pipeline_for_what_has_changed(clone: Path) -> None:
    base = workspace.git(clone, "rev-parse", "HEAD~1")
    affected = one(load(GITLAB), "affected")
    done = affected.run(clone, CI_MERGE_REQUEST_DIFF_BASE_SHA=base, CI_PROJECT_DIR=str(clone))
    assert done.returncode == 0, done.stderr
    jobs = gitlab_jobs(load(clone / "affected.yml"))
    assert {(job.name, job.variables.get("UNIT", job.variables.get("MEMBER"))) for job in jobs} == {
        ("tests", "catalog"), ("tests", "architecture"), ("tests", "contract"), ("isolation", "catalog"),
        ("images", "catalog"),
    }  # fmt: skip


def test_gitlabs_push_to_the_main_branch_is_compared_with_what_was_there_before(clone: Path) -> None:
    done = one(load(GITLAB), "affected").run(clone, CI_COMMIT_BEFORE_SHA="0" * 40)
    assert done.returncode == 0, done.stderr
    assert len(gitlab_jobs(load(clone / "affected.yml"))) == 14
    failed = one(load(GITLAB), "affected").run(clone, CI_COMMIT_BEFORE_SHA="1" * 40)
    assert failed.returncode == 2
    assert "git does not know the commit" in failed.stderr


def test_gitlabs_gate_and_the_child_pipeline_without_jobs_run(clone: Path) -> None:
    assert one(load(GITLAB), "gate").run(clone).returncode == 0
    nothing = one(generated("gitlab", "--base", "HEAD"), "nothing").run(clone)
    assert (nothing.returncode, nothing.stdout) == (0, "all jobs before the gate have succeeded\n")


def test_a_job_of_gitlab_ends_at_its_first_failure(clone: Path) -> None:
    done = Job("x", ("false", "echo on"), {}).run(clone)
    assert (done.returncode, done.stdout) == (1, "")
