"""Stage shadow on a whole gateway: clients are answered as before, and what the service would have answered is known.

The stubs say which of them answers, in ``arm`` of the body; routes that are to be equal ignore that.
"""

import os
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from e2e.conftest import Arms
from support.gateway import Gateway, Place, paused, place, serving, sole
from support.load import Plan, Request, Summary, background
from support.raw_http import wait_until

CONFIG = """\
monolith: {monolith}
upstreams:
  service: {{endpoints: ["{service}"]}}
  nobody: {{endpoints: ["http://127.0.0.1:1"]}}
gateway: {{workers: 2}}
routes:
  - name: alike
    match: {{prefix: /alike}}
    module: same
    service: service
    shadow:
      rate: 2000
      noise: 0.02
      compare: &same {{ignore: [{{field: body.arm, reason: it names the arm}}]}}
  - name: unlike
    match: {{prefix: /unlike}}
    service: service
    shadow: {{rate: 2000}}
  - name: behaviours
    match: {{prefix: /}}
    module: same
    service: service
    shadow: {{compare: *same, timeout: 0.5, answer_bytes: 65536}}
  - name: dead
    match: {{prefix: /dead}}
    service: nobody
"""


@pytest.fixture(scope="module")
def gateway(arms: Arms, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    with place(tmp_path_factory.mktemp("shadow")) as here, shadowing(arms, here) as gateway:
        yield gateway


def shadowing(arms: Arms, here: Place) -> Any:
    return serving(here, CONFIG.format(monolith=arms.monolith.url, service=arms.service.url))


def shadow(gateway: Gateway, route: str) -> None:
    """Flip, and begin a new run if there was one, so that a test counts its own requests only."""
    gateway.wait_for_comparator()
    gateway.flip(route, "shadow")
    if standing(gateway, route)["requests"]:
        answer = gateway.admin.post(f"/shadow/{route}/restart", json={"reason": "a test", "author": "tests"})
        assert answer.status_code == 200, answer.text


def standing(gateway: Gateway, route: str) -> dict[str, Any]:
    (found,) = (item for item in gateway.get("/shadow")["items"] if item["route"] == route)
    return found


def settled(gateway: Gateway, route: str, requests: int, within: float = 30.0) -> dict[str, Any]:
    """The route's standing once all of its requests are under a heading; exactly as many as clients have sent."""
    found: dict[str, Any] = {}

    def is_settled() -> bool:
        found.update(standing(gateway, route))
        assert found["requests"] <= requests, found
        return found["requests"] == requests and not found["pending"]

    try:
        wait_until(is_settled, "all requests are under a heading", within)
    except AssertionError as error:
        error.add_note(str(found))
        raise
    assert sum(found["headings"].values()) == requests
    return found


def load(gateway: Gateway, target: str, seconds: float, rate: float = 300, **more: Any) -> Plan:
    return Plan(gateway.url, (Request(target), Request(f"{target}?page=2")), rate=rate, seconds=seconds, **more)


def all_served(summary: Summary) -> int:
    """How many clients were answered by the monolith: all of them."""
    assert summary.failures == ()
    assert summary.arms == {"monolith": len(summary.results)}
    return len(summary.results)


def test_equal_answers_become_equivalent_and_clients_are_answered_by_the_monolith(gateway: Gateway) -> None:
    shadow(gateway, "alike")
    with background(load(gateway, "/alike/7", seconds=4)) as clients:
        sent = all_served(clients.wait())
    found = settled(gateway, "alike", sent)
    assert found["verdict"] == "equivalent", found
    assert found["headings"] == {"equivalent": sent}
    assert "% of requests differ" in found["claim"]


def test_a_field_that_differs_is_found_and_shown(gateway: Gateway) -> None:
    shadow(gateway, "unlike")
    with background(load(gateway, "/unlike/7", seconds=1, rate=100)) as clients:
        sent = all_served(clients.wait())
    found = settled(gateway, "unlike", sent)
    assert found["verdict"] == "different", found
    samples = gateway.get("/shadow/unlike/samples", limit=2)["items"]
    assert len(samples) == 2
    differences = samples[0]["differences"]
    assert [each["field"] for each in differences] == ["body.arm"]
    assert (differences[0]["primary"], differences[0]["candidate"]) == ('"monolith"', '"service"')
    assert gateway.get("/shadow/unlike/samples", field="body.path")["items"] == []


@pytest.mark.parametrize(
    ("target", "heading"),
    [
        ("/slow?ms=1500", "candidate_timeout"),
        ("/bytes/70000", "answer_over_cap"),
        ("/chunked/70000", "answer_over_cap"),
        ("/reset-mid-body", "primary_failed"),
        ("/no-content", "equivalent"),
        ("/bytes/1000", "equivalent"),
        ("/until-close", "equivalent"),
        ("/1xx", "equivalent"),
        ("/status/404", "equivalent"),
    ],
)
def test_each_way_not_to_be_compared_has_its_heading(gateway: Gateway, target: str, heading: str) -> None:
    shadow(gateway, "behaviours")
    with background(Plan(gateway.url, (Request(target),), rate=20, seconds=0.25)) as clients:
        sent = len(clients.wait().results)
    assert settled(gateway, "behaviours", sent)["headings"] == {heading: sent}


def test_writes_are_not_mirrored_and_the_ledger_says_so(gateway: Gateway, arms: Arms) -> None:
    shadow(gateway, "alike")
    request = Request("/alike/7", method="POST", body="{}")
    with background(Plan(gateway.url, (request,), rate=50, seconds=0.4, name="written")) as clients:
        sent = all_served(clients.wait())
    assert settled(gateway, "alike", sent)["headings"] == {"unsafe_method": sent}
    assert not [logged for logged in arms.service.requests() if logged.request_id.startswith("written-")]


def test_a_service_that_is_not_there_costs_clients_nothing(gateway: Gateway) -> None:
    shadow(gateway, "dead")
    with background(load(gateway, "/dead/7", seconds=1, rate=100)) as clients:
        sent = all_served(clients.wait())
    assert settled(gateway, "dead", sent)["headings"].keys() <= {"candidate_unreachable", "rate_capped"}


def test_a_canary_is_compared_where_the_monolith_answers(gateway: Gateway) -> None:
    shadow(gateway, "alike")
    gateway.flip("alike", "canary", cohorts=["ada"], weight=0)
    for number in range(10):
        gateway.ask("/alike/7", X_User="ada" if number % 2 else "bob")
    assert settled(gateway, "alike", 10)["headings"] == {"equivalent": 10}, "no sticky source, so nobody is in a cohort"


def test_a_killed_route_asks_the_service_for_nothing(gateway: Gateway, arms: Arms) -> None:
    shadow(gateway, "alike")
    gateway.kill("alike")
    try:
        for _ in range(10):
            gateway.ask("/alike/killed")
        assert settled(gateway, "alike", 10)["headings"] == {"killed": 10}
    finally:
        gateway.kill("alike", lift=True)
    assert not [logged for logged in arms.service.requests() if logged.target == "/alike/killed"]


# The account: exactly what clients have sent, whoever dies


@pytest.mark.parametrize("seconds", [6, pytest.param(120, marks=[pytest.mark.soak, pytest.mark.timeout(300)])])
def test_the_ledger_adds_up_while_the_comparator_is_killed_every_second(arms: Arms, here: Place, seconds: int) -> None:
    with shadowing(arms, here) as gateway:
        shadow(gateway, "alike")
        killed: set[int] = set()
        with background(load(gateway, "/alike/7", seconds=seconds)) as clients:
            began = time.monotonic()
            while time.monotonic() - began < seconds - 0.5:
                time.sleep(1)  # Once a second is the proof, not a wait for something.
                pid = gateway.roster().comparator_pid
                if pid and pid not in killed:
                    os.kill(pid, signal.SIGKILL)
                    killed.add(pid)
            sent = all_served(clients.wait())
        found = settled(gateway, "alike", sent)
    assert len(killed) >= 3
    assert found["compared"] > 0
    assert found["headings"].keys() <= {"equivalent", "comparator_lost", "no_comparator", "too_old", "queue_full"}, (
        found
    )


def test_the_ledger_adds_up_after_a_comparator_stood_still_and_clients_do_not_notice(arms: Arms, here: Place) -> None:
    with shadowing(arms, here) as gateway:
        shadow(gateway, "alike")
        with background(load(gateway, "/alike/7", seconds=5)) as clients:
            wait_until(lambda: standing(gateway, "alike")["compared"] > 50, "some are compared")
            with paused(gateway.roster().comparator_pid):
                time.sleep(2)  # It is how long it stands still.
            sent = all_served(clients.wait())
        found = settled(gateway, "alike", sent)
        assert found["compared"] > 100


def test_a_comparator_that_goes_on_standing_still_is_replaced(arms: Arms, here: Place) -> None:
    config = CONFIG.format(monolith=arms.monolith.url, service=arms.service.url)
    with serving(here, config.replace("workers: 2", "workers: 1, heartbeat_timeout: 2")) as gateway:
        shadow(gateway, "alike")
        before = gateway.roster().comparator_pid
        time.sleep(4)  # Longer than its patience: one that speaks stays.
        assert gateway.roster().comparator_pid == before
        with paused(before):
            wait_until(lambda: gateway.roster().comparator_pid not in {0, before}, "it is replaced")
        gateway.wait_for_comparator()
        with background(load(gateway, "/alike/7", seconds=1, rate=50)) as clients:
            sent = all_served(clients.wait())
        assert settled(gateway, "alike", sent)["compared"] > 0


def test_a_worker_that_is_killed_takes_along_only_what_it_had_not_told(arms: Arms, here: Place) -> None:
    with shadowing(arms, here) as gateway:
        shadow(gateway, "alike")
        with background(load(gateway, "/alike/7", seconds=3, keep_alive=False)) as clients:
            wait_until(lambda: standing(gateway, "alike")["compared"] > 50, "some are compared")
            os.kill(gateway.slot(0).pid, signal.SIGKILL)
            summary = clients.wait()
        answered = sum(1 for result in summary.results if result.status)
        found: dict[str, Any] = {}

        def is_quiet() -> bool:
            before, now = found.copy(), standing(gateway, "alike")
            found.update(now)
            return bool(before) and before["requests"] == now["requests"] and not now["pending"]

        wait_until(is_quiet, "nothing is pending any more")
        assert sum(found["headings"].values()) == found["requests"]
        # The last tick of the worker and what was in its thread: a fifth of a second of half the load, and some room.
        assert answered - 150 <= found["requests"] <= answered


def test_a_gateway_that_ends_and_one_that_starts_lose_no_account(arms: Arms, here: Place) -> None:
    with shadowing(arms, here) as gateway:
        shadow(gateway, "alike")
        with background(load(gateway, "/alike/7", seconds=1)) as clients:
            sent = all_served(clients.wait())
    with serving(here) as gateway:
        assert settled(gateway, "alike", sent)["headings"].get("comparator_lost", 0) == 0
        asked = 0

        def is_compared() -> bool:
            nonlocal asked
            asked += 1
            gateway.ask("/alike/7")
            return bool(standing(gateway, "alike")["compared"] > sent)

        wait_until(is_compared, "a worker has its comparator again")
        assert settled(gateway, "alike", sent + asked)["headings"].get("comparator_lost", 0) == 0


# The verdict


@pytest.mark.parametrize("seconds", [5, pytest.param(600, marks=[pytest.mark.soak, pytest.mark.timeout(900)])])
def test_the_same_application_on_both_sides_is_never_called_different(
    arms: Arms, here: Place, seconds: int, figure: Callable[[str], None]
) -> None:
    """A clock, a flag that is set now and then and one that is set often: each differs from itself."""
    names = [f"noisy-{number}" for number in range(5)]
    routes = "".join(NOISY.format(name=name, path=name.replace("-", "/")) for name in names)
    upstreams = f"monolith: {arms.monolith.url}\nupstreams: {{service: {{endpoints: [{arms.service.url}]}}}}\n"
    requests = tuple(Request(f"/{name.replace('-', '/')}/7") for name in names)
    seen: dict[str, set[str]] = {name: set() for name in names}
    with serving(here, f"{upstreams}routes:\n{routes}") as gateway:
        gateway.wait_for_comparator()
        gateway.flip("all", "shadow")
        with background(Plan(gateway.url, requests, rate=200, seconds=seconds)) as clients:
            end = time.monotonic() + seconds
            while time.monotonic() < end:
                for item in gateway.get("/shadow")["items"]:
                    seen[item["route"]].add(item["verdict"])
                time.sleep(0.2)  # It is looked at again and again, which must not matter.
            assert clients.wait().failures == ()
        for name in names:
            found = settled(gateway, name, seconds * 200 // len(names))
            seen[name].add(found["verdict"])
            figure(f"{name}: {found['compared']} compared, {found['claim']}")
            assert found["compared"] > 0
    assert all("different" not in verdicts for verdicts in seen.values()), seen


NOISY = """\
  - name: {name}
    match: {{prefix: /{path}}}
    module: all
    service: service
    shadow: {{rate: 1000}}
"""


# What operators see


def test_the_command_line_shows_it_with_and_without_a_gateway(arms: Arms, here: Place) -> None:
    with shadowing(arms, here) as gateway:
        shadow(gateway, "unlike")
        with background(load(gateway, "/unlike/7", seconds=1, rate=100)) as clients:
            sent = all_served(clients.wait())
        settled(gateway, "unlike", sent)
        document = sole(gateway.command("shadow", "status", "--json"))
        assert [item["route"] for item in document["items"]] == ["unlike"]
        text = gateway.command("shadow", "status")
        assert text.returncode == 0
        assert "unlike" in text.stdout
        assert "different" in text.stdout
        restarted = gateway.command("shadow", "restart", "unlike", "--reason", "it was mended")
        assert restarted.returncode == 0, restarted.stderr
        assert "run 2 begins" in restarted.stdout
        assert "restart: run 1 → 2" in gateway.command("history", "unlike").stdout
        (change, *_) = gateway.get("/history", route="unlike")["items"]
        assert (change["action"], change["reason"]) == ("restart", "it was mended")
        assert (change["before"], change["after"]) == ({"run": 1}, {"run": 2})
    report = gateway.command("shadow", "report", "unlike", "--run", "1")
    assert report.returncode == 0, report.stderr
    assert "body.arm" in report.stdout
    page = here.folder / "report.html"
    assert gateway.command("shadow", "report", "unlike", "--run", "1", "--html", str(page)).returncode == 0
    assert "body.arm" in page.read_text()
    pairs = gateway.command("shadow", "samples", "unlike", "--run", "1", "--limit", "1")
    assert 'candidate  "service"' in pairs.stdout
    assert gateway.command("shadow", "report", "nothing").returncode == 2
    assert gateway.command("shadow", "report", "unlike", "--run", "9").returncode == 2


def test_status_and_metrics_tell_of_the_comparator(gateway: Gateway) -> None:
    gateway.wait_for_comparator()
    assert "comparator connected" in gateway.command("status").stdout
    shadow(gateway, "alike")
    gateway.ask("/alike/7")
    settled(gateway, "alike", 1)
    page = gateway.admin.get(f"http://127.0.0.1:{gateway.place.admin}/metrics").text
    assert "strangler_comparator_connected 1.0" in page
    assert 'strangler_shadow_outcomes_total{heading="equivalent",route="alike"} 1.0' in page
    assert 'strangler_shadow_verdict{route="alike",verdict="not_enough_seen"} 1.0' in page
    roster = gateway.roster()
    assert psutil.Process(roster.comparator_pid).nice() == psutil.Process(roster.slots[0].pid).nice() + 10


def test_nobody_but_the_user_can_connect_or_read(gateway: Gateway) -> None:
    for name in ("comparator.sock", "ledger.db"):
        assert Path(gateway.place.state, name).stat().st_mode & 0o077 == 0, name
