"""What was decided survives a restart of everything; and where one gateway is, a second does not start."""

from dataclasses import replace
from pathlib import Path
from typing import Any

from e2e.conftest import Arms
from support.gateway import Gateway, Place, command, place, serving
from support.raw_http import wait_until


def test_flags_kills_and_audit_survive_a_restart_of_everything(arms: Arms, here: Place) -> None:
    with serving(here, arms.config) as gateway:
        gateway.flip("notes", "service", author="ada", reason="notes have moved")
        gateway.flip("items", "canary", weight="12.34", cohorts=["eve"], author="ada", reason="first step")
        gateway.flip("prices", "service", author="ada", reason="prices have moved")
        gateway.kill("prices", author="grace", reason="wrong prices")
        wait_until(lambda: newest(gateway)["action"] == "kill", "the kill is in the audit, too")
        history = gateway.get("/history")["items"]
        assert [row["action"] for row in history[:4]] == ["kill", "flip", "flip", "flip"]
        revision = gateway.get("/status")["revision"]
        kills = gateway.get("/status")["kills"]
        assert [(kill["route"], kill["author"]) for kill in kills] == [("prices", "grace")]
        flags = flags_of(gateway.get("/routes"))
    with serving(here) as again:
        assert again.process.pid != gateway.process.pid
        assert again.get("/status")["revision"] == revision
        assert again.get("/status")["kills"] == kills
        assert again.get("/history")["items"] == history
        assert flags_of(again.get("/routes")) == flags
        assert flags["items"] == ("canary", "12.34", ["eve"])
        assert again.ask("/notes")["arm"] == "service"
        assert again.ask("/items", X_User="eve")["arm"] == "service"
        assert again.ask("/prices")["arm"] == "monolith"
        again.kill("prices", lift=True)
        assert again.ask("/prices")["arm"] == "service"
    killed = again.command("kill", "notes", "--reason", "not before Monday", "--author", "grace")
    assert killed.returncode == 0, killed
    assert "the next start will honour it" in killed.stdout
    with serving(here) as third:
        assert third.ask("/notes")["arm"] == "monolith"
        assert third.ask("/prices")["arm"] == "service"
        wait_until(lambda: newest(third)["route"] == "notes", "the kill is in the audit")
        last = newest(third)
        assert (last["action"], last["author"], last["reason"]) == ("kill", "grace", "not before Monday")


def test_a_second_gateway_is_refused_with_the_remedy_and_the_first_does_not_notice(
    arms: Arms, here: Place, tmp_path: Path
) -> None:
    with serving(here, arms.config) as gateway:
        pids = {process.pid for process in gateway.family()}
        same_state = command("serve", *here.options)
        assert same_state.returncode == 2
        assert f"process {gateway.process.pid}" in same_state.stderr
        assert f"strangler down --state {here.state}" in same_state.stderr

        with place(tmp_path) as elsewhere:
            same_ports = command("serve", *replace(here, state=elsewhere.state).options)
            assert same_ports.returncode == 2
            assert f"127.0.0.1:{here.listen} (--listen) is taken by process" in same_ports.stderr
            for taken in ("admin", "health"):
                one_taken = command("serve", *replace(elsewhere, **{taken: getattr(here, taken)}).options)
                assert one_taken.returncode == 2
                assert f"(--{taken}) is taken by process" in one_taken.stderr

        assert {process.pid for process in gateway.family()} == pids
        assert gateway.ask("/items")["arm"] == "monolith"
        assert gateway.flip("items", "service")["missing"] == []


def flags_of(routes: dict[str, list[dict[str, object]]]) -> dict[str, tuple[object, ...]]:
    return {route["name"]: (route["stage"], route["weight"], route["cohorts"]) for route in routes["items"]}


def newest(gateway: Gateway) -> dict[str, Any]:
    """The last row of the audit."""
    found: dict[str, Any] = gateway.get("/history")["items"][0]
    return found
