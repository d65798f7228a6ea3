"""The report says what the samples say: ratios within rounds, refused samples left out and named."""

import dataclasses
import json
import sys
from pathlib import Path

import pytest
from rich.console import Console

from yardstick.gateway import page
from yardstick.gateway.facts import look
from yardstick.gateway.measure import Sample
from yardstick.gateway.peers import NGINX, PEERS, Peer
from yardstick.gateway.peers.variants import SOURCES
from yardstick.gateway.report import Compared, as_json, markdown, terminal
from yardstick.gateway.rows import judge, rows
from yardstick.gateway.scenarios import BY_NAME, SCENARIOS, Goal, Scenario


def sample(peer: str, number: int, microseconds: float, *, worker: float | None = None, refused: str = "") -> Sample:
    carrying = microseconds if worker is None else worker
    return Sample(
        peer=peer,
        round=number,
        requests=1_000_000,
        errors=0,
        seconds=4.0,
        cpu_seconds=microseconds,
        data_plane_cpu_seconds=carrying,
        logged=1_000_000,
        refused=refused,
    )


SAMPLES = [
    sample("nginx", 1, 20),
    sample("strangler", 1, 50, worker=46),
    sample("nginx", 2, 40),
    sample("strangler", 2, 80, worker=76),
    sample("nginx", 3, 20),
    sample("strangler", 3, 44, worker=40),
]


SMALL = BY_NAME["small"]


def test_a_ratio_is_taken_within_its_round() -> None:
    """50/20, 80/40 and 44/20: their median is 2.2, while the ratio of the medians would be 2.5."""
    by_name = {row.name: row for row in rows(SMALL, SAMPLES)}
    ratio = by_name["strangler"].ratio
    assert ratio is not None
    assert ratio.median == pytest.approx(2.2)
    assert by_name["strangler"].microseconds == pytest.approx(50)


def test_the_worker_alone_has_a_row_of_its_own() -> None:
    assert [row.name for row in rows(SMALL, SAMPLES)] == ["nginx", "strangler", "strangler, worker"]
    assert rows(SMALL, SAMPLES)[2].microseconds == pytest.approx(46)


def test_a_refused_sample_does_not_count_and_is_named() -> None:
    samples = [*SAMPLES, sample("nginx", 4, 20), sample("strangler", 4, 9, refused="3 errors")]
    row = next(row for row in rows(SMALL, samples) if row.name == "strangler")
    assert (row.rounds, row.refused) == (3, 1)
    assert row.ratio is not None
    assert row.ratio.median == pytest.approx(2.2)
    assert "round 4, strangler: 3 errors" in markdown([Compared(SMALL, samples)], look([NGINX]), {})


def test_without_nginx_in_a_round_there_is_no_ratio() -> None:
    samples = [sample("nginx", 1, 20, refused="1 errors"), sample("envoy", 1, 90)]
    assert next(row for row in rows(SMALL, samples) if row.name == "envoy").ratio is None
    assert "| 1 | – | – |" in markdown([Compared(SMALL, samples)], look([NGINX]), {})


def test_json_keeps_every_sample_and_the_machine() -> None:
    document = json.loads(as_json([Compared(SMALL, SAMPLES)], look([NGINX]), {"rounds": 3}))
    samples = document["scenarios"]["small"]["samples"]
    assert len(samples) == 6
    assert samples[0]["requests"] == 1_000_000
    assert samples[0]["microseconds"] == pytest.approx(20)
    assert document["machine"]["versions"]["nginx"].startswith("nginx version")
    assert document["machine"]["cores"] >= 1


def test_the_table_fits_a_terminal_of_eighty_columns() -> None:
    console = Console(width=80, record=True)
    console.print(terminal(Compared(SMALL, SAMPLES)))
    text = console.export_text()
    assert "strangler, worker" in text
    assert "2.20" in text
    assert "…" not in text


@pytest.mark.parametrize(
    ("at_most", "verdict"), [(2.6, "met"), (2.3, "undecided"), (1.9, "missed")], ids=["met", "undecided", "missed"]
)
def test_a_goal_is_judged_by_the_whole_interval(at_most: float, verdict: str) -> None:
    """The ratios are 2.5, 2.0 and 2.2."""
    scenario = dataclasses.replace(SMALL, goals=(Goal("strangler", "nginx", at_most),))
    assert [one.verdict for one in judge(scenario, SAMPLES)] == [verdict]


def test_a_goal_without_samples_is_not_met() -> None:
    scenario = dataclasses.replace(SMALL, goals=(Goal("strangler", "envoy", 9),))
    assert [one.verdict for one in judge(scenario, SAMPLES)] == ["not measured"]


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.name)
def test_baseline_and_goals_are_among_the_measured(scenario: Scenario) -> None:
    names = {peer.name for peer in scenario.peers}
    assert scenario.baseline in names
    assert {name for goal in scenario.goals for name in (goal.peer, goal.beside)} <= names


def test_the_page_says_what_the_report_says(tmp_path: Path) -> None:
    (tmp_path / "bench-gateway.json").write_bytes(as_json([Compared(SMALL, SAMPLES)], look([NGINX]), {}))
    page.main(reports=tmp_path, docs=tmp_path / "docs")
    text = (tmp_path / "docs" / "performance.md").read_text()
    assert "| strangler | 50.0 | 2.20 | 2.00–2.50 | 3 |" in text
    assert "strangler at most 2 × nginx: **undecided**, 2.20 (2.00–2.50)" in text
    assert "2.20" in (tmp_path / "docs" / "performance" / "small.svg").read_text()
    (tmp_path / "more").mkdir()
    (tmp_path / "more" / "bench-gateway.json").write_bytes((tmp_path / "bench-gateway.json").read_bytes())
    page.main(reports=tmp_path, docs=tmp_path / "docs")
    text = (tmp_path / "docs" / "performance.md").read_text()
    assert "strangler at most 2 × nginx: **undecided**, 2.20 (2.00–2.50), in 3 rounds" in text


@pytest.mark.parametrize("peer", [*PEERS, SOURCES], ids=lambda peer: peer.name)
def test_a_version_says_what_is_measured_and_not_where_it_lies(peer: Peer) -> None:
    if peer.find() is None:
        pytest.fail(f"{peer.name} is missing: {peer.source}")
    said = peer.version()
    assert any(letter.isdigit() for letter in said)
    assert sys.prefix not in said
    assert peer is not SOURCES or "as it is" in said
