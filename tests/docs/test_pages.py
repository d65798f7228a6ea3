"""What pages say in tables and lists is what the code says."""

import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from docs.reader import ROOT
from strangler.control.flips import AVAILABLE
from strangler.model.decision import Arm, Reason
from strangler.model.failure import Failure
from strangler.model.flag import Flag, Stage
from strangler.model.route import CATCH_ALL, Retries, Route, RouteMatch, StickySource, SubjectKind
from strangler.model.snapshot import Gateway, Snapshot
from strangler.model.upstream import Breaker, HealthCheck, Outlier, RetryBudget, Upstream
from strangler.resilience.retry import Retry
from strangler.routing.evaluator import FALLBACK
from strangler.routing.explain import explain
from strangler.telemetry.families import upstreams
from strangler.telemetry.family import Family
from strangler_kit import bucket as kit

DOCS = ROOT / "docs"
ARCHITECTURE = (DOCS / "explanation/architecture.md").read_text()
FLAGS = (DOCS / "explanation/flags-and-stickiness.md").read_text()
FAILURES = (DOCS / "reference/failures.md").read_text()
DECISIONS = sorted((DOCS / "decisions").glob("0*.md"))


def rows(text: str, header: str) -> list[list[str]]:
    """The cells of the table with this header row, without backticks."""
    _, _, table = text.partition(f"\n{header}\n|")
    assert table, f"there is no table {header}"
    lines = table.partition("\n\n")[0].splitlines()[1:]
    return [[cell.strip().strip("`") for cell in line.strip("|").split(" | ")] for line in lines]


MADE = rows((ROOT / "CONTRIBUTING.md").read_text(), "| Page | Made by |")


def test_the_rooms_are_those_of_the_import_contract() -> None:
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
    (layers,) = (contract["layers"] for contract in contracts if contract["id"] == "rooms")
    assert f"```text\n{chr(10).join(layers)}\n```" in ARCHITECTURE
    rooms = {name for layer in layers for name in layer.split(" | ")}
    assert {room for room, _ in rows(ARCHITECTURE, "| Room | What it holds |")} == rooms


def test_every_reason_is_explained_with_its_arm() -> None:
    table = rows(FLAGS, "| Reason | Arm | When |")
    assert [reason for reason, _, _ in table] == [reason.value for reason in Reason]
    assert {reason: arm for reason, arm, _ in table} == {reason: arm.value for reason, arm in decided().items()}


def decided() -> dict[Reason, Arm]:
    """Each reason with its arm, as a gateway decides."""
    route = Route("r", RouteMatch("/r"), "m", "g", "monolith", "service")
    whole = Route(CATCH_ALL, RouteMatch("/"), CATCH_ALL, CATCH_ALL, "monolith")
    sticky = Route(
        "s", RouteMatch("/s"), "m", "g", "monolith", "service", sticky=(StickySource(SubjectKind.HEADER, "x-user"),)
    )
    subject = ("X-User", "u1")
    found: dict[Reason, Arm] = {FALLBACK.reason: FALLBACK.arm}  # Which no flag leads to.
    flags = [
        *(Flag(name, stage) for name in "rs" for stage in Stage if stage is not Stage.CANARY),
        *(Flag("s", Stage.CANARY, weight, cohorts) for weight in (0, 10_000) for cohorts in ((), ("u1",))),
    ]
    for flag in flags:
        snapshot = Snapshot(1, "", Gateway(), (), (route, sticky, whole), (flag,))
        for killed in (frozenset[str](), frozenset({"r"})):
            for path in ("/r", "/s", "/"):
                for headers in ((), (subject,)):
                    answer = explain(snapshot, killed, "GET", path, headers)
                    assert found.setdefault(answer.reason, answer.arm) is answer.arm
    return found


def test_every_stage_is_named_with_its_state() -> None:
    table = rows(FLAGS, "| Stage | Who is answered by the service | State |")
    assert [stage for stage, _, _ in table] == [stage.value for stage in Stage]
    assert {stage for stage, _, state in table if state == "works"} == {stage.value for stage in AVAILABLE}


def test_the_buckets_that_are_shown_are_published_vectors() -> None:
    shown = [(group, subject, int(number)) for group, subject, number in rows(FLAGS, "| Group | Subject | Bucket |")]
    assert shown
    assert set(shown) <= set(kit.vectors())


