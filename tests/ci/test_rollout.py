"""A rollout: which steps it takes, when it stops and goes back; with a stand-in for `strangler`, and for real."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from pipeline.members import ROOT
from pipeline.rollout import DONE, STAGES, UNSEEN, WORSE, Limits, Refused, Rollout, Step
from strangler.bench.certificate import Certificate, Standing
from support.gateway import Gateway, place, serving
from support.load import Plan, Request, background
from support.stub_upstream import stub_upstream

STEPS = [Step.parse(text) for text in STAGES.split(",")]


@dataclass
class Told:
    """In place of `strangler`, with a clock that only waiting moves."""

    verdicts: dict[str, str] = field(default_factory=dict)
    """Of a stage, such as `canary 10`; the others are equivalent."""
    errors: dict[str, int] = field(default_factory=dict)
    killed_at: str = ""
    stage: str = "monolith"
    weight: str = "0.00"
    flips: list[str] = field(default_factory=list)
    seconds: float = 0.0

    @property
    def at(self) -> str:
        return f"{self.stage} {self.weight}" if self.stage == "canary" else self.stage

    def ask(self, *arguments: str) -> dict[str, Any]:
        if arguments[0] == "flip":
            more = dict(zip(arguments[3::2], arguments[4::2], strict=True))
            self.stage, self.weight = arguments[2], more.get("--weight", "0.00")
            self.flips.append(f"{arguments[1]} {self.at}")
            return {}
        if arguments == ("shadow", "status"):
            verdict = self.verdicts.get(self.at, "equivalent")
            return {"items": [{"route": "get", "verdict": verdict, "claim": f"a claim at {self.at}"}]}
        service = {"requests": 100, "errors": self.errors.get(self.at, 0)}
        route = {"name": "get", "module": "catalog", "stage": self.stage, "weight": self.weight, "cohorts": ["staff"]}
        killed = {"author": "somebody"} if self.at == self.killed_at else None
        other = {"name": "other", "module": "orders", "stage": "monolith", "weight": "0.00", "cohorts": []}
        return {"items": [{**route, "killed": killed, "live": {"service": service}}, other]}

    def wait(self, seconds: float) -> None:
        self.seconds += seconds

    def rollout(self, target: str = "catalog", limits: Limits | None = None) -> tuple[Rollout, list[str]]:
        said: list[str] = []
        found = Rollout(
            self.ask, target, "it is time", limits or Limits(), said.append, lambda: self.seconds, self.wait
        )
        return found, said


def test_all_steps_are_taken_in_their_order_each_watched_for_a_while() -> None:
    told = Told()
    rollout, said = told.rollout()
    assert rollout.run(STEPS) == DONE
    assert told.flips == [
        "catalog shadow", "catalog canary 1", "catalog canary 10", "catalog canary 50", "catalog service",
    ]  # fmt: skip
    assert told.seconds == 5 * Limits().watch
    assert said[-1] == "catalog: rolled out"


def test_a_worse_verdict_sends_the_target_back_to_where_it_was_and_nothing_further() -> None:
    told = Told(verdicts={"canary 10": "different"})
    rollout, said = told.rollout()
    assert rollout.run(STEPS) == WORSE
    assert told.flips[-2:] == ["catalog canary 10", "get monolith"]
    assert said[-1] == "catalog goes back from canary 10 %: get: a claim at canary 10"


def test_back_is_where_it_was_when_the_rollout_began() -> None:
    told = Told(verdicts={"canary 50": "different"}, stage="canary", weight="10.00")
    rollout, _ = told.rollout("get")
    assert rollout.run([Step("canary", "50")]) == WORSE
    assert told.flips == ["get canary 50", "get canary 10.00"]


def test_one_that_begins_anew_goes_on_from_where_it_is() -> None:
    told = Told(stage="canary", weight="10.00")
    rollout, _ = told.rollout()
    assert rollout.run(STEPS) == DONE
    assert told.flips == ["catalog canary 10", "catalog canary 50", "catalog service"]


def test_without_a_verdict_it_stays_where_it_is_and_says_that_not_enough_was_seen() -> None:
    told = Told(verdicts={"canary 1": "not_enough_seen"})
    rollout, said = told.rollout(limits=Limits(watch=10, patience=100, interval=5))
    assert rollout.run(STEPS) == UNSEEN
    assert told.flips == ["catalog shadow", "catalog canary 1"]
    assert said[-1] == "catalog stays at canary 1 %: get: a claim at canary 1"
    assert told.seconds == 110


@pytest.mark.parametrize(("errors", "status"), [(1, DONE), (2, WORSE)])
def test_too_many_errors_of_the_service_are_worse_whatever_was_compared(errors: int, status: int) -> None:
    told = Told(errors={"service": errors})
    rollout, said = told.rollout()
    assert rollout.run(STEPS) == status
    assert told.at == ("service" if status == DONE else "monolith")
    assert status == DONE or said[-1].endswith(f"get: {errors} of 100 answers are errors")


def test_somebody_elses_kill_ends_it() -> None:
    told = Told(killed_at="canary 1")
    rollout, said = told.rollout()
    assert rollout.run(STEPS) == WORSE
    assert said[-1].endswith("get has been killed")


def test_an_unknown_target_is_refused_before_anything_is_flipped() -> None:
    told = Told()
    with pytest.raises(Refused, match="no route or module «cataloque»"):
        told.rollout("cataloque")[0].run(STEPS)
    assert told.flips == []


def step(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [ROOT / "ci" / "rollout", *arguments], env={**os.environ, **environment},
        capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip


@pytest.mark.parametrize("stages", ["canary", "service:5", "retired", "shadow,,service"])
def test_stages_that_are_none_are_wrong_input(stages: str) -> None:
    done = step("x", "--reason", "r", "--stages", stages)
    assert done.returncode == 2
    assert "is no stage" in done.stderr


# Certificates


def certified(tmp_path: Path, standing: Standing = Standing.HOLDS, at: str = "") -> Path:
    """A file as `strangler bench --certify` writes it."""
    made = at or datetime.now(UTC).isoformat()
    found = Certificate("service", "shop", 1.25, standing, ("«read»: p99 latency 1.40",), 12, (), made, "0" * 40)
    file = tmp_path / "certificate.json"
    file.write_text(json.dumps(found.document()))
    return file


@pytest.mark.parametrize(
    ("standing", "status", "said"),
    [
        (Standing.HOLDS, DONE, "certified: service at most 1.25 × slower than shop, 12 answers alike"),
        (Standing.FAILS, WORSE, "the certificate fails: service at most 1.25 × slower"),
        (Standing.UNDECIDED, UNSEEN, "«read»: p99 latency 1.40"),
    ],
)
def test_a_certificate_decides_whether_a_rollout_may_begin(
    gateway: Gateway, tmp_path: Path, standing: Standing, status: int, said: str
) -> None:
    place = {"STRANGLER_STATE": str(gateway.place.state), "ROLLOUT_CERTIFICATE": str(certified(tmp_path, standing))}
    flips = len(gateway.get("/history")["items"])
    done = step("alike", "--reason", "a test", "--stages", "service", "--watch", "0", **place)
    assert (done.returncode, said in done.stdout + done.stderr) == (status, True), done.stdout + done.stderr
    assert (len(gateway.get("/history")["items"]) > flips) is (standing is Standing.HOLDS)
    gateway.flip("alike", "monolith")


@pytest.mark.parametrize(
    ("changed", "why"),
    [
        ({"standing": "holds"}, "its digest is another"),
        ({"form": 2}, "no certificate of the form 1"),
        ({}, "days old, and 30 are allowed"),
    ],
)
def test_a_certificate_that_was_changed_or_is_old_lets_nothing_begin(
    tmp_path: Path, changed: dict[str, object], why: str
) -> None:
    file = certified(tmp_path, Standing.FAILS, at="" if changed else "2026-01-01T00:00:00Z")
    file.write_text(json.dumps(json.loads(file.read_text()) | changed))
    done = step("x", "--reason", "r", "--certificate", str(file))
    assert (done.returncode, why in done.stderr, "strangler bench" in done.stderr) == (2, True, True), done.stderr


def test_a_certificate_that_is_not_there_is_wrong_input(tmp_path: Path) -> None:
    absent = step("x", "--reason", "r", "--certificate", str(tmp_path / "none.json"))
    assert (absent.returncode, "is no certificate" in absent.stderr) == (2, True)


# For real

CONFIG = """\
monolith: {monolith}
upstreams:
  service: {{endpoints: ["{service}"]}}
