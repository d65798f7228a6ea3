"""Nothing of a shadowed request gets out: whatever it tries, whoever leaves or dies, whoever else holds the rows."""

import asyncio
import contextlib
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import text

from support.processes import free_port

from .shadow_site import Before, Site, effects, marks, on_postgresql, shadow
from .shadowed_service import Outside

WAYS_OUT = (
    "engine", "call", "commit", "rollback", "COMMIT", "SELECT 1; COMMIT", " end ", "text", "commented",
    "nested comment", "after a comment", "definition",
)  # fmt: skip


@pytest.mark.usefixtures("nothing_stays")
@pytest.mark.parametrize("way", WAYS_OUT)
def test_a_way_out_is_closed(way: str, service: httpx.Client, log: Any) -> None:
    target = f"/api/escaping/{way}".replace(" ", "%20").replace(";", "%3B")
    answer = shadow(service, "POST", target)
    assert (answer.status_code, answer.headers["x-strangler-shadowed"]) == (503, "refused"), answer.text
    assert "x-strangler-effects" not in answer.headers
    assert "a shadowed request has no answer" in log.getvalue()
    assert shadow(service, "GET", "/api/things").json() == ["t1", "t2", "t3"], "the next one is not troubled by it"


@pytest.mark.parametrize("way", ["driver", "driver%20later"])
def test_what_got_out_past_everything_is_noticed(way: str, service: httpx.Client) -> None:
    """A handler that commits by the driver itself cannot be held, but nobody is told that it was."""
    answer = shadow(service, "POST", f"/api/escaping/{way}")
    assert (answer.status_code, answer.headers["x-strangler-shadowed"]) == (503, "refused")


@pytest.mark.usefixtures("nothing_stays")
def test_what_goes_on_after_the_answer_is_undone_too(service: httpx.Client, outside: Outside) -> None:
    answer = shadow(service, "POST", "/api/background")
    assert [row["after"]["name"] for row in effects(answer)["rows"]] == ["in front"]
    task = outside.left_over
    assert task is not None
    task.get_loop().call_soon_threadsafe(outside.go_on.set)
    ended = asyncio.run_coroutine_threadsafe(_ended(task), task.get_loop()).result(10)
    assert ended == "ShadowAborted"


async def _ended(task: asyncio.Task[Any]) -> str:
    await asyncio.wait({task})
    return type(task.exception()).__name__


@pytest.mark.usefixtures("nothing_stays")
def test_rows_that_another_holds_are_not_waited_for(service: httpx.Client, site: Site) -> None:
    assert service.get("/api/things").status_code == 200  # SQLite's journal is what it will be
    with site.engine.connect() as other:
        if site.engine.dialect.name == "sqlite":
            other.exec_driver_sql("BEGIN IMMEDIATE")
        other.execute(text("UPDATE things SET size = 5 WHERE id = 2"))
        for before in (None, [{"table": "things", "key": {"id": 2}, "before": {"size": 20}}]):
            # Those in earnest wait for five seconds.
            answer = shadow(service, "PATCH", "/api/things/2", before, json={"by": 1}, timeout=4)
            assert (answer.status_code, answer.headers["x-strangler-shadowed"]) == (503, "locked")
            assert "x-strangler-effects" not in answer.headers
        other.rollback()
    assert shadow(service, "PATCH", "/api/things/2", json={"by": 1}).json() == {"size": 3}


def test_those_in_earnest_wait_as_before(service: httpx.Client, site: Site) -> None:
    shadow(service, "PATCH", "/api/things/2", json={"by": 1})
    with site.engine.connect() as other:
        if site.engine.dialect.name == "sqlite":
            other.exec_driver_sql("BEGIN IMMEDIATE")
        other.execute(text("UPDATE things SET size = 5 WHERE id = 2"))
        timer = threading.Timer(0.5, other.commit)  # longer than a shadowed request would have waited
        timer.start()
        assert service.patch("/api/things/2", json={"by": 1}).json() == {"size": 6}
        timer.join()


@pytest.mark.usefixtures("nothing_stays")
def test_rows_that_others_have_made_impossible_are_left(service: httpx.Client) -> None:
    """The name of what the primary deleted has been taken again since."""
    before: Before = [{"table": "things", "key": {"id": 9}, "before": {"name": "t1", "size": 1}}]
    answer = shadow(service, "POST", "/api/things", before, json={"name": "x"})
    assert (answer.status_code, answer.headers["x-strangler-shadowed"]) == (503, "locked")


@pytest.mark.usefixtures("nothing_stays")
@on_postgresql
def test_advisory_locks_do_not_outlive_it(service: httpx.Client, site: Site) -> None:
    effects_of = shadow(service, "POST", "/api/advisory")
    assert effects_of.headers["x-strangler-shadowed"] == "rolled-back"
    with site.engine.connect() as other:
        assert other.execute(text("SELECT pg_try_advisory_lock(7), pg_try_advisory_lock(8)")).one() == (True, True)


@pytest.mark.usefixtures("nothing_stays")
def test_a_client_that_leaves_takes_it_along(service: httpx.Client, site: Site, outside: Outside) -> None:
    address = (service.base_url.host, service.base_url.port or 0)
    mark = marks("POST", "/api/held")["X-Strangler-Shadow"]
    with socket.create_connection(address) as asking:
        asking.sendall(f"POST /api/held HTTP/1.1\r\nHost: x\r\nX-Strangler-Shadow: {mark}\r\n\r\n".encode())
        assert outside.reached.wait(20)
    _writes_at_once(site)


@pytest.mark.usefixtures("nothing_stays")
def test_a_process_that_is_killed_in_the_middle_leaves_nothing(site: Site, url: str) -> None:
    port = free_port()
    program = Path(__file__).with_name("shadowed_service.py")
    with subprocess.Popen(
        [sys.executable, program, url, str(port)], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    ) as process:
        try:
            _until_it_answers(port)
            asking = threading.Thread(target=_ask_in_vain, args=(port,))
            asking.start()
            assert process.stdout is not None
            assert process.stdout.readline() == b"reached\n"
            process.send_signal(signal.SIGKILL)
            process.wait(10)
            asking.join(10)
        finally:
            process.kill()
    _writes_at_once(site)


def _writes_at_once(site: Site) -> None:
    """No lock is left: somebody else can write every row (and does not)."""
    with site.engine.connect() as other:
        other.execute(text("UPDATE things SET size = 5"))
        other.rollback()


def _ask_in_vain(port: int) -> None:
    with contextlib.suppress(httpx.TransportError):
        httpx.post(f"http://127.0.0.1:{port}/api/held", headers=marks("POST", "/api/held"), timeout=20)


def _until_it_answers(port: int) -> None:
    deadline = time.monotonic() + 30
    while True:
        try:
            httpx.get(f"http://127.0.0.1:{port}/livez")
        except httpx.TransportError:
            assert time.monotonic() < deadline
        else:
            return