def test_every_failure_is_listed_with_what_the_client_gets() -> None:
    listed = rows(FAILURES, "| Failure | Status | Title |")
    assert listed == [[failure.label, str(failure.status or "–"), failure.title] for failure in Failure]


def test_every_status_of_a_refused_request_is_listed() -> None:
    sources = (ROOT / "strangler-gateway/src/strangler").rglob("*.py")
    used = {status for path in sources for status in re.findall(r"RequestRefused\((\d{3}),", path.read_text())}
    assert used == set(re.findall(r"\b[45]\d\d\b", FAILURES.rpartition("\n\n")[2]))


def test_every_verdict_on_a_retry_and_every_metric_of_upstreams_is_explained() -> None:
    page = (DOCS / "explanation/resilience.md").read_text()
    assert {verdict.value for verdict in Retry} <= set(re.findall(r"`([a-z_]+)`", page))
    granted = {verdict for verdict, _ in rows(page, "| Verdict | When |")}
    assert granted == {verdict.value for verdict in Retry if verdict.granted}
    families = {value.name for value in vars(upstreams).values() if isinstance(value, Family)}
    assert families - set(re.findall(r"`(strangler_\w+)`", page)) == {"strangler_upstream_connections_opened_total"}


def test_the_numbers_in_the_page_on_resilience_are_the_defaults() -> None:
    page = " ".join((DOCS / "explanation/resilience.md").read_text().split())
    breaker, outlier, check, budget = Breaker(), Outlier(), HealthCheck("/"), RetryBudget()
    assert (budget.percent, breaker.failure_percent, outlier.max_percent) == (20, 50, 10)  # A fifth, half, a tenth.
    for said in (
        f"at least {breaker.minimum} attempts within {breaker.window:g} s, half of them without an answer",
        f"open for {breaker.open_time:g} s",
        f"half-open: {breaker.probes} requests",
        f"| {outlier.failures} answers of 500 and above",
        f"An ejection lasts {outlier.base_time:g} s times",
        f"at most {outlier.max_time:g} s",
        f"| {check.unhealthy} checks in a row failed",
        f"every {check.interval:g} s",
        f"Answers from {check.statuses[0][0]} to {check.statuses[0][1]} are good",
        f"`pending_timeout` ({Upstream('', ()).pending_timeout:g} s)",
        f"`retries.attempts` times ({Retries().attempts})",
    ):
        assert said in page, said


@pytest.mark.parametrize(("page", "command"), MADE)
def test_a_page_that_is_made_is_current(page: str, command: str) -> None:
    python, *arguments = command.split()
    assert python == "python"
    made = subprocess.run([sys.executable, *arguments], capture_output=True, text=True, check=True).stdout
    assert (ROOT / page).read_text() == made, f"{command} > {page}"


@pytest.mark.parametrize("path", DECISIONS, ids=lambda path: path.stem)
def test_a_decision_has_its_three_parts(path: Path) -> None:
    text = path.read_text()
    assert text.startswith(f"# {int(path.name[:4])}. ")
    assert re.findall(r"^## (.*)$", text, re.MULTILINE) == ["Context", "Decision", "Consequences"]


def test_decisions_are_numbered_without_gaps_and_listed() -> None:
    assert [int(path.name[:4]) for path in DECISIONS] == list(range(1, len(DECISIONS) + 1))
    listed = re.findall(r"^(\d+)\. \[(.*)\]\((.*)\)$", (DOCS / "decisions/index.md").read_text(), re.MULTILINE)
    titles = [path.read_text().splitlines()[0].removeprefix("# ") for path in DECISIONS]
    assert [f"{number}. {title}" for number, title, _ in listed] == titles
    assert [name for _, _, name in listed] == [path.name for path in DECISIONS]


def test_every_make_target_that_is_named_exists() -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    pages = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *DOCS.rglob("*.md")]
    named = {target for page in pages for target in re.findall(r"(?:`|\$ )make ([a-z-]+)", page.read_text())}
    assert {"run", "test", "check"} <= named <= targets


def test_every_file_that_a_page_names_exists() -> None:
    suffixes = r"(?:py|md|json|toml|txt|yaml)"
    for page in (ROOT / "CONTRIBUTING.md", DOCS / "explanation/architecture.md"):
        for name in re.findall(rf"`([\w./-]+/[\w.-]+\.{suffixes})`", page.read_text()):
            roots = (ROOT, ROOT / "strangler-gateway/src/strangler", ROOT / "monolith/src")
            assert any((root / name).exists() for root in roots), f"{page.name} names {name}"