gateway: {{workers: 1}}
routes:
  - name: alike
    match: {{prefix: /alike}}
    service: service
    shadow: {{rate: 2000, at_most: 0.05, compare: {{ignore: [{{field: body.arm, reason: it names the arm}}]}}}}
  - name: unlike
    match: {{prefix: /unlike}}
    service: service
    shadow: {{rate: 2000}}
"""


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    folder = tmp_path_factory.mktemp("rollout")
    with stub_upstream("monolith", folder) as monolith, stub_upstream("service", folder) as service:
        config = CONFIG.format(monolith=monolith.url, service=service.url)
        with place(folder) as here, serving(here, config) as running:
            running.wait_for_comparator()
            yield running


def rolled(gateway: Gateway, route: str, stages: str) -> subprocess.CompletedProcess[str]:
    """Roll out under load."""
    requests = Plan(gateway.url, (Request(f"/{route}/7"),), rate=300, seconds=30)
    limits = ["--watch", "0.5", "--interval", "0.2", "--patience", "25"]
    surroundings = {"STRANGLER_STATE": str(gateway.place.state), "PATH": f"{Path(sys.executable).parent}:/usr/bin:/bin"}
    with background(requests) as clients:
        done = step(route, "--reason", "a test", "--stages", stages, *limits, **surroundings)
        clients.stop()
    return done


def test_a_route_that_answers_alike_reaches_the_service(gateway: Gateway) -> None:
    done = rolled(gateway, "alike", "shadow,service")
    assert done.returncode == DONE, done.stdout + done.stderr
    assert done.stdout.splitlines() == ["alike: shadow", "alike: service", "alike: rolled out"]


def test_a_route_that_answers_unlike_is_back_with_the_monolith_and_the_history_says_why(gateway: Gateway) -> None:
    done = rolled(gateway, "unlike", "shadow,service")
    assert done.returncode == WORSE, done.stdout + done.stderr
    assert "unlike goes back from shadow: unlike: " in done.stdout
    (route,) = (item for item in gateway.get("/routes")["items"] if item["name"] == "unlike")
    assert route["stage"] == "monolith"
    assert "rollout stopped at shadow" in json.dumps(gateway.get("/history"))
