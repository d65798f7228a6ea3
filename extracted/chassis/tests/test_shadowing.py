"""A shadowed request answers and tells what it did as one in earnest, and nothing of it stays or gets out."""

import asyncio
import contextlib
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import psycopg
import pytest
from sqlalchemy import Engine, create_engine, make_url, text

from chassis.shadow import Outcome
from strangler_kit.effects import decode, encode
from strangler_kit.marks import make
from support.postgresql import PostgreSQL, postgresql
from support.processes import free_port

from .conftest import Serve
from .shadowed_service import SECRET, Outside, build, metadata

State = dict[str, list[Any]]
Before = list[dict[str, Any]]


@pytest.fixture(scope="session")
def database_server() -> Iterator[PostgreSQL]:
    with postgresql() as server:
        yield server


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgresql)])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'things.db'}"
    server: PostgreSQL = request.getfixturevalue("database_server")
    with psycopg.connect(server.url(), autocommit=True) as connection:
        connection.execute("DROP SCHEMA public CASCADE")
        connection.execute("CREATE SCHEMA public")
    return server.url()


on_postgresql = pytest.mark.parametrize(
    "url", [pytest.param("postgresql", marks=pytest.mark.postgresql)], indirect=True
)


class Site:
    """The database as somebody else sees it."""

    def __init__(self, url: str) -> None:
        parsed = make_url(url)
        if parsed.get_backend_name() != "sqlite":
            parsed = parsed.set(drivername="postgresql+psycopg")
        self.engine: Engine = create_engine(parsed)
        metadata.create_all(self.engine)
        with self.engine.begin() as connection:
            rows = ", ".join(f"({number}, 't{number}', {number})" for number in (1, 2, 3))
            connection.execute(text(f"INSERT INTO things (id, name, size) VALUES {rows}"))
            if self.engine.dialect.name == "postgresql":
                connection.execute(text("SELECT setval('things_id_seq', 4)"))

    def state(self) -> State:
        with self.engine.connect() as connection:
            return {
                name: [tuple(row) for row in connection.execute(text(f"SELECT * FROM {name} ORDER BY id"))]
                for name in metadata.tables
            }


@pytest.fixture
def site(url: str) -> Iterator[Site]:
    found = Site(url)
    yield found
    found.engine.dispose()


@pytest.fixture
def outside() -> Outside:
    return Outside()


@pytest.fixture
def client(site: Site, url: str, outside: Outside, serve: Serve) -> httpx.Client:
    return serve(build(url, outside, STRANGLER_SHADOW_SECRET=SECRET))


def marks(method: str, target: str, before: Before | None = None, **changes: Any) -> dict[str, str]:
    """The headers of a shadowed request."""
    given: dict[str, Any] = {"purpose": "shadow", "secret": SECRET, "age": 0} | changes
    made = time.time() - given["age"]
    mark = make(given["secret"].encode(), given["purpose"], method, target, made, "n" * 16)
    headers = {"X-Strangler-Shadow": mark}
    return headers if before is None else headers | {"X-Strangler-Before": encode({"v": 1, "rows": before})}


def shadow(client: httpx.Client, method: str, target: str, before: Before | None = None, **more: Any) -> httpx.Response:
    return client.request(method, target, headers=marks(method, target, before), **more)


def effects(answer: httpx.Response) -> dict[str, Any]:
    assert answer.headers["x-strangler-shadowed"] == "rolled-back", (answer.headers, answer.text)
    report = decode(answer.headers["x-strangler-effects"])
    assert report["complete"], report
    return report


@pytest.fixture
def nothing_stays(site: Site, outside: Outside) -> Iterator[None]:
    """Whatever the test does, it leaves the database as it was, and lets nothing out."""
    before = site.state()
    yield
    assert site.state() == before
    assert outside.charged == []


@pytest.mark.usefixtures("nothing_stays")
def test_a_write_is_answered_told_and_undone(client: httpx.Client) -> None:
    answer = shadow(client, "POST", "/api/things", json={"name": "new", "size": 7})
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
def test_what_the_primary_has_done_is_undone_first(client: httpx.Client) -> None:
    """Row 3 was just made, 2 was changed, 4 was deleted; the state before is what the handler sees."""
    before: Before = [
        {"table": "things", "key": {"id": 3}, "before": None},
        {"table": "things", "key": {"id": 2}, "before": {"name": "before", "size": 20}},
        {"table": "things", "key": {"id": 4}, "before": {"name": "four", "size": 40}},
        {"table": "of another service", "key": {"id": 4}, "before": {"x": 1}},
    ]
    again = shadow(client, "POST", "/api/things", before, json={"name": "t3"})
    assert (again.status_code, [row["operation"] for row in effects(again)["rows"]]) == (201, ["insert"])
    changed = shadow(client, "PATCH", "/api/things/2", before, json={"by": 1})
    assert changed.json() == {"size": 21}
    (row,) = effects(changed)["rows"]
    assert (row["before"], row["after"]) == ({"name": "before", "size": 20}, {"size": 21})
    gone = shadow(client, "DELETE", "/api/things/4", before)
    assert [(row["operation"], row["key"]) for row in effects(gone)["rows"]] == [("delete", {"id": 4})]
    assert shadow(client, "PATCH", "/api/things/3", before, json={"by": 1}).status_code == 404


