"""A canary is the same people every time, and those that the published arithmetic says."""

import asyncio

from strangler_kit.bucket import bucket
from support.gateway import Gateway, sole
from support.load import Plan, Request, drive

SUBJECTS = [f"user-{number}" for number in range(2_000)]
BUCKETS = {subject: bucket("catalog", subject) for subject in SUBJECTS}


def test_a_canary_serves_exactly_whom_the_published_arithmetic_names(gateway: Gateway) -> None:
    gateway.flip("catalog", "canary", weight=20)
    at_20 = on_service(gateway)
    assert at_20 == below(2_000)
    assert 0.18 < len(at_20) / len(SUBJECTS) < 0.22

    gateway.flip("catalog", "canary", weight="37.5")
    assert on_service(gateway) == below(3_750) > at_20, "raising the weight sends nobody back"

    gateway.flip("catalog", "canary", weight=5)
    at_5 = on_service(gateway)
    assert at_5 == below(500) < at_20, "lowering it moves only those above"

    gateway.kill("catalog")
    assert on_service(gateway) == set(), "a kill overrides the canary"
    gateway.kill("catalog", lift=True)
    assert on_service(gateway, "/prices") == at_5, "the routes of one module move together"


def test_subjects_are_found_in_the_order_of_the_sources_and_cohorts_go_first(gateway: Gateway) -> None:
    outside = next(subject for subject in SUBJECTS if BUCKETS[subject] >= 2_000)
    inside = next(subject for subject in SUBJECTS if BUCKETS[subject] < 2_000)
    gateway.flip("catalog", "canary", weight=20, cohorts=[outside])
    assert gateway.ask("/items", X_User=inside)["arm"] == "service"
    assert gateway.ask("/items", X_User=outside)["arm"] == "service", "a cohort goes to the service regardless"
    gateway.flip("catalog", "canary", weight=20, cohorts=[])
    assert gateway.ask("/items", X_User=outside)["arm"] == "monolith"
    assert gateway.ask("/items")["arm"] == "monolith", "who cannot be told apart stays"


def test_explain_says_what_the_workers_do(gateway: Gateway) -> None:
    gateway.flip("catalog", "canary", weight=50)
    for subject in SUBJECTS[:4]:
        explained = sole(gateway.command("explain", "GET", "/items/1", "--header", f"X-User: {subject}", "--json"))
        assert (explained["route"], explained["subject"]) == ("items", subject)
        assert explained["bucket"] == BUCKETS[subject]
        assert explained["arm"] == gateway.ask("/items/1", X_User=subject)["arm"]


def below(limit: int) -> set[str]:
    return {subject for subject in SUBJECTS if BUCKETS[subject] < limit}


def on_service(gateway: Gateway, path: str = "/items") -> set[str]:
    """Send one request for every subject; return those whom the service answered. All must be answered."""
    requests = tuple(Request(f"{path}/{subject}", headers=(("X-User", subject),)) for subject in SUBJECTS)
    summary = asyncio.run(drive(Plan(gateway.url, requests, rate=1_000, seconds=len(requests) / 1_000)))
    assert summary.statuses == {200: len(SUBJECTS)}
    return {result.target.rpartition("/")[2] for result in summary.results if result.arm == "service"}
