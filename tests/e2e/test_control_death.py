"""While control is dead the data plane serves, kills work, and workers start from the last snapshot on disk."""

import contextlib
import os
import signal
import time
from collections.abc import Callable, Iterator

from e2e.scale import Scale, at_every_scale
from support.gateway import Gateway, sole
from support.load import Plan, Request, background
from support.raw_http import wait_until

ITEMS, NOTES = Request("/items/1", headers=(("X-User", "ada"),)), Request("/notes/1")


@at_every_scale
def test_the_data_plane_lives_without_control(scale: Scale, gateway: Gateway, figure: Callable[[str], None]) -> None:
    gateway.flip("catalog", "service")
    flipped = gateway.flip("notes", "service", reason="before the crash", author="ada")
    first = gateway.roster()
    plan = Plan(gateway.url, (ITEMS, NOTES), scale.rate, 10 * scale.control_dead_seconds, name="load")
    with background(plan) as load, kept_dead(gateway) as let_live:
        died = time.monotonic()
        assert served_by(gateway, "/items", "/notes") == {"/items": "service", "/notes": "service"}

        killed_at = time.monotonic()
        killed = sole(gateway.command("kill", "catalog", "--reason", "wrong prices", "--author", "grace", "--json"))
        kill_returned = time.monotonic()
        assert {kill["route"] for kill in killed["kills"]} == {"items", "prices"}
        assert killed["missing"] == []
        time.sleep(max(0.0, died + scale.control_dead_seconds - time.monotonic()))
        summary = load.stop()

        assert summary.failures == ()
        assert summary.statuses == {200: len(summary.results)}
        assert {result.arm for result in summary.results if result.done < killed_at} == {"service"}
        after = [result for result in summary.results if result.sent > kill_returned]
        assert {result.arm for result in after if result.target == ITEMS.target} == {"monolith"}
        assert {result.arm for result in after if result.target == NOTES.target} == {"service"}

        # Workers that are born now know the flags from the disk, and the kills from the supervisor.
        assert [slot.restarts for slot in gateway.roster().slots] == [slot.restarts for slot in first.slots]
        for slot in first.slots:
            os.kill(slot.pid, signal.SIGKILL)
        wait_until(lambda: gateway.is_anew(first), "both workers are replaced")
        assert f"starting with snapshot {flipped['revision']} from disk" in gateway.process.output()
        for _ in range(10):
            assert served_by(gateway, "/items", "/notes") == {"/items": "monolith", "/notes": "service"}

        with background(plan) as more:
            dead = time.monotonic() - died
            let_live()
            gateway.wait_for_control()
            revived = time.monotonic() - died - dead
            assert more.stop().failures == ()
    figure(
        f"control dead for {dead:.1f} s: {len(summary.results)} requests, 0 failed, p99 {summary.p99 * 1000:.1f} ms; "
        f"complete again {revived:.1f} s after it was let live"
    )
    wait_until(lambda: audited(gateway, "items", "kill") == ("grace", "wrong prices"), "the kill is in the audit")
    assert audited(gateway, "notes", "flip") == ("ada", "before the crash")

    assert {kill["route"] for kill in gateway.get("/status")["kills"]} == {"items", "prices"}
    assert gateway.kill("catalog", lift=True)["missing"] == []
    assert gateway.flip("notes", "monolith")["missing"] == []
    for _ in range(10):
        assert served_by(gateway, "/items", "/notes") == {"/items": "service", "/notes": "monolith"}


@contextlib.contextmanager
def kept_dead(gateway: Gateway) -> Iterator[Callable[[], None]]:
    """Kill control and its successor, and hold the next one still at its birth, until what is yielded is called."""
    dead = {0}
    for _ in range(2):
        pid = next_control(gateway, dead)
        os.kill(pid, signal.SIGKILL)
        dead.add(pid)
    held = next_control(gateway, dead)
    os.kill(held, signal.SIGSTOP)
    let_live = contextlib.ExitStack()
    let_live.callback(os.kill, held, signal.SIGKILL)
    with let_live:
        yield let_live.close


def next_control(gateway: Gateway, dead: set[int]) -> int:
    """The pid of the next control; it takes a while to import what it needs before it can listen."""
    wait_until(lambda: gateway.roster().control_pid not in dead, "control was started again")
    return gateway.roster().control_pid


def served_by(gateway: Gateway, *targets: str) -> dict[str, str]:
    """The arm that answers each target now, asked over connections of their own."""
    return {target: gateway.ask(target)["arm"] for target in targets}


def audited(gateway: Gateway, route: str, action: str) -> tuple[str, str] | None:
    """Author and reason of the last time that this was done to a route."""
    rows = [row for row in gateway.get("/history", route=route)["items"] if row["action"] == action]
    return (rows[0]["author"], rows[0]["reason"]) if rows else None
