"""Kills work through the supervisor, and are merged into the audit exactly once."""

from pathlib import Path

from strangler.model.messages import KillEventsRequest


def rows(control, **query) -> list[tuple[str, str, str, str]]:
    found = control.get("/history", **query)["items"]
    return [
        (row["action"], row["route"], row["author"], row["reason"])
        for row in found
        if row["action"] in {"kill", "lift"}
    ]


def connected(control) -> bool:
    return control.get("/status")["supervisor"] == "connected"


def test_a_kill_over_the_api_is_in_force_and_in_the_audit(supervisor, control, until) -> None:
    until(lambda: connected(control), "the supervisor")
    body = {"target": "products-get", "reason": "it lies", "author": "ann"}
    answer = control.api.post("/api/v1/kills", json=body)
    assert answer.status_code == 200
    assert (answer.json()["generation"], answer.json()["missing"]) == (1, [])
    assert [kill["route"] for kill in answer.json()["kills"]] == ["products-get"]
    until(lambda: rows(control) == [("kill", "products-get", "ann", "it lies")], "the audit row")
    killed = {item["name"]: item["killed"] for item in control.get("/routes")["items"]}
    assert killed["products-get"]["author"] == "ann"
    assert killed["products-list"] is None
    control.api.post("/api/v1/kills", json=body | {"lift": True, "reason": "mended"})
    until(lambda: rows(control)[0] == ("lift", "products-get", "ann", "mended"), "the audit row")
    until(lambda: control.get("/status")["kills"] == [], "the roster")


def test_a_kill_of_a_module_kills_each_of_its_routes(supervisor, control, until) -> None:
    until(lambda: connected(control), "the supervisor")
    control.api.post("/api/v1/kills", json={"target": "catalog", "reason": "r", "author": "a"})
    until(lambda: len(rows(control)) == 3, "three audit rows")
    assert {route for _, route, _, _ in rows(control)} == {"products-list", "products-get", "products-import"}


def test_kills_from_before_control_was_there_are_merged(supervisor, tmp_path: Path, start_control, until) -> None:
    supervisor.record(("products-get", "products-list"), "bob", "at night")
    with start_control(tmp_path) as control:
        until(lambda: len(rows(control)) == 2, "both audit rows")
        assert control.get("/history")["items"][0]["at"] == "2026-11-22T10:00:00.000Z"


def test_events_that_are_sent_again_are_merged_once(supervisor, tmp_path: Path, start_control, until) -> None:
    supervisor.replays_everything = True
    supervisor.record(("legacy",), "bob", "one")
    with start_control(tmp_path) as control:
        until(lambda: len(rows(control)) == 1, "the first")
        supervisor.hang_up()
        supervisor.record(("legacy",), "bob", "two", lift=True)
        until(lambda: len(rows(control)) == 2, "the second, after a reconnect that replays the first")
    with start_control(tmp_path) as control:
        supervisor.record(("legacy",), "bob", "three")
        until(lambda: rows(control)[0][3] == "three", "the third, after a restart that replays all")
        assert [row[3] for row in rows(control)] == ["three", "two", "one"]


def test_after_a_restart_only_what_follows_the_last_merged_is_asked_for(
    supervisor, tmp_path: Path, start_control, until
) -> None:
    supervisor.record(("legacy",), "bob", "one")
    with start_control(tmp_path) as control:
        until(lambda: len(rows(control)) == 1, "the first")
    supervisor.hang_up()
    with start_control(tmp_path) as control:
        until(lambda: supervisor.peers and supervisor.peers[0].of(KillEventsRequest), "the request")
        assert supervisor.peers[0].of(KillEventsRequest)[0].after == 1
        assert connected(control)


def test_a_flip_of_a_killed_route_is_done_with_a_warning(supervisor, control, workers, until) -> None:
    workers.join(0)
    workers.join(1)
    supervisor.record(("products-get",), "bob", "it lies")
    until(lambda: control.get("/status")["kills"], "the kill")
    answer = control.flip("products-get", "service").json()
    assert answer["revision"] == 2
    assert answer["warnings"] == ["products-get is killed: it goes to the monolith until the kill is lifted"]
    explained = control.api.post("/api/v1/explain", json={"target": "/api/products/7"}).json()
    assert (explained["arm"], explained["reason"], explained["stage"]) == ("monolith", "killed", "service")


def test_a_kill_without_a_supervisor_is_a_503_that_says_why(control) -> None:
    answer = control.api.post("/api/v1/kills", json={"target": "catalog", "reason": "r", "author": "a"})
    assert answer.status_code == 503
    assert "the supervisor is not connected" in answer.json()["detail"]


def test_a_supervisor_that_ends_in_mid_kill_is_a_503(supervisor, control, until) -> None:
    until(lambda: connected(control), "the supervisor")
    supervisor.answers_kills = False
    peer = supervisor.peers[0]
    peer._on_message = lambda _peer, _message: peer.close()
    answer = control.api.post("/api/v1/kills", json={"target": "catalog", "reason": "r", "author": "a"})
    assert answer.status_code == 503
    assert "before it answered" in answer.json()["detail"]


def test_a_kill_of_a_route_that_has_gone_from_the_configuration_can_be_lifted(supervisor, control, until) -> None:
    supervisor.record(("gone",), "bob", "r")
    until(lambda: control.get("/status")["kills"], "the kill")
    body = {"target": "gone", "reason": "r", "author": "a"}
    assert control.api.post("/api/v1/kills", json=body).status_code == 404
    assert control.api.post("/api/v1/kills", json=body | {"lift": True}).json()["kills"] == []
