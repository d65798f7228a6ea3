"""A shadowed request answers and tells what it did as one in earnest, and nothing of it stays."""

from typing import Any

import httpx
import pytest

from chassis.shadow import Outcome
from strangler_kit.effects import encode

from .conftest import Serve
from .shadow_site import Before, Site, effects, marks, on_postgresql, shadow
from .shadowed_service import Outside, build


@pytest.mark.usefixtures("nothing_stays")
def test_a_write_is_answered_told_and_undone(service: httpx.Client) -> None:
    answer = shadow(service, "POST", "/api/things", json={"name": "new", "size": 7})
    made = answer.json()["id"]
    assert (answer.status_code, answer.json()) == (201, {"id": made, "name": "new", "reference": "ref"})
    assert effects(answer) == {
        "v": 1,
        "rows": [
            {"table": "things", "operation": "insert", "key": {"id": made}, "before": None,
             "after": {"name": "new", "size": 7}},
        ],
        "events": [{"topic": "thing.added", "payload": {"name": "new"}}],
        "calls": [{"name": "payments.charge", "arguments": {"name": "new"}}],
        "complete": True,
    }  # fmt: skip


@pytest.mark.usefixtures("nothing_stays")
def test_what_the_primary_has_done_is_undone_first(service: httpx.Client) -> None:
    """Row 3 was just made, 2 was changed, 4 was deleted; the state before is what the handler sees."""
    before: Before = [
        {"table": "things", "key": {"id": 3}, "before": None},
        {"table": "things", "key": {"id": 2}, "before": {"name": "before", "size": 20}},
        {"table": "things", "key": {"id": 4}, "before": {"name": "four", "size": 40}},
        {"table": "of another service", "key": {"id": 4}, "before": {"x": 1}},
    ]
    again = shadow(service, "POST", "/api/things", before, json={"name": "t3"})
    assert (again.status_code, [row["operation"] for row in effects(again)["rows"]]) == (201, ["insert"])
    changed = shadow(service, "PATCH", "/api/things/2", before, json={"by": 1})
    assert changed.json() == {"size": 21}
    (row,) = effects(changed)["rows"]
    assert (row["before"], row["after"]) == ({"name": "before", "size": 20}, {"size": 21})
    gone = shadow(service, "DELETE", "/api/things/4", before)
    assert [(row["operation"], row["key"]) for row in effects(gone)["rows"]] == [("delete", {"id": 4})]
    assert shadow(service, "PATCH", "/api/things/3", before, json={"by": 1}).status_code == 404


@pytest.mark.usefixtures("nothing_stays")
def test_an_answer_that_refuses_is_one_too(service: httpx.Client) -> None:
    answer = shadow(service, "POST", "/api/things", json={"name": "t1"})
    assert (answer.status_code, effects(answer)["rows"], effects(answer)["calls"]) == (409, [], [])
    assert shadow(service, "GET", "/api/things").json() == ["t1", "t2", "t3"]
    assert shadow(service, "POST", "/api/nothing").status_code == 404


@pytest.mark.usefixtures("nothing_stays")
def test_a_handler_that_fails_is_answered_for_and_undone(service: httpx.Client) -> None:
    answer = shadow(service, "POST", "/api/broken")
    assert (answer.status_code, len(effects(answer)["rows"])) == (500, 1)


@pytest.mark.usefixtures("nothing_stays")
def test_transactions_of_one_request_see_one_another(service: httpx.Client) -> None:
    answer = shadow(service, "POST", "/api/twice")
    assert answer.json() == ["t1", "t2", "t3", "first", "t1", "t2", "t3", "first", "second"]
    assert [row["after"]["name"] for row in effects(answer)["rows"]] == ["first", "second"]
    assert len(effects(answer)["events"]) == 2, "what a failed transaction would have published is not there"
    assert shadow(service, "POST", "/api/nested").json() == 4
    assert shadow(service, "POST", "/api/gathered").json() == 8
    by_session = shadow(service, "POST", "/api/by_session")
    assert by_session.json() == 4
    assert [row["after"]["name"] for row in effects(by_session)["rows"]] == ["by a session"]


@pytest.mark.usefixtures("nothing_stays")
@on_postgresql
def test_what_a_commit_would_check_is_checked(service: httpx.Client) -> None:
    answer = shadow(service, "POST", "/api/deferred")
    assert (answer.status_code, effects(answer)["rows"]) == (409, [])


