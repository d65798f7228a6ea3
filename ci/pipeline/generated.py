"""The second half of the pipelines of GitLab and CircleCI, which have no matrix that is known only when they run.

JSON is YAML. Names reach command lines as variables, never as text that a shell would read.
"""

from collections.abc import Mapping
from typing import Any

from pipeline.selection import Selection

IMAGE = "python:3.12"
"""Where GitLab's jobs run: Debian with git and a compiler."""
CIRCLECI_IMAGE = "cimg/python:3.12"
_STEPS = (
    ("tests", "UNIT", "ci/setup", 'ci/suite "$UNIT"'),
    ("isolation", "MEMBER", "ci/packages", 'ci/isolation "$MEMBER"'),
    ("images", "MEMBER", "ci/setup", 'ci/images "$MEMBER"'),
)
"""Field of a selection, the variable that holds one of its names, what goes before the step, and the step."""
_BENCHMARKS = (
    "ci/benchmarks --rounds 3",
    "ci/bench_gate --base origin/main",
    "ci/report reports/bench-gate.md reports/bench-gateway.md",
)

_TRIGGERED = {
    "release": (("release_member",), 'ci/release "$RELEASE_MEMBER"'),
    "replay": (("replay_recording", "replay_candidate"), 'ci/replay "$REPLAY_RECORDING" "$REPLAY_CANDIDATE"'),
    "rollout": (("rollout_target",), 'ci/rollout "$ROLLOUT_TARGET" --reason "build $CIRCLE_BUILD_NUM"'),
}
"""Workflows of CircleCI that run alone, for a pipeline that somebody has triggered with these parameters."""

Definition = Mapping[str, Any]


def gitlab(found: Selection) -> Definition:
    """A child pipeline: a job for each name, all at the same time."""
    jobs: dict[str, Any] = {}
    for field, variable, before, step in _STEPS:
        if names := getattr(found, field):
            jobs[field] = {"parallel": {"matrix": [{variable: list(names)}]}, "script": [before, step]}
    if "tests" in jobs:
        jobs["tests"]["artifacts"] = {"when": "always", "reports": {"junit": "reports/junit.xml"}}
    if found.benchmarks:
        jobs["benchmarks"] = {
            "script": ["ci/setup", *_BENCHMARKS],
            "artifacts": {"when": "always", "paths": ["reports/"]},
        }
    if not jobs:  # A child pipeline without a job is an error.
        jobs["nothing"] = {"script": ["ci/gate reached"]}
    cache = {"key": {"files": ["constraints.txt"]}, "paths": [".cache/pip"]}
    variables = {"PIP_CACHE_DIR": "$CI_PROJECT_DIR/.cache/pip"}
    return {"default": {"image": IMAGE, "cache": cache}, "variables": variables, **jobs}


def circleci(found: Selection) -> Definition:
    """What the set-up workflow continues with: checks, a job for each name, and a gate behind them all."""
    jobs: dict[str, Any] = {"checks": _circleci_job("ci/setup", "ci/lint", "ci/types", "ci/contracts")}
    order: list[Any] = ["checks"]
    for field, variable, before, step in _STEPS:
        if names := getattr(found, field):
            jobs[field] = {
                "parameters": {"name": {"type": "string"}},
                "environment": {variable: "<< parameters.name >>"},
                **_circleci_job(before, step),
            }
            order.append({field: {"matrix": {"parameters": {"name": list(names)}}}})
    if "tests" in jobs:
        jobs["tests"]["steps"].append({"store_test_results": {"path": "reports"}})
    if found.benchmarks:
        jobs["benchmarks"] = _circleci_job("ci/setup", *_BENCHMARKS)
        jobs["benchmarks"]["steps"].append({"store_artifacts": {"path": "reports"}})
        order.append("benchmarks")
    jobs["gate"] = {"docker": [{"image": CIRCLECI_IMAGE}], "steps": ["checkout", {"run": "ci/gate reached"}]}
    order.append({"gate": {"requires": [name for name in jobs if name != "gate"]}})
    triggered = [name for values, _ in _TRIGGERED.values() for name in values]
    workflows: dict[str, Any] = {
        "affected": {"unless": {"or": [_parameter(name) for name in triggered]}, "jobs": order}
    }
    for name, (values, step) in _TRIGGERED.items():
        environment = {value.upper(): _parameter(value) for value in values}
        jobs[name] = {"environment": environment, **_circleci_job("ci/setup", step)}
        workflows[name] = {"when": _parameter(values[0]), "jobs": [name]}
    parameters = {name: {"type": "string", "default": ""} for name in triggered}
    return {"version": 2.1, "parameters": parameters, "jobs": jobs, "workflows": workflows}


def _parameter(name: str) -> str:
    return f"<< pipeline.parameters.{name} >>"


def _circleci_job(*steps: str) -> dict[str, Any]:
    key = 'pip-{{ checksum "constraints.txt" }}'
    return {
        "docker": [{"image": CIRCLECI_IMAGE}],
        "steps": [
            "checkout",
            {"restore_cache": {"keys": [key]}},
            *({"run": step} for step in steps),
            {"save_cache": {"key": key, "paths": ["~/.cache/pip"]}},
        ],
    }