@pytest.mark.usefixtures("nothing_stays")
def test_an_answer_that_refuses_is_one_too(client: httpx.Client) -> None:
    answer = shadow(client, "POST", "/api/things", json={"name": "t1"})
    assert (answer.status_code, effects(answer)["rows"], effects(answer)["calls"]) == (409, [], [])
    assert shadow(client, "GET", "/api/things").json() == ["t1", "t2", "t3"]
    assert shadow(client, "POST", "/api/nothing").status_code == 404


@pytest.mark.usefixtures("nothing_stays")
def test_a_handler_that_fails_is_answered_for_and_undone(client: httpx.Client) -> None:
    answer = shadow(client, "POST", "/api/broken")
    assert (answer.status_code, len(effects(answer)["rows"])) == (500, 1)


@pytest.mark.usefixtures("nothing_stays")
def test_transactions_of_one_request_see_one_another(client: httpx.Client) -> None:
    answer = shadow(client, "POST", "/api/twice")
    assert answer.json() == ["t1", "t2", "t3", "first", "t1", "t2", "t3", "first", "second"]
    assert [row["after"]["name"] for row in effects(answer)["rows"]] == ["first", "second"]
    assert len(effects(answer)["events"]) == 2, "what a failed transaction would have published is not there"
    assert shadow(client, "POST", "/api/nested").json() == 4
    assert shadow(client, "POST", "/api/gathered").json() == 8


@pytest.mark.usefixtures("nothing_stays")
@on_postgresql
def test_what_a_commit_would_check_is_checked(client: httpx.Client) -> None:
    answer = shadow(client, "POST", "/api/deferred")
    assert (answer.status_code, effects(answer)["rows"]) == (409, [])


def test_in_earnest_it_writes(client: httpx.Client, site: Site, outside: Outside) -> None:
    """After a shadowed request too: the connection goes back to the pool as it was."""
    shadow(client, "POST", "/api/things", json={"name": "new"})
    assert client.post("/api/things", json={"name": "new"}).status_code == 201
    assert [row[1] for row in site.state()["things"]] == ["t1", "t2", "t3", "new"]
    assert (len(site.state()["messages"]), outside.charged) == (1, ["new"])
    assert "x-strangler-shadowed" not in client.get("/api/things").headers


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
def test_a_mark_that_does_not_hold_is_refused(name: str, client: httpx.Client) -> None:
    headers = marks(**{"method": "POST", "target": "/api/things"} | FORGED[name])
    answer = client.post("/api/things", json={"name": "forged"}, headers=headers)
    assert (answer.status_code, answer.headers["content-type"]) == (403, "application/problem+json")
    assert "x-strangler-shadowed" not in answer.headers


@pytest.mark.usefixtures("nothing_stays")
@pytest.mark.parametrize("mark", ["", "v1", "x" * 5000])
def test_nonsense_is_refused_and_not_run_in_earnest(mark: str, client: httpx.Client) -> None:
    headers = {"X-Strangler-Shadow": mark}
    assert client.post("/api/things", json={"name": "forged"}, headers=headers).status_code == 403


@pytest.mark.usefixtures("nothing_stays")
def test_two_marks_are_refused(client: httpx.Client) -> None:
    one = marks("POST", "/api/things")["X-Strangler-Shadow"]
    headers = [("X-Strangler-Shadow", one), ("X-Strangler-Shadow", one)]
    assert client.post("/api/things", json={"name": "forged"}, headers=headers).status_code == 403


@pytest.mark.usefixtures("nothing_stays")
def test_a_good_mark_is_refused_while_no_secret_is_set(site: Site, url: str, outside: Outside, serve: Serve) -> None:
    client = serve(build(url, outside))
    answer = shadow(client, "POST", "/api/things", json={"name": "new"})
    assert answer.status_code == 403
    assert client.get("/api/things").status_code == 200


@pytest.mark.usefixtures("nothing_stays")
@pytest.mark.parametrize("before", ["x", encode({"v": 1}), encode({"v": 1, "rows": [{}]})])
def test_before_images_that_are_none_are_refused(before: str, client: httpx.Client) -> None:
    headers = marks("POST", "/api/things") | {"X-Strangler-Before": before}
    assert client.post("/api/things", json={"name": "new"}, headers=headers).status_code == 403


WAYS_OUT = ("engine", "call", "commit", "rollback", "COMMIT", "SELECT 1; COMMIT", " end ", "text")