@pytest.mark.usefixtures("nothing_stays")
@pytest.mark.parametrize("target", ["/api/things", "/api/things/1", "/api/nothing"])
def test_whoever_asks_by_options_hears_that_marks_are_known(target: str, service: httpx.Client) -> None:
    """So a gateway finds out, by a method that changes nothing anywhere, before it sends a write."""
    assert effects(shadow(service, "OPTIONS", target))["rows"] == []
    assert "x-strangler-shadowed" not in service.request("OPTIONS", target).headers


def test_in_earnest_it_writes(service: httpx.Client, site: Site, outside: Outside) -> None:
    """After a shadowed request too: the connection goes back to the pool as it was."""
    shadow(service, "POST", "/api/things", json={"name": "new"})
    assert service.post("/api/things", json={"name": "new"}).status_code == 201
    assert [row[1] for row in site.state()["things"]] == ["t1", "t2", "t3", "new"]
    assert (len(site.state()["messages"]), outside.charged) == (1, ["new"])
    assert "x-strangler-shadowed" not in service.get("/api/things").headers


FORGED: dict[str, dict[str, Any]] = {
    "for another method": {"method": "PUT"},
    "for another target": {"target": "/api/things?x"},
    "by another secret": {"secret": "another secret that is long enough as well"},
    "for another purpose": {"purpose": "report"},
    "expired": {"age": 61},
    "from the future": {"age": -10},
}


@pytest.mark.usefixtures("nothing_stays")
@pytest.mark.parametrize("name", FORGED)
def test_a_mark_that_does_not_hold_is_refused(name: str, service: httpx.Client) -> None:
    headers = marks(**{"method": "POST", "target": "/api/things"} | FORGED[name])
    answer = service.post("/api/things", json={"name": "forged"}, headers=headers)
    assert (answer.status_code, answer.headers["content-type"]) == (403, "application/problem+json")
    assert "x-strangler-shadowed" not in answer.headers


@pytest.mark.usefixtures("nothing_stays")
@pytest.mark.parametrize("mark", ["", "v1", "x" * 5000])
def test_nonsense_is_refused_and_not_run_in_earnest(mark: str, service: httpx.Client) -> None:
    headers = {"X-Strangler-Shadow": mark}
    assert service.post("/api/things", json={"name": "forged"}, headers=headers).status_code == 403


@pytest.mark.usefixtures("nothing_stays")
def test_two_marks_are_refused(service: httpx.Client) -> None:
    one = marks("POST", "/api/things")["X-Strangler-Shadow"]
    headers = [("X-Strangler-Shadow", one), ("X-Strangler-Shadow", one)]
    assert service.post("/api/things", json={"name": "forged"}, headers=headers).status_code == 403


@pytest.mark.usefixtures("nothing_stays")
def test_a_good_mark_is_refused_while_no_secret_is_set(site: Site, url: str, outside: Outside, serve: Serve) -> None:
    service = serve(build(url, outside))
    answer = shadow(service, "POST", "/api/things", json={"name": "new"})
    assert answer.status_code == 403
    assert service.get("/api/things").status_code == 200


@pytest.mark.usefixtures("nothing_stays")
@pytest.mark.parametrize("before", ["x", encode({"v": 1}), encode({"v": 1, "rows": [{}]})])
def test_before_images_that_are_none_are_refused(before: str, service: httpx.Client) -> None:
    headers = marks("POST", "/api/things") | {"X-Strangler-Before": before}
    assert service.post("/api/things", json={"name": "new"}, headers=headers).status_code == 403


@pytest.mark.usefixtures("nothing_stays")
def test_an_answer_that_is_too_long_is_not_kept(service: httpx.Client) -> None:
    answer = shadow(service, "POST", "/api/long")
    assert answer.headers["x-strangler-shadowed"] == "refused"


@pytest.mark.usefixtures("nothing_stays")
def test_a_body_comes_through_whole(service: httpx.Client) -> None:
    answer = shadow(service, "POST", "/api/echo", content=b"x" * 300_000)
    assert (answer.json(), effects(answer)["rows"]) == (300_000, [])


def test_metrics_tell_what_became_of_them(service: httpx.Client, site: Site) -> None:
    shadow(service, "POST", "/api/things", json={"name": "new"})
    shadow(service, "POST", "/api/escaping/commit")
    told = service.get("/metrics").text
    for outcome, number in ((Outcome.ROLLED_BACK, 1), (Outcome.REFUSED, 1)):
        assert f'shadowed_requests_total{{outcome="{outcome}"}} {number}.0' in told
    assert "shadow_transaction_seconds_count 2.0" in told
