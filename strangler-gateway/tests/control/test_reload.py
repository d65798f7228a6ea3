"""A configuration is adopted as a whole, or nothing changes; flags outlive their routes."""

from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import yaml

from strangler.link.codec import decode_snapshot
from strangler.model.messages import SnapshotPush

FOLDER = Path(__file__).parents[1] / "config"
GOOD = (FOLDER / "good.yaml").read_text()
MUTATIONS: list[dict[str, Any]] = yaml.safe_load((FOLDER / "mutations.yaml").read_text())
GET = """\
  - {name: products-get, match: {path: "/api/products/{id}", methods: [GET]}, module: catalog, service: catalog,
     sticky: [header:X-User]}
"""


def reload(control, text: str | None = None):
    if text is not None:
        control.config.write_text(text)
    return control.api.post("/api/v1/config/reload", json={"author": "ann", "reason": "a test"})


@pytest.fixture
def served(supervisor, control, workers, until):
    """Control with both its workers, so that nothing waits in vain."""
    workers.join(0)
    workers.join(1)
    until(lambda: [w["revision"] for w in control.get("/status")["workers"]] == [1, 1], "both workers")
    return control


def test_no_wrong_configuration_is_adopted_by_a_running_control(
    supervisor, tmp_path: Path, start_control, workers
) -> None:
    with start_control(tmp_path, config=GOOD, store=f"sqlite:///{tmp_path}/store.db") as control:
        before = (control.get("/status") | {"uptime_seconds": 0}, control.get("/routes"), control.get("/config"))
        snapshot = (control.state / "snapshot.json").read_bytes()
        for mutation in MUTATIONS:
            answer = reload(control, GOOD.replace(mutation["old"], mutation["new"], 1))
            assert (answer.status_code, answer.headers["content-type"]) == (422, "application/problem+json"), mutation
            assert mutation["place"] in {problem["place"] for problem in answer.json()["problems"]}, answer.text
        after = (control.get("/status") | {"uptime_seconds": 0}, control.get("/routes"), control.get("/config"))
        assert (after[0]["revision"], after) == (1, before)
        assert (control.state / "snapshot.json").read_bytes() == snapshot
        assert {item["revision"] for item in control.get("/history")["items"]} == {1}


def test_a_configuration_whose_secrets_are_missing_is_refused_and_flips_go_on(served) -> None:
    """Else it would be adopted, and every worker would refuse it, and each flip after it."""
    secret = "authentication: {session: {flask_session: {secret: 'file:there-is-none'}}}\n"
    answer = reload(served, secret + served.config.read_text())
    (problem,) = answer.json()["problems"]
    assert (answer.status_code, problem["place"]) == (422, "authentication.session.flask_session.secret")
    assert "there-is-none cannot be read" in problem["message"]
    flipped = served.flip("products-get", "service").json()
    assert (flipped["revision"], flipped["missing"]) == (2, [])


def test_a_comment_changes_nothing(served) -> None:
    answer = reload(served, "# a comment\n" + served.config.read_text()).json()
    assert (answer["changed"], answer["revision"]) == (False, 1)


def test_a_new_topology_reaches_the_workers_and_the_audit(served, workers, until) -> None:
    text = (
        served.config.read_text() + "  - {name: new, match: {path: /new}, service: catalog, stage: canary, weight: 5}\n"
    )
    answer = reload(served, text).json()
    assert (answer["changed"], answer["revision"], answer["acknowledged"], answer["missing"]) == (True, 2, [0, 1], [])
    assert "new" in {route.name for route in workers.peers[0].of(SnapshotPush)[-1].snapshot.routes}
    assert served.stages()["new"] == "canary"
    whole, route = sorted(served.get("/history", limit=2)["items"], key=lambda row: row["id"])
    assert (whole["action"], whole["author"], whole["route"], whole["revision"]) == ("config", "ann", None, 2)
    assert whole["after"]["topology"] == answer["topology"]
    assert (route["route"], route["before"], route["after"]["stage"]) == ("new", None, "canary")


def test_the_first_stage_counts_once(served, start_control, tmp_path: Path) -> None:
    served.flip("catalog", "service")
    changed = served.config.read_text().replace("path: /api/products/import", "path: /api/products/bulk")
    reload(served, changed.replace(GET, GET.replace("sticky:", "stage: canary, weight: 5, sticky:")))
    assert served.stages()["products-get"] == "service"


def test_the_flag_of_a_route_that_is_gone_comes_back_with_it(served) -> None:
    text = served.config.read_text()
    served.flip("products-get", "canary", weight=7)
    reload(served, text.replace(GET, ""))
    assert "products-get" not in served.stages()
    on_disk = decode_snapshot((served.state / "snapshot.json").read_bytes())
    assert on_disk.flags == ()
    assert served.flip("products-get", "service").status_code == 404
    reload(served, text)
    assert {item["name"]: item["weight"] for item in served.get("/routes")["items"]}["products-get"] == "7.00"
    reasons = [row["reason"] for row in served.get("/history", route="products-get")["items"]]
    assert reasons == [
        "a test: the route is back",
        "a test: the route is gone; its flag is kept",
        "a test",
        "at start: the route is new",
    ]


def test_a_route_that_is_served_by_its_service_may_not_lose_it(served) -> None:
    text = served.config.read_text()
    served.flip("products-get", "canary", weight=7)
    without = text.replace(GET, GET.replace(", service: catalog", ""))
    answer = reload(served, without)
    (problem,) = answer.json()["problems"]
    assert (answer.status_code, problem["line"], problem["place"]) == (422, 6, "routes[1].service")
    assert "strangler flip products-get monolith" in problem["message"]
    assert served.revision() == 2
    served.flip("products-get", "monolith")
    assert reload(served, without).status_code == 200


def test_a_route_that_comes_back_without_its_service_is_at_the_monolith(served) -> None:
    text = served.config.read_text()
    served.flip("products-get", "service")
    reload(served, text.replace(GET, ""))
    assert reload(served, text.replace(GET, GET.replace(", service: catalog", ""))).status_code == 200
    assert served.stages()["products-get"] == "monolith"


def test_a_setting_that_counts_at_the_start_is_told(served) -> None:
    answer = reload(served, served.config.read_text() + "gateway: {workers: 7}\n").json()
    assert (answer["changed"], answer["warnings"]) == (
        False, ["gateway.workers has changed; it counts from the next start of the gateway"],
    )  # fmt: skip


def test_a_reload_without_a_body_is_one(served) -> None:
    assert served.api.post("/api/v1/config/reload").status_code == 200


def test_revisions_only_ever_grow(served, workers) -> None:
    text = served.config.read_text()
    served.flip("catalog", "service")
    reload(served, text.replace("/legacy", "/older"))
    served.flip("catalog", "monolith")
    reload(served, text)
    seen = [push.snapshot.revision for push in workers.peers[0].of(SnapshotPush)]
    assert seen == [1, 2, 3, 4, 5]
    assert all(one < other for one, other in pairwise(seen))