@pytest.mark.usefixtures("nothing_stays")
@pytest.mark.parametrize("way", WAYS_OUT)
def test_a_way_out_is_closed(way: str, client: httpx.Client, log: Any) -> None:
    target = f"/api/escaping/{way}".replace(" ", "%20").replace(";", "%3B")
    answer = shadow(client, "POST", target)
    assert (answer.status_code, answer.headers["x-strangler-shadowed"]) == (503, "refused"), answer.text
    assert "x-strangler-effects" not in answer.headers
    assert "a shadowed request has no answer" in log.getvalue()
    assert shadow(client, "GET", "/api/things").json() == ["t1", "t2", "t3"], "the next one is not troubled by it"


@pytest.mark.parametrize("way", ["driver", "driver%20later"])
def test_what_got_out_past_everything_is_noticed(way: str, client: httpx.Client) -> None:
    """A handler that commits by the driver itself cannot be held, but nobody is told that it was."""
    answer = shadow(client, "POST", f"/api/escaping/{way}")
    assert (answer.status_code, answer.headers["x-strangler-shadowed"]) == (503, "refused")


@pytest.mark.usefixtures("nothing_stays")
def test_an_answer_that_is_too_long_is_not_kept(client: httpx.Client) -> None:
    answer = shadow(client, "POST", "/api/long")
    assert answer.headers["x-strangler-shadowed"] == "refused"


@pytest.mark.usefixtures("nothing_stays")
def test_a_body_comes_through_whole(client: httpx.Client) -> None:
    answer = shadow(client, "POST", "/api/echo", content=b"x" * 300_000)
    assert (answer.json(), effects(answer)["rows"]) == (300_000, [])


@pytest.mark.usefixtures("nothing_stays")
def test_what_goes_on_after_the_answer_is_undone_too(client: httpx.Client, outside: Outside) -> None:
    answer = shadow(client, "POST", "/api/background")
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
def test_rows_that_another_holds_are_not_waited_for(client: httpx.Client, site: Site) -> None:
    assert client.get("/api/things").status_code == 200  # SQLite's journal is what it will be
    with site.engine.connect() as other:
        if site.engine.dialect.name == "sqlite":
            other.exec_driver_sql("BEGIN IMMEDIATE")
        other.execute(text("UPDATE things SET size = 5 WHERE id = 2"))
        for before in (None, [{"table": "things", "key": {"id": 2}, "before": {"size": 20}}]):
            # Those in earnest wait for five seconds.
            answer = shadow(client, "PATCH", "/api/things/2", before, json={"by": 1}, timeout=4)
            assert (answer.status_code, answer.headers["x-strangler-shadowed"]) == (503, "locked")
            assert "x-strangler-effects" not in answer.headers
        other.rollback()
    assert shadow(client, "PATCH", "/api/things/2", json={"by": 1}).json() == {"size": 3}


def test_those_in_earnest_wait_as_before(client: httpx.Client, site: Site) -> None:
    shadow(client, "PATCH", "/api/things/2", json={"by": 1})
    with site.engine.connect() as other:
        if site.engine.dialect.name == "sqlite":
            other.exec_driver_sql("BEGIN IMMEDIATE")
        other.execute(text("UPDATE things SET size = 5 WHERE id = 2"))
        timer = threading.Timer(0.5, other.commit)  # longer than a shadowed request would have waited
        timer.start()
        assert client.patch("/api/things/2", json={"by": 1}).json() == {"size": 6}
        timer.join()


@pytest.mark.usefixtures("nothing_stays")
def test_rows_that_others_have_made_impossible_are_left(client: httpx.Client) -> None:
    """The name of what the primary deleted has been taken again since."""
    before: Before = [{"table": "things", "key": {"id": 9}, "before": {"name": "t1", "size": 1}}]
    answer = shadow(client, "POST", "/api/things", before, json={"name": "x"})
    assert (answer.status_code, answer.headers["x-strangler-shadowed"]) == (503, "locked")


@pytest.mark.usefixtures("nothing_stays")
@on_postgresql
def test_advisory_locks_do_not_outlive_it(client: httpx.Client, site: Site) -> None:
    effects_of = shadow(client, "POST", "/api/advisory")
    assert effects_of.headers["x-strangler-shadowed"] == "rolled-back"
    with site.engine.connect() as other:
        assert other.execute(text("SELECT pg_try_advisory_lock(7), pg_try_advisory_lock(8)")).one() == (True, True)


@pytest.mark.usefixtures("nothing_stays")
def test_a_client_that_leaves_takes_it_along(client: httpx.Client, site: Site, outside: Outside) -> None:
    address = (client.base_url.host, client.base_url.port or 0)
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


def test_metrics_tell_what_became_of_them(client: httpx.Client, site: Site) -> None:
    shadow(client, "POST", "/api/things", json={"name": "new"})
    shadow(client, "POST", "/api/escaping/commit")
    told = client.get("/metrics").text
    for outcome, number in ((Outcome.ROLLED_BACK, 1), (Outcome.REFUSED, 1)):
        assert f'shadowed_requests_total{{outcome="{outcome}"}} {number}.0' in told
    assert "shadow_transaction_seconds_count 2.0" in told
